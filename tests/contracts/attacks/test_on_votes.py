"""Attacks on votes and on the governor, each named for what it tries; every one fails."""

from dataclasses import replace
from typing import Any

import ape
import pytest
from eth_utils.crypto import keccak

from tests.contracts.conftest import COIN, FOREVER, ZERO_ADDRESS, Actors
from tests.contracts.governance import (
    DAY,
    DEFEATED,
    EXECUTED,
    FOR,
    PROVIDER_VOTES,
    STAKER_INDEX,
    STAKER_VOTES,
    TRADER_VOTES,
    Governance,
    Proposal,
    Settings,
    deploy_governance,
    deploy_governor,
)
from tests.contracts.signing import sign_permit
from tests.contracts.voting import delegate, malleated, pass_time, sign_ballot, sign_delegation

PERIOD = 7 * DAY
LOAN = 50_000_000 * COIN


@pytest.fixture(scope="session")
def governance(contracts: Any, actors: Actors) -> Governance:
    """SPARK under its governor; the creator holds 91 million silent SPARK."""
    return deploy_governance(contracts, actors)


@pytest.fixture(scope="session")
def flash_voter(contracts: Any, governance: Governance, actors: Actors) -> Any:
    """Borrows of the creator within a transaction."""
    voter = actors.stranger.deploy(contracts.FlashVoter)
    governance.spark.approve(voter, FOREVER, sender=actors.creator)
    return voter


@pytest.fixture(scope="session")
def other_governance(contracts: Any, actors: Actors) -> Governance:
    """The same once more, at other addresses."""
    return deploy_governance(contracts, actors)


# bought and borrowed votes


def test_flash_loan_voting(chain: Any, governance: Governance, flash_voter: Any, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)

    flash_voter.attack(
        governance.spark,
        actors.creator,
        LOAN,
        governor,
        governor.castVote.encode_input(identifier, FOR),
        sender=actors.stranger,
    )

    assert governor.hasVoted(identifier, flash_voter)
    assert tuple(governor.proposalVotes(identifier)) == (0, 0, 0)
    pass_time(chain, 1)
    assert governance.spark.getPastVotes(flash_voter, chain.blocks.head.timestamp - 1) == 0


def test_flash_loan_proposing(governance: Governance, flash_voter: Any, actors: Actors) -> None:
    governor = governance.governor

    with ape.reverts("governor: insufficient proposer votes"):
        flash_voter.attack(
            *(governance.spark, actors.creator, LOAN, governor),
            governor.propose.encode_input(*governance.raise_rewards.proposed),
            sender=actors.stranger,
        )


def test_votes_bought_once_the_proposal_is_known(chain: Any, governance: Governance, actors: Actors) -> None:
    spark, governor = governance.spark, governance.governor
    identifier = governance.propose(governance.raise_rewards, sender=actors.trader)
    spark.transfer(actors.stranger, LOAN, sender=actors.creator)
    delegate(spark, actors.stranger, sender=actors.stranger)
    pass_time(chain, DAY + 1)

    governor.castVote(identifier, FOR, sender=actors.stranger)

    assert tuple(governor.proposalVotes(identifier)) == (0, 0, 0)


def test_voting_twice_with_tokens_that_move_on(chain: Any, governance: Governance, actors: Actors) -> None:
    spark, governor = governance.spark, governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    governor.castVote(identifier, FOR, sender=actors.trader)
    spark.transfer(actors.stranger, TRADER_VOTES, sender=actors.trader)
    delegate(spark, actors.stranger, sender=actors.stranger)
    pass_time(chain, 1)

    governor.castVote(identifier, FOR, sender=actors.stranger)

    assert tuple(governor.proposalVotes(identifier)) == (0, TRADER_VOTES, 0)


def test_doubling_votes_by_staking_and_delegating(governance: Governance, actors: Actors) -> None:
    spark = governance.spark
    for amount in (STAKER_VOTES, STAKER_VOTES // 2):
        spark.stake(amount, sender=actors.staker)
        delegate(spark, actors.provider, sender=actors.staker)
        spark.unstake(amount, sender=actors.staker)
        delegate(spark, actors.staker, sender=actors.staker)

    assert spark.getVotes(actors.staker) == STAKER_VOTES
    assert spark.getVotes(actors.provider) == PROVIDER_VOTES


# signatures


def test_delegation_replay(governance: Governance, actors: Actors) -> None:
    spark = governance.spark
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=spark, name="Spark", nonce=0, expiry=FOREVER)
    spark.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)
    delegate(spark, actors.staker, sender=actors.staker)

    with ape.reverts("votes: invalid nonce"):
        spark.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)


def test_delegation_signature_malleability(governance: Governance, actors: Actors) -> None:
    spark = governance.spark
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=spark, name="Spark", nonce=0, expiry=FOREVER)

    with ape.reverts("ecdsa: invalid signature `s` value"):
        spark.delegateBySig(actors.trader, 0, FOREVER, *malleated(*signature), sender=actors.stranger)


@pytest.mark.parametrize("chain_id", [1, 314, 137])
def test_delegation_signed_for_another_chain(governance: Governance, actors: Actors, chain_id: int) -> None:
    spark = governance.spark
    signature = sign_delegation(
        STAKER_INDEX, actors.trader, token=spark, name="Spark", nonce=0, expiry=FOREVER, chain_id=chain_id
    )

    # It recovers some other account, which has no units.
    spark.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)

    assert spark.delegates(actors.staker) == actors.staker
    assert spark.nonces(actors.staker) == 0
    assert spark.getVotes(actors.trader) == TRADER_VOTES


def test_delegation_signed_for_another_token(
    governance: Governance, other_governance: Governance, actors: Actors
) -> None:
    spark = governance.spark
    signature = sign_delegation(
        STAKER_INDEX, actors.trader, token=other_governance.spark, name="Spark", nonce=0, expiry=FOREVER
    )

    spark.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)

    assert spark.delegates(actors.staker) == actors.staker


def test_delegation_signed_over_the_implementation(contracts: Any, governance: Governance, actors: Actors) -> None:
    spark = governance.spark
    implementation = actors.owner.deploy(contracts.SparkToken)
    signature = sign_delegation(
        STAKER_INDEX, actors.trader, token=implementation, name="Spark", nonce=0, expiry=FOREVER
    )

    spark.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)

    assert spark.delegates(actors.staker) == actors.staker


def test_permit_replay_and_wrong_chain(governance: Governance, actors: Actors) -> None:
    spark = governance.spark
    permit = (actors.staker, actors.stranger, COIN, FOREVER)
    foreign = sign_permit(spark, STAKER_INDEX, actors.stranger, COIN, deadline=FOREVER, chain_id=1)
    with ape.reverts("erc20: invalid signature"):
        spark.permit(*permit, *foreign, sender=actors.stranger)
    signature = sign_permit(spark, STAKER_INDEX, actors.stranger, COIN, deadline=FOREVER)
    with ape.reverts("ecdsa: invalid signature `s` value"):
        spark.permit(*permit, *malleated(*signature), sender=actors.stranger)
    spark.permit(*permit, *signature, sender=actors.stranger)

    with ape.reverts("erc20: invalid signature"):
        spark.permit(*permit, *signature, sender=actors.stranger)


def test_ballot_replay_on_the_same_and_on_another_proposal(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    other = governance.propose(replace(governance.raise_rewards, description="Another"), sender=actors.trader)
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    ballot = sign_ballot(STAKER_INDEX, identifier, FOR, governor=governor, nonce=0)
    governor.castVoteBySig(identifier, FOR, actors.staker, ballot, sender=actors.stranger)

    for target in (identifier, other):
        with ape.reverts("governor: invalid signature"):
            governor.castVoteBySig(target, FOR, actors.staker, ballot, sender=actors.stranger)


def test_ballot_signature_malleability(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    ballot = sign_ballot(STAKER_INDEX, identifier, FOR, governor=governor, nonce=0)
    v, r, s = malleated(ballot[64], ballot[:32], ballot[32:64])
    compact = ballot[:32] + (int.from_bytes(ballot[32:64], "big") | (ballot[64] - 27) << 255).to_bytes(32, "big")

    with ape.reverts("ecdsa: invalid signature `s` value"):
        governor.castVoteBySig(identifier, FOR, actors.staker, r + s + bytes([v]), sender=actors.stranger)
    with ape.reverts("governor: invalid signature"):  # EIP-2098
        governor.castVoteBySig(identifier, FOR, actors.staker, compact, sender=actors.stranger)


def test_ballot_signed_for_another_chain_or_governor(
    chain: Any, contracts: Any, governance: Governance, actors: Actors
) -> None:
    governor = governance.governor
    twin = deploy_governor(contracts, actors.owner, governance.spark, governance.timelock, Settings())
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)

    for ballot in (
        sign_ballot(STAKER_INDEX, identifier, FOR, governor=governor, nonce=0, chain_id=1),
        sign_ballot(STAKER_INDEX, identifier, FOR, governor=twin, nonce=0),
    ):
        with ape.reverts("governor: invalid signature"):
            governor.castVoteBySig(identifier, FOR, actors.staker, ballot, sender=actors.stranger)


# the governor's rules


def test_ambush_by_a_late_quorum(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.staker)
    deadline = governor.proposalDeadline(identifier)
    chain.pending_timestamp = deadline - 2
    governor.castVote(identifier, FOR, sender=actors.staker)
    governor.castVote(identifier, FOR, sender=actors.provider)
    pass_time(chain, 100)

    governor.castVote(identifier, 0, sender=actors.trader)  # there is still time to answer

    chain.mine(timestamp=governor.proposalDeadline(identifier) + 1)
    assert governor.state(identifier) == DEFEATED


def test_lowering_the_quorum_to_revive_a_defeated_proposal(chain: Any, governance: Governance, actors: Actors) -> None:
    governor = governance.governor
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    governor.castVote(identifier, FOR, sender=actors.provider)  # 1 %
    pass_time(chain, PERIOD)
    assert governor.state(identifier) == DEFEATED
    lowering = Proposal([governor], [governor.updateQuorumNumerator.encode_input(1)], "Lower the quorum")
    governance.succeed(lowering, chain, actors)
    governor.queue(*lowering.hashed, sender=actors.stranger)
    pass_time(chain, DAY)
    governance.execute(lowering, sender=actors.stranger)
    now = pass_time(chain, 10)

    assert governor.quorum(now - 1) == PROVIDER_VOTES
    assert governor.quorum(governor.proposalSnapshot(identifier)) == 4 * PROVIDER_VOTES
    assert governor.state(identifier) == DEFEATED
    with ape.reverts("governor: proposal has not succeeded"):
        governor.queue(*governance.raise_rewards.hashed, sender=actors.stranger)


def test_minting_after_the_proposal_to_move_its_quorum(chain: Any, governance: Governance, actors: Actors) -> None:
    governor, spark = governance.governor, governance.spark
    identifier = governance.open_vote(governance.raise_rewards, chain, sender=actors.trader)
    required = governor.quorum(governor.proposalSnapshot(identifier))

    spark.burn(LOAN, sender=actors.creator)

    assert governor.quorum(governor.proposalSnapshot(identifier)) == required


def test_proposing_first_in_order_to_cancel(governance: Governance, actors: Actors) -> None:
    mine = replace(governance.raise_rewards, description=f"Mine #proposer={actors.trader.address}")

    with ape.reverts("governor: restricted proposer"):
        governance.propose(mine, sender=actors.staker)


def test_a_quorum_of_nothing_in_the_governors_first_second(
    chain: Any, contracts: Any, governance: Governance, actors: Actors
) -> None:
    young = deploy_governor(contracts, actors.owner, governance.spark, governance.timelock, Settings())

    assert young.quorumNumerator(young.creation_metadata.receipt.timestamp - 1) == 4


def test_changing_settings_past_the_timelock(governance: Governance, actors: Actors) -> None:
    for account in (actors.owner, actors.trader, actors.stranger):
        with ape.reverts("governor: caller is not the timelock"):
            governance.governor.updateQuorumNumerator(1, sender=account)


def test_scheduling_past_the_governor(governance: Governance, actors: Actors) -> None:
    proposal = governance.raise_rewards
    for account in (actors.owner, actors.trader):
        with ape.reverts("access_control: account is missing role"):
            governance.timelock.scheduleBatch(*proposal.hashed[:3], bytes(32), bytes(32), DAY, sender=account)
        with ape.reverts("access_control: account is missing role"):
            governance.timelock.grantRole(governance.timelock.PROPOSER_ROLE(), account, sender=account)


def test_executing_twice(chain: Any, governance: Governance, actors: Actors) -> None:
    proposal = governance.raise_rewards
    identifier = governance.succeed(proposal, chain, actors)
    governance.governor.queue(*proposal.hashed, sender=actors.stranger)
    with ape.reverts("governor: proposal has not succeeded"):
        governance.governor.queue(*proposal.hashed, sender=actors.stranger)
    pass_time(chain, DAY)
    governance.execute(proposal, sender=actors.stranger)

    with ape.reverts("governor: proposal is not queued"):
        governance.execute(proposal, sender=actors.stranger)
    assert governance.governor.state(identifier) == EXECUTED


def test_reentrancy_of_an_operation_into_its_own_execution(
    chain: Any, contracts: Any, governance: Governance, actors: Actors
) -> None:
    governor = governance.governor
    hostile = actors.stranger.deploy(contracts.HostileReceiver)
    proposal = Proposal([hostile], [b""], "Pay the hostile", [1])
    identifier = governance.succeed(proposal, chain, actors)
    governor.queue(*proposal.hashed, sender=actors.stranger)
    pass_time(chain, DAY)
    actors.owner.transfer(governance.timelock, 10)
    selector = keccak(text="execute(address[],uint256[],bytes[],bytes32)")[:4]
    again = selector + governor.queue.encode_input(*proposal.hashed)[4:]  # Ape's contracts have another `execute`
    hostile.reenter(governor, again, sender=actors.stranger)

    governance.execute(proposal, sender=actors.stranger)

    assert hostile.reentries() == 1
    assert not hostile.reentrySucceeded()
    assert hostile.balance == 1
    assert governor.state(identifier) == EXECUTED


def test_reentrancy_of_an_operation_into_its_own_execution_on_the_timelock(
    chain: Any, contracts: Any, actors: Actors
) -> None:
    timelock = actors.owner.deploy(contracts.CreatorTimelock, DAY, [actors.owner], [ZERO_ADDRESS], ZERO_ADDRESS)
    hostile = actors.stranger.deploy(contracts.HostileReceiver)
    call = ([hostile], [1], [b""], bytes(32), keccak(text="salt"))
    timelock.scheduleBatch(*call, DAY, sender=actors.owner)
    pass_time(chain, DAY)
    actors.owner.transfer(timelock, 10)
    hostile.reenter(timelock, timelock.executeBatch.encode_input(*call), sender=actors.stranger)

    # The inner execution pays a second time and is done; the outer one finds that out and reverts it all.
    with ape.reverts("timelock_controller: operation is not ready"):
        timelock.executeBatch(*call, sender=actors.stranger)

    assert hostile.balance == 0
    assert timelock.balance == 10
