"""C1: votes (ERC-5805, ERC-6372), as a token with staking composes the module."""

from itertools import pairwise
from typing import Any

import ape
import pytest

from tests.contracts.conftest import COIN, FOREVER, YEAR, ZERO_ADDRESS, Actors
from tests.contracts.signing import sign_permit
from tests.contracts.voting import delegate, malleated, pass_time, sign_delegation

SUPPLY = 1_000_000 * COIN
HELD = 1_000 * COIN
STAKER_INDEX = 3
DOMAIN_NAME = "Voting Token"


@pytest.fixture(scope="session")
def voting(contracts: Any, actors: Actors) -> Any:
    """A token with votes; the owner holds most of it, the staker and the trader some."""
    token = actors.owner.deploy(contracts.VotingToken, SUPPLY)
    for holder in (actors.staker, actors.trader):
        token.transfer(holder, HELD, sender=actors.owner)
    return token


@pytest.fixture
def delegated(voting: Any, actors: Actors) -> Any:
    """The same; staker and trader vote for themselves."""
    for holder in (actors.staker, actors.trader):
        delegate(voting, holder, sender=holder)
    return voting


def test_the_clock_is_the_time_in_seconds(chain: Any, voting: Any) -> None:
    assert voting.CLOCK_MODE() == "mode=timestamp"
    assert abs(voting.clock() - chain.blocks.head.timestamp) <= 1


def test_units_that_nobody_delegated_are_silent(voting: Any, actors: Actors) -> None:
    assert voting.delegates(actors.staker) == ZERO_ADDRESS
    assert voting.getVotes(actors.staker) == 0


def test_delegating_to_oneself_gives_ones_balance_a_voice(voting: Any, actors: Actors) -> None:
    receipt = delegate(voting, actors.staker, sender=actors.staker)

    assert receipt.events == [
        voting.DelegateChanged(delegator=actors.staker, fromDelegate=ZERO_ADDRESS, toDelegate=actors.staker),
        voting.DelegateVotesChanged(delegate=actors.staker, previousVotes=0, newVotes=HELD),
    ]
    assert voting.delegates(actors.staker) == actors.staker
    assert voting.getVotes(actors.staker) == HELD


def test_delegating_anew_moves_the_votes(delegated: Any, actors: Actors) -> None:
    receipt = delegate(delegated, actors.trader, sender=actors.staker)

    assert receipt.events == [
        delegated.DelegateChanged(delegator=actors.staker, fromDelegate=actors.staker, toDelegate=actors.trader),
        delegated.DelegateVotesChanged(delegate=actors.staker, previousVotes=HELD, newVotes=0),
        delegated.DelegateVotesChanged(delegate=actors.trader, previousVotes=HELD, newVotes=2 * HELD),
    ]


def test_delegating_to_the_same_again_moves_nothing(delegated: Any, actors: Actors) -> None:
    receipt = delegate(delegated, actors.staker, sender=actors.staker)

    assert receipt.events == [
        delegated.DelegateChanged(delegator=actors.staker, fromDelegate=actors.staker, toDelegate=actors.staker)
    ]


def test_delegating_to_nobody_silences(delegated: Any, actors: Actors) -> None:
    receipt = delegate(delegated, ZERO_ADDRESS, sender=actors.staker)

    assert receipt.events == [
        delegated.DelegateChanged(delegator=actors.staker, fromDelegate=actors.staker, toDelegate=ZERO_ADDRESS),
        delegated.DelegateVotesChanged(delegate=actors.staker, previousVotes=HELD, newVotes=0),
    ]
    assert delegated.getVotes(ZERO_ADDRESS) == 0


def test_transfers_move_votes_between_delegates(delegated: Any, actors: Actors) -> None:
    receipt = delegated.transfer(actors.trader, COIN, sender=actors.staker)

    assert receipt.events == [
        delegated.Transfer(sender=actors.staker, receiver=actors.trader, value=COIN),
        delegated.DelegateVotesChanged(delegate=actors.staker, previousVotes=HELD, newVotes=HELD - COIN),
        delegated.DelegateVotesChanged(delegate=actors.trader, previousVotes=HELD, newVotes=HELD + COIN),
    ]


def test_transfers_out_of_an_allowance_move_votes(delegated: Any, actors: Actors) -> None:
    delegated.approve(actors.stranger, COIN, sender=actors.staker)

    delegated.transferFrom(actors.staker, actors.trader, COIN, sender=actors.stranger)

    assert delegated.getVotes(actors.staker) == HELD - COIN
    assert delegated.getVotes(actors.trader) == HELD + COIN


@pytest.mark.parametrize("amount", [0, COIN])
def test_transfers_that_move_no_votes_say_so(voting: Any, actors: Actors, amount: int) -> None:
    delegate(voting, actors.trader, sender=actors.staker)
    delegate(voting, actors.trader, sender=actors.trader)

    receipt = voting.transfer(actors.trader, amount, sender=actors.staker)

    assert receipt.events == [voting.Transfer(sender=actors.staker, receiver=actors.trader, value=amount)]
    assert voting.getVotes(actors.trader) == 2 * HELD


def test_a_transfer_to_who_delegates_to_nobody_takes_votes_away(delegated: Any, actors: Actors) -> None:
    delegated.transfer(actors.stranger, COIN, sender=actors.staker)

    assert delegated.getVotes(actors.staker) == HELD - COIN
    assert delegated.getVotes(actors.stranger) == 0


def test_minting_and_burning_change_votes_and_past_supply(chain: Any, delegated: Any, actors: Actors) -> None:
    before = chain.blocks.head.timestamp
    minted = delegated.mint(actors.staker, COIN, sender=actors.owner)
    burned = delegated.burn(2 * COIN, sender=actors.staker)
    pass_time(chain, 10)

    assert minted.events == [
        delegated.Transfer(sender=ZERO_ADDRESS, receiver=actors.staker, value=COIN),
        delegated.DelegateVotesChanged(delegate=actors.staker, previousVotes=HELD, newVotes=HELD + COIN),
    ]
    assert burned.events == [
        delegated.Transfer(sender=actors.staker, receiver=ZERO_ADDRESS, value=2 * COIN),
        delegated.DelegateVotesChanged(delegate=actors.staker, previousVotes=HELD + COIN, newVotes=HELD - COIN),
    ]
    assert delegated.getPastTotalSupply(before) == SUPPLY
    assert delegated.getPastTotalSupply(minted.timestamp) == SUPPLY + COIN
    assert delegated.getPastTotalSupply(burned.timestamp) == delegated.totalSupply() == SUPPLY - COIN


def test_before_the_token_there_was_no_supply_and_no_vote(chain: Any, delegated: Any, actors: Actors) -> None:
    pass_time(chain, 1)

    assert delegated.getPastTotalSupply(0) == 0
    assert delegated.getPastVotes(actors.staker, 0) == 0
    assert delegated.getPastVotes(actors.stranger, 0) == 0


@pytest.mark.parametrize("changes", range(9))
def test_every_past_second_is_remembered(chain: Any, delegated: Any, actors: Actors, changes: int) -> None:
    history = [(delegate(delegated, actors.staker, sender=actors.staker).timestamp, HELD)]
    for change in range(1, changes + 1):
        pass_time(chain, 7)
        receipt = delegated.transfer(actors.owner, change * COIN, sender=actors.staker)
        history.append((receipt.timestamp, history[-1][1] - change * COIN))
    end = pass_time(chain, 10)

    for (start, votes), (stop, _) in pairwise([*history, (end, 0)]):
        for timepoint in (start, (start + stop) // 2, stop - 1):
            assert delegated.getPastVotes(actors.staker, timepoint) == votes


def test_the_present_and_the_future_are_refused(voting: Any, actors: Actors) -> None:
    now = voting.clock()
    for timepoint in (now, now + 1, FOREVER):
        with ape.reverts("votes: timepoint not in the past"):
            voting.getPastVotes(actors.staker, timepoint)
        with ape.reverts("votes: timepoint not in the past"):
            voting.getPastTotalSupply(timepoint)


def test_staked_tokens_keep_their_votes(chain: Any, delegated: Any, actors: Actors) -> None:
    staked = delegated.stake(600 * COIN, sender=actors.staker)

    assert not list(delegated.DelegateVotesChanged.from_receipt(staked))
    assert delegated.balanceOf(actors.staker) == HELD - 600 * COIN
    assert delegated.getVotes(actors.staker) == HELD

    delegate(delegated, actors.trader, sender=actors.staker)
    assert delegated.getVotes(actors.trader) == 2 * HELD

    pass_time(chain, YEAR)
    unstaked = delegated.unstake(sender=actors.staker)
    reward = delegated.balanceOf(actors.staker) - HELD
    assert reward > 0
    assert list(delegated.DelegateVotesChanged.from_receipt(unstaked)) == [
        delegated.DelegateVotesChanged(delegate=actors.trader, previousVotes=2 * HELD, newVotes=2 * HELD + reward)
    ]


def test_rewards_vote_as_soon_as_they_are_claimed(chain: Any, delegated: Any, actors: Actors) -> None:
    delegated.stake(600 * COIN, sender=actors.staker)
    pass_time(chain, YEAR)

    delegated.claimRewards(sender=actors.staker)

    reward = delegated.balanceOf(actors.staker) - 400 * COIN
    assert delegated.getVotes(actors.staker) == HELD + reward
    pass_time(chain, 10)
    assert delegated.getPastTotalSupply(chain.blocks.head.timestamp - 1) == SUPPLY + reward


def test_a_supply_beyond_208_bits_is_refused(contracts: Any, actors: Actors) -> None:
    token = actors.owner.deploy(contracts.VotingToken, COIN)
    token.mint(actors.owner, 2**208 - 1 - COIN, sender=actors.owner)

    with ape.reverts("checkpoints: value too large"):
        token.mint(actors.owner, 1, sender=actors.owner)


def test_a_signature_delegates(voting: Any, actors: Actors) -> None:
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=0, expiry=FOREVER)

    receipt = voting.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)

    assert receipt.events == [
        voting.DelegateChanged(delegator=actors.staker, fromDelegate=ZERO_ADDRESS, toDelegate=actors.trader),
        voting.DelegateVotesChanged(delegate=actors.trader, previousVotes=0, newVotes=HELD),
    ]
    assert voting.nonces(actors.staker) == 1


def test_a_signature_delegates_what_is_staked_too(voting: Any, actors: Actors) -> None:
    voting.stake(600 * COIN, sender=actors.staker)
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=0, expiry=FOREVER)

    voting.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)

    assert voting.getVotes(actors.trader) == HELD


def test_permit_and_delegation_use_up_the_same_nonces(voting: Any, actors: Actors) -> None:
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=0, expiry=FOREVER)
    voting.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)

    class Named:
        address = voting.address

        def name(self) -> str:
            return DOMAIN_NAME

    permit = sign_permit(Named(), STAKER_INDEX, actors.stranger, COIN, deadline=FOREVER, nonce=1)
    voting.permit(actors.staker, actors.stranger, COIN, FOREVER, *permit, sender=actors.stranger)

    assert voting.nonces(actors.staker) == 2
    assert voting.allowance(actors.staker, actors.stranger) == COIN


def test_a_signature_expires(chain: Any, voting: Any, actors: Actors) -> None:
    expiry = chain.blocks.head.timestamp + 100
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=0, expiry=expiry)
    pass_time(chain, 200)

    with ape.reverts("votes: signature expired"):
        voting.delegateBySig(actors.trader, 0, expiry, *signature, sender=actors.stranger)


def test_a_signature_serves_until_its_last_second(chain: Any, voting: Any, actors: Actors) -> None:
    expiry = chain.blocks.head.timestamp + 100
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=0, expiry=expiry)
    chain.pending_timestamp = expiry

    receipt = voting.delegateBySig(actors.trader, 0, expiry, *signature, sender=actors.stranger)

    assert receipt.timestamp == expiry


def test_a_signature_with_another_nonce_is_refused(voting: Any, actors: Actors) -> None:
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=1, expiry=FOREVER)

    with ape.reverts("votes: invalid nonce"):
        voting.delegateBySig(actors.trader, 1, FOREVER, *signature, sender=actors.stranger)


def test_a_signature_that_is_none_is_refused(voting: Any, actors: Actors) -> None:
    _, r, s = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=0, expiry=FOREVER)

    with ape.reverts("ecdsa: invalid signature"):
        voting.delegateBySig(actors.trader, 0, FOREVER, 26, r, s, sender=actors.stranger)


def test_the_malleable_half_of_signatures_is_refused(voting: Any, actors: Actors) -> None:
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=voting, name=DOMAIN_NAME, nonce=0, expiry=FOREVER)

    with ape.reverts("ecdsa: invalid signature `s` value"):
        voting.delegateBySig(actors.trader, 0, FOREVER, *malleated(*signature), sender=actors.stranger)


def test_votes_cost_no_more_gas_than_openzeppelins(chain: Any, voting: Any, actors: Actors) -> None:
    transfer = voting.transfer(actors.trader, COIN, sender=actors.staker)
    delegation = delegate(voting, actors.staker, sender=actors.staker)
    delegate(voting, actors.trader, sender=actors.trader)
    pass_time(chain, 10)
    delegated_transfer = voting.transfer(actors.trader, COIN, sender=actors.staker)

    assert transfer.gas_used <= 39_249
    assert delegation.gas_used <= 95_486
    assert delegated_transfer.gas_used <= 104_560
