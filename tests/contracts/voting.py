"""What the tests of votes, SPARK, its upgrades and the governor share: deployment, time and signatures."""

from typing import Any

from eth_account import Account

from encore.settings import local_account_key

CHAIN_ID = 31337
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
IMPLEMENTATION_SLOT = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC

DELEGATION_TYPES = {
    "Delegation": [
        {"name": "delegatee", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "expiry", "type": "uint256"},
    ]
}
BALLOT_TYPES = {
    "Ballot": [
        {"name": "proposalId", "type": "uint256"},
        {"name": "support", "type": "uint8"},
        {"name": "voter", "type": "address"},
        {"name": "nonce", "type": "uint256"},
    ]
}


def deploy_spark(contracts: Any, deployer: Any, *, admin: Any, upgrader: Any, holder: Any) -> Any:
    """Deploy SPARK behind its proxy."""
    implementation = deployer.deploy(contracts.SparkToken)
    initialisation = implementation.initialize.encode_input(admin, upgrader, holder)
    proxy = deployer.deploy(contracts.ERC1967Proxy, implementation, initialisation)
    return contracts.SparkToken.at(proxy.address)


def pass_time(chain: Any, seconds: int) -> int:
    """Mine a block `seconds` later than the last; return its time."""
    chain.mine(timestamp=chain.blocks.head.timestamp + seconds)
    return int(chain.blocks.head.timestamp)


def delegate(token: Any, delegatee: Any, *, sender: Any) -> Any:
    """Call `delegate`, a name that Ape's contracts use for something else; return the receipt."""
    return token.invoke_transaction("delegate", delegatee, sender=sender)


def sign_delegation(
    account_index: int,
    delegatee: Any,
    *,
    token: Any,
    name: str,
    nonce: int,
    expiry: int,
    chain_id: int = CHAIN_ID,
) -> tuple[int, bytes, bytes]:
    """Return v, r, s of the delegation by local account `account_index` to `delegatee`."""
    signed = Account.sign_typed_data(
        local_account_key(account_index),
        domain_data=_domain(token, name, chain_id),
        message_types=DELEGATION_TYPES,
        message_data={"delegatee": delegatee.address, "nonce": nonce, "expiry": expiry},
    )
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def sign_ballot(
    account_index: int,
    proposal_id: int,
    support: int,
    *,
    governor: Any,
    nonce: int,
    chain_id: int = CHAIN_ID,
) -> bytes:
    """Return the 65 bytes by which local account `account_index` votes."""
    key = local_account_key(account_index)
    signed = Account.sign_typed_data(
        key,
        domain_data=_domain(governor, governor.name(), chain_id),
        message_types=BALLOT_TYPES,
        message_data={
            "proposalId": proposal_id,
            "support": support,
            "voter": Account.from_key(key).address,
            "nonce": nonce,
        },
    )
    return bytes(signed.signature)


def malleated(v: int, r: bytes, s: bytes) -> tuple[int, bytes, bytes]:
    """Return the other signature that verifies: the one whose s is in the upper half."""
    return 55 - v, r, (SECP256K1_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")


def _domain(contract: Any, name: str, chain_id: int) -> dict[str, Any]:
    return {"name": name, "version": "1", "chainId": chain_id, "verifyingContract": contract.address}
