"""C2: staking, as CreatorToken composes it."""

from collections.abc import Callable
from typing import Any

import ape
import pytest

from tests.contracts.conftest import COIN, FOREVER, INITIAL_SUPPLY, YEAR, ZERO_ADDRESS, Actors

STAKE = 1_000 * COIN


def reward_for(amount: int, seconds: int) -> int:
    """Ten per cent a year, linear, rounded down."""
    return amount * seconds // (10 * YEAR)


@pytest.fixture
def staked(funded_token: Any, actors: Actors) -> Any:
    funded_token.stake(STAKE, sender=actors.staker)
    return funded_token


def pass_time(chain: Any, seconds: int) -> None:
    chain.pending_timestamp += seconds


def test_staking_moves_tokens_into_the_contract(funded_token: Any, actors: Actors) -> None:
    before = funded_token.balanceOf(actors.staker)

    receipt = funded_token.stake(STAKE, sender=actors.staker)

    assert receipt.events == [
        funded_token.Transfer(sender=actors.staker, receiver=funded_token, value=STAKE),
        funded_token.TokensStaked(account=actors.staker, amount=STAKE, unlocksAt=receipt.timestamp + YEAR),
    ]
    assert funded_token.balanceOf(actors.staker) == before - STAKE
    assert funded_token.balanceOf(funded_token) == funded_token.totalStaked() == STAKE
    assert funded_token.isStaking(actors.staker)
    assert tuple(funded_token.stakingInfo(actors.staker)) == (STAKE, receipt.timestamp, receipt.timestamp, 0)


def test_the_least_stake_is_a_hundred_tokens(funded_token: Any, actors: Actors) -> None:
    with ape.reverts("staking: amount below minimum"):
        funded_token.stake(100 * COIN - 1, sender=actors.staker)
    funded_token.stake(100 * COIN, sender=actors.staker)

    assert funded_token.minimumStake() == 100 * COIN


def test_an_account_has_one_position(staked: Any, actors: Actors) -> None:
    with ape.reverts("staking: position already open"):
        staked.stake(STAKE, sender=actors.staker)


def test_more_than_the_balance_cannot_be_staked(funded_token: Any, actors: Actors) -> None:
    with ape.reverts("erc20: transfer amount exceeds balance"):
        funded_token.stake(STAKE, sender=actors.stranger)


def test_rewards_grow_linearly_at_ten_per_cent_a_year(chain: Any, staked: Any, actors: Actors) -> None:
    started = staked.stakingInfo(actors.staker).stakedAt
    for days in (1, 30, 365):
        chain.mine(timestamp=started + days * 86_400)
        elapsed = chain.blocks.head.timestamp - started
        assert staked.calculateRewards(actors.staker) == reward_for(STAKE, elapsed)

    assert staked.calculateRewards(actors.stranger) == 0


def test_claiming_mints_what_is_due_and_starts_anew(chain: Any, staked: Any, actors: Actors) -> None:
    started = staked.stakingInfo(actors.staker).stakedAt
    before = staked.balanceOf(actors.staker)
    pass_time(chain, 100 * 86_400)

    receipt = staked.claimRewards(sender=actors.staker)

    reward = reward_for(STAKE, receipt.timestamp - started)
    assert receipt.events == [
        staked.Transfer(sender=ZERO_ADDRESS, receiver=actors.staker, value=reward),
        staked.RewardsClaimed(account=actors.staker, reward=reward),
    ]
    assert staked.balanceOf(actors.staker) == before + reward
    assert staked.totalSupply() == INITIAL_SUPPLY + reward
    assert tuple(staked.stakingInfo(actors.staker)) == (STAKE, started, receipt.timestamp, reward)
    assert staked.calculateRewards(actors.staker) == 0


def test_claiming_without_a_position_reverts(staked: Any, actors: Actors) -> None:
    with ape.reverts("staking: no position"):
        staked.claimRewards(sender=actors.stranger)


def test_a_stake_is_locked_for_a_year(chain: Any, staked: Any, actors: Actors) -> None:
    pass_time(chain, YEAR - 100)

    with ape.reverts("staking: still locked"):
        staked.unstake(sender=actors.staker)
    with ape.reverts("staking: no position"):
        staked.unstake(sender=actors.stranger)


def test_unstaking_pays_principal_and_rewards_in_one_call(chain: Any, staked: Any, actors: Actors) -> None:
    started = staked.stakingInfo(actors.staker).stakedAt
    before = staked.balanceOf(actors.staker)
    chain.pending_timestamp = started + YEAR

    receipt = staked.unstake(sender=actors.staker)

    reward = reward_for(STAKE, receipt.timestamp - started)
    assert receipt.events == [
        staked.Transfer(sender=ZERO_ADDRESS, receiver=actors.staker, value=reward),
        staked.Transfer(sender=staked, receiver=actors.staker, value=STAKE),
        staked.TokensUnstaked(account=actors.staker, amount=STAKE, reward=reward),
    ]
    assert staked.balanceOf(actors.staker) == before + STAKE + reward
    assert staked.totalStaked() == staked.balanceOf(staked) == 0
    assert not staked.isStaking(actors.staker)
    assert tuple(staked.stakingInfo(actors.staker)) == (0, 0, 0, 0)


def test_after_unstaking_an_account_may_stake_again(chain: Any, staked: Any, actors: Actors) -> None:
    pass_time(chain, YEAR + 1)
    staked.unstake(sender=actors.staker)
    staked.stake(2 * STAKE, sender=actors.staker)

    assert staked.totalStaked() == 2 * STAKE


def test_rewards_stop_at_the_maximum_supply(chain: Any, create_token: Callable[..., Any], actors: Actors) -> None:
    token = create_token("CAP", 100 * COIN)
    token.stake(100 * COIN, sender=actors.creator)
    pass_time(chain, 11 * YEAR)

    assert token.calculateRewards(actors.creator) == token.rewardsRemaining() == 100 * COIN
    receipt = token.claimRewards(sender=actors.creator)

    assert token.RewardsClaimed(account=actors.creator, reward=100 * COIN) in receipt.events
    assert token.totalSupply() == token.maximumSupply() == 200 * COIN
    pass_time(chain, YEAR)
    assert token.calculateRewards(actors.creator) == 0
    with ape.reverts("staking: no rewards due"):
        token.claimRewards(sender=actors.creator)


def test_principal_comes_back_when_nothing_can_be_minted(
    chain: Any, create_token: Callable[..., Any], actors: Actors
) -> None:
    token = create_token("CAP", 100 * COIN)
    token.stake(100 * COIN, sender=actors.creator)
    pass_time(chain, 11 * YEAR)
    token.claimRewards(sender=actors.creator)
    pass_time(chain, YEAR)

    receipt = token.unstake(sender=actors.creator)

    assert receipt.events == [
        token.Transfer(sender=token, receiver=actors.creator, value=100 * COIN),
        token.TokensUnstaked(account=actors.creator, amount=100 * COIN, reward=0),
    ]


def test_burning_makes_room_for_rewards_again(chain: Any, create_token: Callable[..., Any], actors: Actors) -> None:
    token = create_token("CAP", 100 * COIN)
    token.stake(100 * COIN, sender=actors.creator)
    pass_time(chain, 11 * YEAR)
    token.claimRewards(sender=actors.creator)
    token.burn(40 * COIN, sender=actors.creator)
    pass_time(chain, 11 * YEAR)

    receipt = token.claimRewards(sender=actors.creator)

    assert token.RewardsClaimed(account=actors.creator, reward=40 * COIN) in receipt.events


def test_the_runway_tells_how_long_the_rewards_last(
    chain: Any, create_token: Callable[..., Any], actors: Actors
) -> None:
    token = create_token("CAP", 1_000 * COIN)
    assert token.rewardsRunway() == FOREVER
    token.stake(500 * COIN, sender=actors.creator)

    assert token.rewardsRunway() == 20 * YEAR  # 1 000 mintable at 50 a year
    chain.mine(timestamp=token.stakingInfo(actors.creator).stakedAt + 5 * YEAR)
    assert token.rewardsRunway() == 15 * YEAR  # what is earned and not claimed counts as spent
    token.claimRewards(sender=actors.creator)
    assert token.rewardsRunway() == pytest.approx(15 * YEAR, abs=60)
    chain.mine(timestamp=chain.pending_timestamp + 16 * YEAR)
    assert token.rewardsRunway() == 0


def test_the_terms_are_readable(token: Any) -> None:
    assert token.stakingRewardRate() == 1_000
    assert token.stakingLockPeriod() == YEAR
    assert token.maximumSupply() == 2 * INITIAL_SUPPLY
