"""CreatorGovernor: proposals, votes and the governor's settings."""

from collections.abc import Iterator
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from encore.db.models.chain_governance import Proposal, ProposalVote, QuorumCheckpoint
from indexer.bulk import Row
from indexer.check import Check, Reader, address, flag, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.decode import REPLACEMENT_CHARACTER
from indexer.settings import settings
from indexer.state import State

SUPPORT: Final = {0: "against", 1: "for", 2: "abstain"}
"""Kinds of vote by OpenZeppelin's numbers."""
STATE_CANCELED: Final = 2
STATE_EXECUTED: Final = 7
SALT_SHIFT: Final = 96
NO_PREDECESSOR: Final = bytes(32)


def _proposal(event: Event) -> Iterator[Key]:
    yield Proposal, (event.address, event.args["proposalId"])


def _row(event: Event, state: State) -> Row:
    return state.edit(Proposal, event.address, event.args["proposalId"])


def _created(event: Event, state: State) -> None:
    args = event.args
    state.upsert(Proposal, event.address, args["proposalId"]).update(
        proposer=args["proposer"],
        targets=args["targets"],
        native_amounts=[str(value) for value in args["values"]],
        calldatas=args["calldatas"],
        description=args["description"],
        snapshot=event.timestamp - 1,
        vote_start=args["voteStart"],
        vote_end=args["voteEnd"],
        votes_against=0,
        votes_for=0,
        votes_abstain=0,
        quorum_votes=0,
        eta=0,
        operation_id=None,
        is_executed=False,
        is_canceled=False,
        created_block=event.block_number,
    )


def _voted(event: Event, state: State) -> None:
    args = event.args
    support = SUPPORT[args["support"]]
    proposal = _row(event, state)
    proposal[f"votes_{support}"] += args["weight"]
    if support != "against":
        proposal["quorum_votes"] += args["weight"]
    state.append(
        ProposalVote,
        event.row(
            governor=event.address,
            proposal_id=args["proposalId"],
            voter=args["voter"],
            support=support,
            weight=args["weight"],
            reason=args["reason"],
        ),
    )


def _extended(event: Event, state: State) -> None:
    _row(event, state)["vote_end"] = event.args["extendedDeadline"]


def _queued(event: Event, state: State) -> None:
    proposal = _row(event, state)
    proposal.update(eta=event.args["etaSeconds"], operation_id=_operation_id(event.address, proposal))


def _executed(event: Event, state: State) -> None:
    _row(event, state)["is_executed"] = True


def _canceled(event: Event, state: State) -> None:
    _row(event, state)["is_canceled"] = True


def _quorum_updated(event: Event, state: State) -> None:
    args = event.args
    _QUORUM_SETTING.apply(event, state)
    since = event.timestamp if args["oldQuorumNumerator"] else 0
    row = event.row(governor=event.address, numerator=args["newQuorumNumerator"], since=since)
    state.append(QuorumCheckpoint, row)


def _operation_id(governor: str, proposal: Row) -> str | None:
    """Return the timelock's identifier of a proposal's calls.

    It depends on the description's bytes: None where these were no text and the mirror does not have them.
    """
    if REPLACEMENT_CHARACTER in proposal["description"]:
        return None
    salt = int(governor, 16) << SALT_SHIFT ^ int.from_bytes(keccak(text=proposal["description"]))
    calls = encode(
        ["address[]", "uint256[]", "bytes[]", "bytes32", "bytes32"],
        [
            proposal["targets"],
            [int(amount) for amount in proposal["native_amounts"]],
            [bytes.fromhex(calldata[2:]) for calldata in proposal["calldatas"]],
            NO_PREDECESSOR,
            salt.to_bytes(32),
        ],
    )
    return "0x" + keccak(calls).hex()


async def _checks(reader: Reader) -> list[Check]:
    found = []
    for row in await reader.rows(Proposal):
        tally = (row.votes_against, row.votes_for, row.votes_abstain)
        arguments = (row.proposal_id,)
        found += [
            Check(row.governor, "proposalVotes(uint256)", arguments, ("uint256",) * 3, tally),
            address(row.governor, "proposalProposer(uint256)", arguments, row.proposer),
            number(row.governor, "proposalSnapshot(uint256)", arguments, row.snapshot),
            number(row.governor, "proposalDeadline(uint256)", arguments, row.vote_end),
            number(row.governor, "proposalEta(uint256)", arguments, row.eta),
        ]
        if row.is_executed or row.is_canceled:
            state = STATE_EXECUTED if row.is_executed else STATE_CANCELED
            found.append(number(row.governor, "state(uint256)", arguments, state))
    percentages = {(row.governor, row.since): row.numerator for row in await reader.rows(QuorumCheckpoint)}
    found += [
        number(governor, "quorumNumerator(uint256)", (since,), numerator)
        for (governor, since), numerator in percentages.items()
    ]
    found += [
        flag(row.governor, "hasVoted(uint256,address)", (row.proposal_id, row.voter), mirrored=True)
        for row in await reader.rows(ProposalVote)
    ]
    return found


_QUORUM_SETTING: Final = settings(quorumNumerator="newQuorumNumerator")

CONTRACT: Final = Contract(
    name="CreatorGovernor",
    handlers={
        "ProposalCreated": Handler(_created, _proposal),
        "VoteCast": Handler(_voted, _proposal),
        "ProposalExtended": Handler(_extended, _proposal),
        "ProposalQueued": Handler(_queued, _proposal),
        "ProposalExecuted": Handler(_executed, _proposal),
        "ProposalCanceled": Handler(_canceled, _proposal),
        "VotingDelaySet": settings(votingDelay="newVotingDelay"),
        "VotingPeriodSet": settings(votingPeriod="newVotingPeriod"),
        "ProposalThresholdSet": settings(proposalThreshold="newProposalThreshold"),
        "QuorumNumeratorUpdated": Handler(_quorum_updated, _QUORUM_SETTING.reads),
        "LateQuorumVoteExtensionSet": settings(lateQuorumVoteExtension="newVoteExtension"),
    },
    checks=_checks,
)
