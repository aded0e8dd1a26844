"""C17, CreatorGovernor with SPARK's votes and a CreatorTimelock, as OpenZeppelin's Governor and Tally have it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ape
import pytest
from eth_utils.crypto import keccak

from tests.contracts.conftest import COIN, FOREVER, ZERO_ADDRESS, Actors
from tests.contracts.governance import (
    ABSTAIN,
    ACTIVE,
    AGAINST,
    CANCELED,
    DAY,
    DEFEATED,
    EXECUTED,
    FOR,
    NEW_RATE,
    PENDING,
    PROVIDER_VOTES,
    QUEUED,
    QUORUM,
    STAKER_INDEX,
    STAKER_VOTES,
    SUCCEEDED,
    SUPPLY,
    THRESHOLD,
    TRADER_VOTES,
    Governance,
    Proposal,
    Settings,
    deploy_governance,
    deploy_governor,
)
from tests.contracts.voting import CHAIN_ID, delegate, pass_time, sign_ballot

PERIOD = 7 * DAY
EXTENSION = 2 * DAY


@pytest.fixture(scope="session")
def governance(contracts: Any, actors: Actors) -> Governance:
    """A day to read, seven to vote, a thousand SPARK to propose, 4 % for a quorum, two days after a late one."""
    return deploy_governance(contracts, actors)


# settings


def test_a_new_governor_tells_its_settings(governance: Governance) -> None:
    governor = governance.governor

    assert (governor.token(), governor.timelock()) == (governance.spark, governance.timelock)
    assert (governor.name(), governor.version()) == ("Spark Governor", "1")
    assert (governor.votingDelay(), governor.votingPeriod()) == (DAY, PERIOD)
    assert governor.proposalThreshold() == THRESHOLD
    assert (governor.quorumNumerator(), governor.quorumDenominator()) == (4, 100)
    assert governor.lateQuorumVoteExtension() == EXTENSION
    assert governor.COUNTING_MODE() == "support=bravo&quorum=for,abstain"
    assert governor.CLOCK_MODE() == governance.spark.CLOCK_MODE() == "mode=timestamp"
    assert governor.clock() == governance.spark.clock()
    assert governor.eip712Domain()[1:5] == ("Spark Governor", "1", CHAIN_ID, governor.address)
    assert governor.creation_metadata.receipt.events == [
        governor.VotingDelaySet(oldVotingDelay=0, newVotingDelay=DAY),
        governor.VotingPeriodSet(oldVotingPeriod=0, newVotingPeriod=PERIOD),
        governor.ProposalThresholdSet(oldProposalThreshold=0, newProposalThreshold=THRESHOLD),
        governor.LateQuorumVoteExtensionSet(oldVoteExtension=0, newVoteExtension=EXTENSION),
        governor.QuorumNumeratorUpdated(oldQuorumNumerator=0, newQuorumNumerator=4),
    ]


def test_the_bounds_of_the_settings_are_readable(governance: Governance) -> None:
    governor = governance.governor

    assert governor.maximumVotingDelay() == 30 * DAY
    assert (governor.minimumVotingPeriod(), governor.maximumVotingPeriod()) == (3_600, 90 * DAY)
    assert governor.maximumLateQuorumVoteExtension() == 30 * DAY
    assert (governor.minimumQuorumNumerator(), governor.maximumQuorumNumerator()) == (1, 50)


OUT_OF_BOUNDS = [
    ({"voting_delay": 30 * DAY + 1}, "governor: voting delay out of bounds"),
    ({"voting_period": 3_599}, "governor: voting period out of bounds"),
    ({"voting_period": 90 * DAY + 1}, "governor: voting period out of bounds"),
    ({"threshold": SUPPLY // 10 + 1}, "governor: proposal threshold out of bounds"),
    ({"quorum_numerator": 0}, "governor: quorum numerator out of bounds"),
    ({"quorum_numerator": 51}, "governor: quorum numerator out of bounds"),
    ({"extension": 30 * DAY + 1}, "governor: vote extension out of bounds"),
]


@pytest.mark.parametrize(("changes", "reason"), OUT_OF_BOUNDS)
def test_settings_out_of_bounds_are_refused(
    governance: Governance, contracts: Any, actors: Actors, changes: dict[str, int], reason: str
) -> None:
    with ape.reverts(reason):
        deploy_governor(contracts, actors.owner, governance.spark, governance.timelock, replace(Settings(), **changes))


def test_a_token_with_another_clock_is_refused(governance: Governance, contracts: Any, actors: Actors) -> None:
    other = actors.owner.deploy(contracts.ClockStub, "mode=sundial")
    with ape.reverts("governor: token has another clock"):
        deploy_governor(contracts, actors.owner, other, governance.timelock, Settings())

    longer = actors.owner.deploy(contracts.ClockStub, "mode=blocknumber&from=default")
    with ape.reverts():  # longer than the answer that is wanted
        deploy_governor(contracts, actors.owner, longer, governance.timelock, Settings())


SETTERS = {
    "setVotingDelay": (2 * DAY, "VotingDelaySet", "votingDelay", 30 * DAY + 1, "governor: voting delay out of bounds"),
    "setVotingPeriod": (DAY, "VotingPeriodSet", "votingPeriod", 3_599, "governor: voting period out of bounds"),
    "setProposalThreshold": (
        COIN,
        "ProposalThresholdSet",
        "proposalThreshold",
        SUPPLY,
        "governor: proposal threshold out of bounds",
    ),
    "updateQuorumNumerator": (
        10,
        "QuorumNumeratorUpdated",
        "quorumNumerator",
        51,
        "governor: quorum numerator out of bounds",
    ),
    "setLateQuorumVoteExtension": (
        DAY,
        "LateQuorumVoteExtensionSet",
        "lateQuorumVoteExtension",
        31 * DAY,
        "governor: vote extension out of bounds",
    ),
}


@pytest.mark.parametrize("setter", SETTERS)
def test_a_setting_changes_by_a_proposal_alone(chain: Any, governance: Governance, actors: Actors, setter: str) -> None:
    governor = governance.governor
    wanted, event, getter, excess, reason = SETTERS[setter]
    with ape.reverts("governor: caller is not the timelock"):
        getattr(governor, setter)(wanted, sender=actors.owner)
    for argument in (excess, wanted):
        proposal = Proposal([governor], [getattr(governor, setter).encode_input(argument)])
        governance.succeed(proposal, chain, actors)
        governor.queue(*proposal.hashed, sender=actors.stranger)
        pass_time(chain, DAY)
        if argument == excess:
            with ape.reverts(reason):
                governance.execute(proposal, sender=actors.stranger)
            continue
        before = getattr(governor, getter)()
        receipt = governance.execute(proposal, sender=actors.stranger)

    (changed,) = getattr(governor, event).from_receipt(receipt)
    assert list(changed.event_arguments.values()) == [before, wanted]
    assert getattr(governor, getter)() == wanted
    others = {"votingDelay": DAY, "votingPeriod": PERIOD, "proposalThreshold": THRESHOLD} | {
        "lateQuorumVoteExtension": EXTENSION,
        "quorumNumerator": 4,
    }
    assert {name: getattr(governor, name)() for name in others} == others | {getter: wanted}


def test_of_two_quorums_in_a_second_the_later_one_counts(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    calls = [governor.updateQuorumNumerator.encode_input(numerator) for numerator in (10, 20)]
    proposal = Proposal([governor, governor], calls, values=[0, 0])
    governance.succeed(proposal, chain, actors)
    governor.queue(*proposal.hashed, sender=actors.stranger)
    pass_time(chain, DAY)

    receipt = governance.execute(proposal, sender=actors.stranger)

    pass_time(chain, 1)
    assert governor.quorumNumerator() == 20
    assert governor.quorum(receipt.timestamp - 1) == SUPPLY * 4 // 100
    assert governor.quorum(receipt.timestamp) == SUPPLY * 20 // 100


# the way of a proposal


def test_a_proposal_passes_through_every_state(chain: Any, governance: Governance, actors: Actors) -> None:
    governor, spark, timelock = governance.governor, governance.spark, governance.timelock
    proposal = governance.raise_rewards

    proposed = governor.propose(*proposal.proposed, sender=actors.trader)
    identifier = governor.hashProposal(*proposal.hashed)
    start, end = proposed.timestamp + DAY, proposed.timestamp + DAY + PERIOD
    assert proposed.events == [
        governor.ProposalCreated(
            proposalId=identifier,
            proposer=actors.trader,
            targets=[spark.address],
            values=[0],
            signatures=[""],
            calldatas=proposal.calldatas,
            voteStart=start,
            voteEnd=end,
            description=proposal.description,
        )
    ]
    assert governor.state(identifier) == PENDING
    assert governor.proposalProposer(identifier) == actors.trader
    assert governor.proposalSnapshot(identifier) == proposed.timestamp - 1
    assert governor.proposalDeadline(identifier) == end
    assert governor.proposalEta(identifier) == 0
    assert governor.proposalNeedsQueuing(identifier)
    assert not governor.hasVoted(identifier, actors.trader)

    chain.mine(timestamp=start + 1)
    assert governor.state(identifier) == ACTIVE
    voted = governor.castVote(identifier, FOR, sender=actors.trader)
    assert voted.events == [
        governor.VoteCast(voter=actors.trader, proposalId=identifier, support=FOR, weight=TRADER_VOTES, reason="")
    ]
    assert governor.hasVoted(identifier, actors.trader)
    governor.castVoteWithReason(identifier, AGAINST, "too dear", sender=actors.staker)
    assert tuple(governor.proposalVotes(identifier)) == (STAKER_VOTES, TRADER_VOTES, 0)

    chain.mine(timestamp=end + 1)
    assert governor.state(identifier) == SUCCEEDED
    queued = governor.queue(*proposal.hashed, sender=actors.stranger)
    eta = queued.timestamp + DAY
    assert governor.ProposalQueued(proposalId=identifier, etaSeconds=eta) in queued.events
    (scheduled,) = timelock.CallScheduled.from_receipt(queued)
    (salted,) = timelock.CallSalt.from_receipt(queued)
    description_hash = int.from_bytes(proposal.hashed[3], "big")
    assert int.from_bytes(salted.salt, "big") == int(governor.address, 16) << 96 ^ description_hash
    assert governor.state(identifier) == QUEUED
    assert governor.proposalEta(identifier) == eta

    with ape.reverts("timelock_controller: operation is not ready"):
        governance.execute(proposal, sender=actors.stranger)
    chain.mine(timestamp=eta)
    executed = governance.execute(proposal, sender=actors.stranger)
    assert governor.ProposalExecuted(proposalId=identifier) in executed.events
    assert timelock.isOperationDone(scheduled.id)
    assert governor.state(identifier) == EXECUTED
    assert spark.rewardRate() == NEW_RATE


def test_a_reason_is_told(chain: Any, governance: Governance, actors: Actors) -> None:
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)

    receipt = governance.governor.castVoteWithReason(identifier, ABSTAIN, "why not", sender=actors.staker)

    assert receipt.events == [
        governance.governor.VoteCast(
            voter=actors.staker, proposalId=identifier, support=ABSTAIN, weight=STAKER_VOTES, reason="why not"
        )
    ]


def test_ten_calls_are_made_together(chain: Any, governance: Governance, actors: Actors) -> None:
    spark = governance.spark
    calls = [spark.setRewardRate.encode_input(rate) for rate in range(10)]
    proposal = Proposal([spark] * 10, calls, "é" * 2_048, [0] * 10)
    governance.succeed(proposal, chain, actors)
    governance.governor.queue(*proposal.hashed, sender=actors.stranger)
    pass_time(chain, DAY)

    receipt = governance.execute(proposal, sender=actors.stranger)

    assert [event.newRate for event in spark.RewardRateUpdated.from_receipt(receipt)] == list(range(10))


def test_coin_sent_with_the_execution_reaches_the_timelock(chain: Any, governance: Governance, actors: Actors) -> None:
    proposal = Proposal([actors.stranger], [b""], "Pay", [3])
    governance.succeed(proposal, chain, actors)
    governance.governor.queue(*proposal.hashed, sender=actors.stranger)
    pass_time(chain, DAY)
    before = actors.stranger.balance

    governance.execute(proposal, sender=actors.owner, value=5)

    assert actors.stranger.balance == before + 3
    assert governance.timelock.balance == 2
    assert governance.governor.balance == 0


def test_what_the_timelock_executed_directly_is_executed(chain: Any, governance: Governance, actors: Actors) -> None:
    proposal = governance.raise_rewards
    identifier = governance.succeed(proposal, chain, actors)
    queued = governance.governor.queue(*proposal.hashed, sender=actors.stranger)
    (salted,) = governance.timelock.CallSalt.from_receipt(queued)
    pass_time(chain, DAY)

    governance.timelock.executeBatch(*proposal.hashed[:3], bytes(32), salted.salt, sender=actors.stranger)

    assert governance.governor.state(identifier) == EXECUTED
    with ape.reverts("governor: proposal is not queued"):
        governance.execute(proposal, sender=actors.stranger)


def test_what_a_guardian_canceled_on_the_timelock_is_canceled(
    chain: Any, governance: Governance, actors: Actors
) -> None:
    timelock, governor = governance.timelock, governance.governor
    appointment = Proposal(
        [timelock], [timelock.grantRole.encode_input(timelock.CANCELLER_ROLE(), actors.oracle)], "Appoint"
    )
    governance.succeed(appointment, chain, actors)
    governor.queue(*appointment.hashed, sender=actors.stranger)
    pass_time(chain, DAY)
    governance.execute(appointment, sender=actors.stranger)
    proposal = governance.raise_rewards
    identifier = governance.succeed(proposal, chain, actors)
    queued = governor.queue(*proposal.hashed, sender=actors.stranger)
    (scheduled,) = timelock.CallScheduled.from_receipt(queued)

    timelock.cancel(scheduled.id, sender=actors.oracle)

    assert governor.state(identifier) == CANCELED
    with ape.reverts("governor: proposal is not queued"):
        governance.execute(proposal, sender=actors.stranger)
    with ape.reverts("governor: proposal has not succeeded"):
        governor.queue(*proposal.hashed, sender=actors.stranger)


# proposing


def test_a_proposer_needs_the_threshold_of_votes(governance: Governance, actors: Actors) -> None:
    for account in (actors.stranger, actors.creator):  # without tokens, and without a delegate
        with ape.reverts("governor: insufficient proposer votes"):
            governance.propose(governance.raise_rewards, sender=account)


def test_without_a_threshold_anybody_proposes(contracts: Any, governance: Governance, actors: Actors) -> None:
    free = deploy_governor(
        contracts, actors.owner, governance.spark, governance.timelock, replace(Settings(), threshold=0)
    )

    free.propose(*governance.raise_rewards.proposed, sender=actors.stranger)


def test_a_proposal_has_calls_with_values_and_data(governance: Governance, actors: Actors) -> None:
    spark, data = governance.spark, b""
    for targets, values, calldatas in (([], [], []), ([spark], [], [data]), ([spark], [0], []), ([], [0], [data])):
        with ape.reverts("governor: invalid proposal length"):
            governance.governor.propose(targets, values, calldatas, "", sender=actors.trader)


def test_the_same_is_proposed_once(governance: Governance, actors: Actors) -> None:
    governance.propose(governance.raise_rewards, sender=actors.trader)

    with ape.reverts("governor: proposal exists"):
        governance.propose(governance.raise_rewards, sender=actors.trader)


def test_beyond_the_bounds_nothing_is_proposed(governance: Governance, actors: Actors) -> None:
    spark = governance.spark
    for proposal in (
        Proposal([spark] * 11, [b""] * 11, "", [0] * 11),
        Proposal([spark], [bytes(1_025)]),
        Proposal([spark], [b""], "x" * 4_097),
    ):
        with ape.reverts():
            governance.governor.propose(*proposal.proposed, sender=actors.trader)


def test_a_description_may_name_its_only_proposer(governance: Governance, actors: Actors) -> None:
    mine = replace(governance.raise_rewards, description=f"Mine #proposer={actors.trader.address}")
    lower = replace(mine, description=mine.description.replace(actors.trader.address, actors.trader.address.lower()))
    upper = replace(mine, description="Mine #proposer=0x" + actors.trader.address[2:].upper())
    for proposal in (mine, lower, upper):
        with ape.reverts("governor: restricted proposer"):
            governance.propose(proposal, sender=actors.staker)
        governance.propose(proposal, sender=actors.trader)


@pytest.mark.parametrize(
    "ending",
    [
        "#proposer=0x" + "g" * 40,
        "#proposer=0x" + "@" * 40,
        "#proposer=0x" + "/" * 40,
        "#proposer=0x" + "`" * 40,
        "#proposer=" + "1" * 42,
        "#proposes=0x" + "1" * 40,
        "#proposer=0x" + "1" * 40 + " ",
        "#proposer=0x" + "1" * 39,
    ],
)
def test_other_endings_of_a_description_name_nobody(governance: Governance, actors: Actors, ending: str) -> None:
    governance.propose(replace(governance.raise_rewards, description=ending), sender=actors.trader)


def test_a_proposer_cancels_before_the_vote_starts(chain: Any, governance: Governance, actors: Actors) -> None:
    governor, proposal = governance.governor, governance.raise_rewards
    identifier = governance.propose(proposal, sender=actors.trader)
    with ape.reverts("governor: unable to cancel"):
        governor.cancel(*proposal.hashed, sender=actors.staker)

    receipt = governor.cancel(*proposal.hashed, sender=actors.trader)

    assert receipt.events == [governor.ProposalCanceled(proposalId=identifier)]
    pass_time(chain, DAY + 1)
    assert governor.state(identifier) == CANCELED
    with ape.reverts("governor: vote is not active"):
        governor.castVote(identifier, FOR, sender=actors.trader)
    with ape.reverts("governor: unable to cancel"):
        governor.cancel(*proposal.hashed, sender=actors.trader)


def test_once_the_vote_started_its_proposer_cannot_cancel(chain: Any, governance: Governance, actors: Actors) -> None:
    governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)

    with ape.reverts("governor: unable to cancel"):
        governance.governor.cancel(*governance.raise_rewards.hashed, sender=actors.trader)


# voting


def test_a_vote_is_cast_while_it_is_open(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.propose(governance.raise_rewards, sender=actors.trader)
    start, end = governor.proposalDeadline(identifier) - PERIOD, governor.proposalDeadline(identifier)

    chain.pending_timestamp = start
    with ape.reverts("governor: vote is not active"):
        governor.castVote(identifier, FOR, sender=actors.trader)
    chain.pending_timestamp = end
    governor.castVote(identifier, ABSTAIN, sender=actors.provider)
    chain.pending_timestamp = end + 1
    with ape.reverts("governor: vote is not active"):
        governor.castVote(identifier, FOR, sender=actors.trader)


def test_a_vote_is_cast_once_and_is_of_three_kinds(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    for support in (3, 255):
        with ape.reverts("governor: invalid vote type"):
            governor.castVote(identifier, support, sender=actors.trader)

    governor.castVote(identifier, FOR, sender=actors.trader)

    with ape.reverts("governor: vote already cast"):
        governor.castVote(identifier, AGAINST, sender=actors.trader)
    assert tuple(governor.proposalVotes(identifier)) == (0, TRADER_VOTES, 0)


def test_who_had_no_votes_casts_none(chain: Any, governance: Governance, actors: Actors) -> None:
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)

    receipt = governance.governor.castVote(identifier, FOR, sender=actors.creator)

    assert [event.weight for event in governance.governor.VoteCast.from_receipt(receipt)] == [0]


def test_staked_tokens_vote(chain: Any, governance: Governance, actors: Actors) -> None:
    governance.spark.stake(STAKER_VOTES, sender=actors.staker)
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)

    governance.governor.castVote(identifier, FOR, sender=actors.staker)

    assert tuple(governance.governor.proposalVotes(identifier)) == (0, STAKER_VOTES, 0)


@pytest.mark.parametrize(
    ("ballots", "outcome"),
    [
        ({}, DEFEATED),
        ({"staker": FOR, "provider": FOR}, SUCCEEDED),  # exactly the quorum
        ({"staker": FOR}, DEFEATED),  # without a quorum
        ({"staker": FOR, "trader": ABSTAIN}, SUCCEEDED),  # who abstains helps to make it
        ({"trader": AGAINST, "staker": FOR}, DEFEATED),  # who is against does not
        ({"provider": FOR, "staker": AGAINST, "trader": ABSTAIN}, DEFEATED),
        ({"trader": FOR, "staker": AGAINST}, SUCCEEDED),
    ],
)
def test_a_majority_with_a_quorum_decides(
    chain: Any, governance: Governance, actors: Actors, ballots: dict[str, int], outcome: int
) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    for voter, support in ballots.items():
        governor.castVote(identifier, support, sender=getattr(actors, voter))
    pass_time(chain, PERIOD)

    assert governor.quorum(governor.proposalSnapshot(identifier)) == QUORUM == STAKER_VOTES + PROVIDER_VOTES
    assert governor.state(identifier) == outcome
    if outcome == DEFEATED:
        with ape.reverts("governor: proposal has not succeeded"):
            governor.queue(*governance.raise_rewards.hashed, sender=actors.stranger)


def test_a_tie_defeats(chain: Any, governance: Governance, actors: Actors) -> None:
    spark, governor = governance.spark, governance.governor
    spark.transfer(actors.staker, TRADER_VOTES - STAKER_VOTES, sender=actors.creator)
    pass_time(chain, 1)
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    governor.castVote(identifier, FOR, sender=actors.trader)
    governor.castVote(identifier, AGAINST, sender=actors.staker)
    pass_time(chain, PERIOD)

    assert governor.state(identifier) == DEFEATED


def test_unknown_proposals_have_no_state(governance: Governance, actors: Actors) -> None:
    governor, proposal = governance.governor, governance.raise_rewards
    calls: list[Callable[[], Any]] = [
        lambda: governor.state(1),
        lambda: governor.castVote(1, FOR, sender=actors.trader),
        lambda: governor.queue(*proposal.hashed, sender=actors.trader),
        lambda: governance.execute(proposal, sender=actors.trader),
        lambda: governor.cancel(*proposal.hashed, sender=actors.trader),
    ]
    for call in calls:
        with ape.reverts("governor: unknown proposal"):
            call()
    assert (governor.proposalSnapshot(1), governor.proposalDeadline(1)) == (0, 0)
    assert governor.proposalProposer(1) == ZERO_ADDRESS


def test_past_votes_and_quorum_are_looked_up_in_the_past(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    now = pass_time(chain, 10)

    assert governor.getVotes(actors.trader, now - 1) == TRADER_VOTES
    assert governor.quorumNumerator(0) == governor.quorumNumerator(FOREVER) == 4
    with ape.reverts("votes: timepoint not in the past"):
        governor.getVotes(actors.trader, now + 100)
    with ape.reverts("votes: timepoint not in the past"):
        governor.quorum(now + 100)


# signed ballots


def test_a_signed_ballot_counts_as_the_voters(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    ballot = sign_ballot(STAKER_INDEX, identifier, FOR, governor=governor, nonce=0)

    receipt = governor.castVoteBySig(identifier, FOR, actors.staker, ballot, sender=actors.stranger)

    assert receipt.events == [
        governor.VoteCast(voter=actors.staker, proposalId=identifier, support=FOR, weight=STAKER_VOTES, reason="")
    ]
    assert governor.nonces(actors.staker) == 1
    assert governor.BALLOT_TYPEHASH() == keccak(
        text="Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)"
    )


def test_a_ballot_that_says_something_else_is_refused(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    ballot = sign_ballot(STAKER_INDEX, identifier, FOR, governor=governor, nonce=0)

    for support, voter, signature in (
        (AGAINST, actors.staker, ballot),
        (FOR, actors.trader, ballot),
        (FOR, actors.staker, sign_ballot(STAKER_INDEX, identifier, FOR, governor=governor, nonce=1)),
        (FOR, actors.staker, ballot[:64]),
        (FOR, actors.staker, b""),
    ):
        with ape.reverts("governor: invalid signature"):
            governor.castVoteBySig(identifier, support, voter, signature, sender=actors.stranger)
    with ape.reverts("ecdsa: invalid signature"):
        governor.castVoteBySig(identifier, FOR, actors.staker, ballot[:64] + b"\x01", sender=actors.stranger)


def test_a_smart_wallet_votes_by_its_own_signature(
    chain: Any, contracts: Any, governance: Governance, actors: Actors
) -> None:
    governor, spark = governance.governor, governance.spark
    wallet = actors.owner.deploy(contracts.SmartWallet)
    spark.transfer(wallet, COIN, sender=actors.creator)
    wallet.invoke_transaction(
        "execute",
        spark,
        keccak(text="delegate(address)")[:4] + bytes(12) + bytes.fromhex(wallet.address[2:]),
        sender=actors.owner,
    )
    pass_time(chain, 1)
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    with ape.reverts("governor: invalid signature"):
        governor.castVoteBySig(identifier, FOR, wallet, bytes(130), sender=actors.stranger)
    for stranger in (governance.timelock, spark):  # contracts that know no signatures: one is silent, one reverts
        with ape.reverts("governor: invalid signature"):
            governor.castVoteBySig(identifier, FOR, stranger, b"", sender=actors.stranger)
    wallet.accept(bytes(130), sender=actors.owner)

    governor.castVoteBySig(identifier, FOR, wallet, bytes(130), sender=actors.stranger)

    assert tuple(governor.proposalVotes(identifier)) == (0, COIN, 0)


# a late quorum


def test_a_late_quorum_extends_the_vote_once(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    deadline = governor.proposalDeadline(identifier)
    chain.pending_timestamp = deadline - 100
    governor.castVote(identifier, FOR, sender=actors.staker)
    assert governor.proposalDeadline(identifier) == deadline  # no quorum yet

    receipt = governor.castVote(identifier, FOR, sender=actors.provider)

    extended = receipt.timestamp + EXTENSION
    assert governor.ProposalExtended(proposalId=identifier, extendedDeadline=extended) in receipt.events
    assert governor.proposalDeadline(identifier) == extended
    assert governor.proposalProposer(identifier) == actors.trader
    chain.pending_timestamp = extended - 100
    governor.castVote(identifier, AGAINST, sender=actors.trader)
    governor.castVote(identifier, FOR, sender=actors.creator)
    assert governor.proposalDeadline(identifier) == extended
    chain.mine(timestamp=extended + 1)
    assert governor.state(identifier) == DEFEATED


def test_a_quorum_in_time_extends_nothing(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    deadline = governor.proposalDeadline(identifier)
    governor.castVote(identifier, FOR, sender=actors.trader)

    chain.pending_timestamp = deadline - 100
    governor.castVote(identifier, ABSTAIN, sender=actors.staker)

    assert governor.proposalDeadline(identifier) == deadline


def test_votes_against_make_no_quorum(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    deadline = governor.proposalDeadline(identifier)
    chain.pending_timestamp = deadline - 100

    governor.castVote(identifier, AGAINST, sender=actors.trader)

    assert governor.proposalDeadline(identifier) == deadline


def test_votes_against_after_a_quorum_in_time_extend_nothing(
    chain: Any, governance: Governance, actors: Actors
) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    deadline = governor.proposalDeadline(identifier)
    for voter in (actors.staker, actors.provider):
        governor.castVote(identifier, FOR, sender=voter)
    chain.pending_timestamp = deadline - 100

    governor.castVote(identifier, AGAINST, sender=actors.trader)

    assert governor.proposalDeadline(identifier) == deadline


def test_governing_costs_no_more_gas_than_openzeppelins(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    proposal = governance.raise_rewards
    proposed = governor.propose(*proposal.proposed, sender=actors.trader)
    identifier = governor.hashProposal(*proposal.hashed)
    pass_time(chain, DAY + 1)
    voted = governor.castVote(identifier, FOR, sender=actors.trader)
    pass_time(chain, PERIOD)
    queued = governor.queue(*proposal.hashed, sender=actors.stranger)
    pass_time(chain, DAY)
    executed = governance.execute(proposal, sender=actors.stranger)

    proxied = 5_400  # SPARK's votes are asked for through its proxy
    assert proposed.gas_used <= 75_629 + proxied
    assert voted.gas_used <= 83_059 + proxied
    assert queued.gas_used <= 145_158 + proxied
    assert executed.gas_used <= 150_250
    assert delegate(governance.spark, actors.trader, sender=actors.stranger).gas_used < 95_486
