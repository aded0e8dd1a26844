"""Which of OpenZeppelin's published interfaces each contract keeps, and what it leaves out, with the reason."""

import json
from collections.abc import Iterator
from typing import Any, Final

from encore import PROJECT_ROOT
from encore.chain.deployments import load_abi

ARTIFACTS: Final = PROJECT_ROOT / "node_modules" / "@openzeppelin" / "contracts" / "build" / "contracts"

COIN: Final = ("IERC20Metadata", "IERC20Permit", "IERC5267", "IERC5805", "ERC20Burnable")
COLLECTION: Final = ("IERC721Metadata", "IERC2981", "IERC4906", "IERC165", "IAccessControl")
CLAIMS: Final = {
    "CreatorToken": COIN,
    "BalancedCreatorToken": COIN,
    "SparkToken": (*COIN, "IERC165", "IAccessControl", "IERC1822Proxiable", "Pausable", "UUPSUpgradeable"),
    "MusicNFT": COLLECTION,
    "SparkNFT": COLLECTION,
    "ContentAccess": ("IERC165", "IAccessControl"),
    "CreatorGovernor": (
        "IGovernor",
        "IERC5267",
        "IERC6372",
        "GovernorSettings",
        "GovernorCountingSimple",
        "GovernorVotesQuorumFraction",
        "GovernorTimelockControl",
        "GovernorPreventLateQuorum",
    ),
    "CreatorTimelock": ("TimelockController",),
}
"""Contract -> what of OpenZeppelin's it can be taken for."""

FIXED_DOMAIN: Final = {"event EIP712DomainChanged()": "the domain never changes"}
FIXED_ROLE_ADMINS: Final = {
    "event RoleAdminChanged(bytes32 indexed, bytes32 indexed, bytes32 indexed)": "each role's admin role is fixed"
}
WHOLE_COLLECTION: Final = {"event MetadataUpdate(uint256)": "metadata change for the whole collection only"}
NO_PARAMETERS: Final = "simple counting has no use for a vote's parameters"
NOTHING_HELD: Final = "OpenZeppelin's reverts too where a timelock executes: that holds the tokens"
SAME_TIMELOCK: Final = "a governor keeps its timelock"
GOVERNOR: Final = FIXED_DOMAIN | {
    "event VoteCastWithParams(address indexed, uint256, uint8, uint256, string, bytes)": NO_PARAMETERS,
    "function EXTENDED_BALLOT_TYPEHASH() -> (bytes32) view": NO_PARAMETERS,
    "function castVoteWithReasonAndParams(uint256, uint8, string, bytes) -> (uint256) nonpayable": NO_PARAMETERS,
    "function castVoteWithReasonAndParamsBySig"
    "(uint256, uint8, address, string, bytes, bytes) -> (uint256) nonpayable": NO_PARAMETERS,
    "function getVotesWithParams(address, uint256, bytes) -> (uint256) view": NO_PARAMETERS,
    "function getProposalId(address[], uint256[], bytes[], bytes32) -> (uint256) view": "it is hashProposal",
    "function supportsInterface(bytes4) -> (bool) view": "IGovernor is not claimed, for want of a vote's parameters",
    "function proposalVotes(uint256) -> (uint256, uint256, uint256) view": "one struct of three, the same on the wire",
    "function onERC721Received(address, address, uint256, bytes) -> (bytes4) nonpayable": NOTHING_HELD,
    "function onERC1155Received(address, address, uint256, uint256, bytes) -> (bytes4) nonpayable": NOTHING_HELD,
    "function onERC1155BatchReceived"
    "(address, address, uint256[], uint256[], bytes) -> (bytes4) nonpayable": NOTHING_HELD,
    "function relay(address, uint256, bytes) -> () payable": "the governor holds nothing to send",
    "function updateTimelock(address) -> () nonpayable": SAME_TIMELOCK,
    "event TimelockChange(address, address)": SAME_TIMELOCK,
}
LEFT_OUT: Final = {
    "CreatorToken": FIXED_DOMAIN,
    "BalancedCreatorToken": FIXED_DOMAIN,
    "SparkToken": FIXED_DOMAIN
    | {"function upgradeToAndCall(address, bytes) -> () payable": "it refuses coin, which it could not give back"},
    "MusicNFT": WHOLE_COLLECTION,
    "SparkNFT": FIXED_ROLE_ADMINS | WHOLE_COLLECTION,
    "ContentAccess": FIXED_ROLE_ADMINS,
    "CreatorGovernor": GOVERNOR,
    "CreatorTimelock": FIXED_ROLE_ADMINS,
}
"""Contract -> function or event of an interface it is taken for, that it does not have -> why."""

TALLY: Final = {
    *("ProposalCreated", "ProposalQueued", "ProposalExecuted", "ProposalCanceled", "VoteCast"),
    *("VotingDelaySet", "VotingPeriodSet", "ProposalThresholdSet", "QuorumNumeratorUpdated"),
    *("propose", "queue", "execute", "cancel", "castVote", "castVoteWithReason", "castVoteBySig"),
    *("state", "getVotes", "votingDelay", "votingPeriod", "proposalThreshold", "timelock", "CLOCK_MODE", "clock"),
    *("quorum", "quorumNumerator", "quorumDenominator"),
}
"""What Tally reads and calls of a governor (docs.tally.xyz, "Smart contract compatibility")."""


def published_abi(name: str) -> list[dict[str, Any]]:
    """Return the ABI of OpenZeppelin's contract or interface `name`."""
    abi: list[dict[str, Any]] = json.loads((ARTIFACTS / f"{name}.json").read_text())["abi"]
    return abi


def exported(contract: str) -> set[str]:
    """Return the signatures of our `contract`'s functions and events."""
    return set(_signatures(load_abi(contract)))


def published(name: str) -> set[str]:
    """Return the signatures of the functions and events of OpenZeppelin's contract or interface `name`."""
    return set(_signatures(published_abi(name)))


def _signatures(abi: list[dict[str, Any]]) -> Iterator[str]:
    for entry in abi:
        if entry["type"] == "function":
            # On the wire nothing tells them apart.
            mutability = entry["stateMutability"].replace("pure", "view")
            outputs = _types(entry["outputs"])
            yield f"function {entry['name']}({_types(entry['inputs'])}) -> ({outputs}) {mutability}"
        elif entry["type"] == "event":
            yield f"event {entry['name']}({_types(entry['inputs'])}){' anonymous' if entry['anonymous'] else ''}"


def _types(parameters: list[dict[str, Any]]) -> str:
    return ", ".join(f"{_type(parameter)}{' indexed' if parameter.get('indexed') else ''}" for parameter in parameters)


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if kind.startswith("tuple"):
        return f"({_types(parameter['components'])}){kind.removeprefix('tuple')}"
    return kind
