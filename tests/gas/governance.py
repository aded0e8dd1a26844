"""Gas of governors and timelocks."""

from typing import Any

from eth_account import Account
from eth_utils.crypto import keccak

from encore.settings import local_account_key
from tests.contracts_on_anvil import HOUR, ZERO_ADDRESS, Contract, Economy
from tests.gas.meter import (
    BUYER,
    COIN,
    FAN,
    HOLDER,
    NO_SALT,
    OWNER,
    STRANGER,
    Meter,
    account,
    measure_roles,
)
from tests.gas.references import EXECUTE, PROPOSE, QUEUE, VOTE

DELAY = 60
TERMS = (DELAY, HOUR, 0, 4, 0)
FOR = 1
BALLOT_TYPES = {
    "Ballot": [
        {"name": "proposalId", "type": "uint256"},
        {"name": "support", "type": "uint8"},
        {"name": "voter", "type": "address"},
        {"name": "nonce", "type": "uint256"},
    ]
}


async def measure_governance(meter: Meter, economy: Economy, token: Contract) -> None:
    """Measure a token's governor and its timelock; FAN, HOLDER and BUYER hold the token, FAN most of it."""
    chain = economy.chain
    for voter in (FAN, HOLDER, BUYER):
        await token.send("delegate", account(voter), sender=voter)
    timelock = await chain.create("CreatorTimelock", HOUR, [account(OWNER)], [ZERO_ADDRESS], account(OWNER))
    governor = await chain.create("CreatorGovernor", token.address, timelock.address, "Ben Governor", *TERMS)
    await timelock.send("grantRole", await timelock.call("PROPOSER_ROLE"), governor.address)
    await measure_proposal(meter, governor, timelock, "a token's", voters=(FAN, HOLDER))

    canceled = _proposal(timelock, "Taken back")
    await governor.send("propose", *canceled, "Taken back")
    await meter.send(governor, "cancel", *canceled, keccak(text="Taken back"))
    discussed = _proposal(timelock, "Discussed")
    await governor.send("propose", *discussed, "Discussed")
    identifier = await governor.call("hashProposal", *discussed, keccak(text="Discussed"))
    await chain.wait(2 * DELAY)
    await governor.send("castVote", identifier, FOR, sender=FAN)
    await meter.send(governor, "castVoteWithReason", identifier, FOR, "For the fans", sender=HOLDER)
    ballot = {"proposalId": identifier, "support": FOR, "voter": account(BUYER), "nonce": 0}
    signature = await _signature(governor, BUYER, ballot)
    await meter.send(governor, "castVoteBySig", identifier, FOR, account(BUYER), signature)

    for function, setting in (
        ("setVotingDelay", 2 * DELAY),
        ("setVotingPeriod", 2 * HOUR),
        ("setProposalThreshold", COIN),
        ("updateQuorumNumerator", 5),
        ("setLateQuorumVoteExtension", HOUR),
    ):
        await meter.send_through(timelock, governor, function, setting)
    await _measure_timelock(meter, timelock)


async def measure_proposal(
    meter: Meter, governor: Contract, timelock: Contract, whose: str, *, voters: tuple[int, int]
) -> None:
    """Measure a proposal from its making to its execution; the first voter brings the quorum."""
    chain, note = governor.chain, f"{whose} governor"
    description = "Wait two hours"
    calls = _proposal(timelock, description)
    hashed = (*calls, keccak(text=description))
    await meter.send(governor, "propose", *calls, description, note=note, reference=PROPOSE)
    identifier = await governor.call("hashProposal", *hashed)
    await chain.wait(2 * DELAY)
    await governor.send("castVote", identifier, FOR, sender=voters[0])
    await meter.send(governor, "castVote", identifier, FOR, note=note, reference=VOTE, sender=voters[1])
    await chain.wait(HOUR + DELAY)
    await meter.send(governor, "queue", *hashed, note=note, reference=QUEUE)
    await chain.wait(HOUR + DELAY)
    await meter.send(governor, "execute", *hashed, note=note, reference=EXECUTE)


async def _measure_timelock(meter: Meter, timelock: Contract) -> None:
    call = (timelock.address, 0, timelock.encode("updateDelay", 2 * HOUR), NO_SALT)
    kept, salt = (*call, NO_SALT), b"\x01" * 32
    await meter.send(timelock, "schedule", *kept, 2 * HOUR)
    await timelock.send("schedule", *call, salt, 2 * HOUR)
    await meter.send(timelock, "cancel", await timelock.call("hashOperation", *call, salt))
    calls = ([call[0]] * 3, [0] * 3, [call[2]] * 3, NO_SALT, NO_SALT)
    await meter.send(timelock, "scheduleBatch", *calls, 2 * HOUR, note="three calls")
    await timelock.chain.wait(2 * HOUR)
    await meter.send(timelock, "execute", *kept)
    await meter.send(timelock, "executeBatch", *calls, note="three calls")
    await meter.send_through(timelock, timelock, "updateDelay", HOUR)
    sent = (account(OWNER), account(STRANGER))
    await meter.send(timelock, "onERC721Received", *sent, 1, b"")
    await meter.send(timelock, "onERC1155Received", *sent, 1, 1, b"")
    await meter.send(timelock, "onERC1155BatchReceived", *sent, [1, 2], [1, 1], b"", note="of two")
    await measure_roles(meter, timelock, "CANCELLER_ROLE")


def _proposal(timelock: Contract, description: str) -> tuple[list[str], list[int], list[bytes]]:
    delay = HOUR + len(description)
    return [timelock.address], [0], [timelock.encode("updateDelay", delay)]


async def _signature(governor: Contract, signer: int, ballot: dict[str, Any]) -> bytes:
    domain = {
        "name": await governor.call("name"),
        "version": "1",
        "chainId": int(await governor.chain.rpc.call("eth_chainId"), 16),
        "verifyingContract": governor.address,
    }
    signed = Account.sign_typed_data(
        local_account_key(signer), domain_data=domain, message_types=BALLOT_TYPES, message_data=ballot
    )
    return bytes(signed.signature)
