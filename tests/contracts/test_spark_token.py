"""C7, SparkToken behind its proxy: the ERC-20 face, roles, pausing, votes, and staking out of the funded pool."""

from collections.abc import Callable
from typing import Any

import ape
import pytest
from eth_utils.crypto import keccak

from tests.contracts.conftest import COIN, FOREVER, ZERO_ADDRESS, Actors
from tests.contracts.signing import sign_permit
from tests.contracts.voting import CHAIN_ID, delegate, deploy_spark, pass_time, sign_delegation

SUPPLY = 100_000_000 * COIN
RATE = COIN // 10
HELD = 10_000 * COIN
STAKE = 1_000 * COIN
RESERVE = 10_000 * COIN
STAKER_INDEX = 3
DEFAULT_ADMIN = bytes(32)
MINTER = keccak(text="MINTER_ROLE")
PAUSER = keccak(text="PAUSER_ROLE")
UPGRADER = keccak(text="UPGRADER_ROLE")
MISSING_ROLE = "access_control: account is missing role"
PAUSED = "pausable: contract is paused"


@pytest.fixture(scope="session")
def spark(contracts: Any, actors: Actors) -> Any:
    """SPARK: the owner administers it, the oracle upgrades it, the creator holds most, staker and trader some."""
    token = deploy_spark(contracts, actors.owner, admin=actors.owner, upgrader=actors.oracle, holder=actors.creator)
    for holder in (actors.staker, actors.trader):
        token.transfer(holder, HELD, sender=actors.creator)
    return token


@pytest.fixture
def funded(spark: Any, actors: Actors) -> Any:
    """The same with a reserve of 10 000 SPARK, and the staker's 1 000 staked."""
    spark.fundRewards(RESERVE, sender=actors.creator)
    spark.stake(STAKE, sender=actors.staker)
    return spark


@pytest.fixture
def settled(funded: Any) -> Callable[[], int]:
    """Tells the time up to which stakers were settled last, as the last block's."""
    return lambda: int(funded.provider.get_block("latest").timestamp)


# initialisation


def test_initialisation_mints_the_supply_and_gives_the_roles(contracts: Any, actors: Actors) -> None:
    implementation = actors.owner.deploy(contracts.SparkToken)
    initialisation = implementation.initialize.encode_input(actors.owner, actors.oracle, actors.creator)

    spark = actors.owner.deploy(contracts.ERC1967Proxy, implementation, initialisation)

    assert spark.creation_metadata.receipt.events == [
        spark.Upgraded(implementation=implementation),
        spark.Initialized(version=1),
        spark.RoleGranted(role=DEFAULT_ADMIN, account=actors.owner, sender=actors.owner),
        spark.RoleGranted(role=MINTER, account=actors.owner, sender=actors.owner),
        spark.RoleGranted(role=PAUSER, account=actors.owner, sender=actors.owner),
        spark.RoleAdminChanged(role=UPGRADER, previousAdminRole=DEFAULT_ADMIN, newAdminRole=UPGRADER),
        spark.RoleGranted(role=UPGRADER, account=actors.oracle, sender=actors.owner),
        spark.RewardRateUpdated(previousRate=0, newRate=RATE),
        spark.Transfer(sender=ZERO_ADDRESS, receiver=actors.creator, value=SUPPLY),
    ]
    assert spark.totalSupply() == spark.balanceOf(actors.creator) == SUPPLY
    assert (spark.name(), spark.symbol(), spark.decimals()) == ("Spark", "SPARK", 18)
    for role in (DEFAULT_ADMIN, MINTER, PAUSER):
        assert spark.hasRole(role, actors.owner)
    assert spark.hasRole(UPGRADER, actors.oracle)
    assert not spark.hasRole(UPGRADER, actors.owner)


@pytest.mark.parametrize(
    ("zero", "reason"),
    [
        (0, "spark: admin is the zero address"),
        (1, "spark: upgrader is the zero address"),
        (2, "erc20: mint to the zero address"),
    ],
)
def test_initialisation_refuses_the_zero_address(contracts: Any, actors: Actors, zero: int, reason: str) -> None:
    implementation = actors.owner.deploy(contracts.SparkToken)
    accounts = [actors.owner, actors.oracle, actors.creator]
    accounts[zero] = ZERO_ADDRESS

    with ape.reverts(reason):
        actors.owner.deploy(contracts.ERC1967Proxy, implementation, implementation.initialize.encode_input(*accounts))


def test_the_constants_are_readable(spark: Any) -> None:
    assert spark.DEFAULT_ADMIN_ROLE() == DEFAULT_ADMIN
    assert (spark.MINTER_ROLE(), spark.PAUSER_ROLE(), spark.UPGRADER_ROLE()) == (MINTER, PAUSER, UPGRADER)
    assert spark.maximumSupply() == 2**112 - 1
    assert spark.maximumRewardRate() == 10 * COIN
    assert spark.CLOCK_MODE() == "mode=timestamp"


def test_erc165_names_access_control_and_itself(spark: Any) -> None:
    assert spark.supportsInterface("0x01ffc9a7")
    assert spark.supportsInterface("0x7965db0b")
    assert not spark.supportsInterface("0xffffffff")


# ERC-20


def test_transfers_move_tokens(spark: Any, actors: Actors) -> None:
    receipt = spark.transfer(actors.stranger, COIN, sender=actors.trader)

    assert receipt.events == [spark.Transfer(sender=actors.trader, receiver=actors.stranger, value=COIN)]
    assert spark.balanceOf(actors.stranger) == COIN
    assert spark.transfer.call(actors.stranger, COIN, sender=actors.trader) is True


def test_transfers_out_of_an_allowance_use_it_up(spark: Any, actors: Actors) -> None:
    spark.approve(actors.stranger, COIN, sender=actors.trader)
    assert spark.transferFrom.call(actors.trader, actors.stranger, COIN, sender=actors.stranger) is True

    receipt = spark.transferFrom(actors.trader, actors.stranger, COIN, sender=actors.stranger)

    assert receipt.events == [
        spark.Approval(owner=actors.trader, spender=actors.stranger, value=0),
        spark.Transfer(sender=actors.trader, receiver=actors.stranger, value=COIN),
    ]
    with ape.reverts("erc20: insufficient allowance"):
        spark.transferFrom(actors.trader, actors.stranger, 1, sender=actors.stranger)


def test_transfers_beyond_the_balance_or_to_nobody_revert(spark: Any, actors: Actors) -> None:
    with ape.reverts("erc20: transfer amount exceeds balance"):
        spark.transfer(actors.stranger, HELD + 1, sender=actors.trader)
    with ape.reverts("erc20: transfer to the zero address"):
        spark.transfer(ZERO_ADDRESS, 1, sender=actors.trader)


def test_burning_destroys_tokens_and_their_votes(spark: Any, actors: Actors) -> None:
    delegate(spark, actors.trader, sender=actors.trader)

    receipt = spark.burn(COIN, sender=actors.trader)

    assert receipt.events == [
        spark.Transfer(sender=actors.trader, receiver=ZERO_ADDRESS, value=COIN),
        spark.DelegateVotesChanged(delegate=actors.trader, previousVotes=HELD, newVotes=HELD - COIN),
    ]
    assert spark.totalSupply() == SUPPLY - COIN
    with ape.reverts("erc20: burn amount exceeds balance"):
        spark.burn(HELD, sender=actors.trader)


def test_burning_for_another_needs_an_allowance(spark: Any, actors: Actors) -> None:
    delegate(spark, actors.trader, sender=actors.trader)
    spark.approve(actors.stranger, COIN, sender=actors.trader)

    receipt = spark.burnFrom(actors.trader, COIN, sender=actors.stranger)

    assert receipt.events == [
        spark.Approval(owner=actors.trader, spender=actors.stranger, value=0),
        spark.Transfer(sender=actors.trader, receiver=ZERO_ADDRESS, value=COIN),
        spark.DelegateVotesChanged(delegate=actors.trader, previousVotes=HELD, newVotes=HELD - COIN),
    ]
    with ape.reverts("erc20: insufficient allowance"):
        spark.burnFrom(actors.trader, 1, sender=actors.stranger)


def test_minting_is_the_minters(spark: Any, actors: Actors) -> None:
    delegate(spark, actors.trader, sender=actors.trader)

    receipt = spark.mint(actors.trader, COIN, sender=actors.owner)

    assert receipt.events == [
        spark.Transfer(sender=ZERO_ADDRESS, receiver=actors.trader, value=COIN),
        spark.DelegateVotesChanged(delegate=actors.trader, previousVotes=HELD, newVotes=HELD + COIN),
    ]
    assert spark.totalSupply() == SUPPLY + COIN
    with ape.reverts("erc20: mint to the zero address"):
        spark.mint(ZERO_ADDRESS, COIN, sender=actors.owner)
    with ape.reverts(MISSING_ROLE):
        spark.mint(actors.stranger, COIN, sender=actors.stranger)


def test_the_supply_stays_below_what_staking_can_reckon_with(spark: Any, actors: Actors) -> None:
    spark.mint(actors.stranger, 2**112 - 1 - SUPPLY, sender=actors.owner)

    with ape.reverts("spark: supply too large"):
        spark.mint(actors.stranger, 1, sender=actors.owner)


def test_a_permit_is_signed_over_the_proxys_domain(spark: Any, actors: Actors) -> None:
    signature = sign_permit(spark, STAKER_INDEX, actors.stranger, COIN, deadline=FOREVER)

    receipt = spark.permit(actors.staker, actors.stranger, COIN, FOREVER, *signature, sender=actors.stranger)

    assert receipt.events == [spark.Approval(owner=actors.staker, spender=actors.stranger, value=COIN)]
    assert spark.nonces(actors.staker) == 1


def test_the_signing_domain_is_the_proxys_on_this_chain(spark: Any) -> None:
    fields, name, version, chain_id, contract, salt, extensions = spark.eip712Domain()

    assert (fields, name, version) == (b"\x0f", spark.name(), "1")
    assert (chain_id, contract) == (CHAIN_ID, spark.address)
    assert (salt, extensions) == (bytes(32), [])


# roles


def test_the_administrator_gives_and_takes_roles(spark: Any, actors: Actors) -> None:
    granted = spark.grantRole(MINTER, actors.trader, sender=actors.owner)
    revoked = spark.revokeRole(MINTER, actors.trader, sender=actors.owner)

    assert granted.events == [spark.RoleGranted(role=MINTER, account=actors.trader, sender=actors.owner)]
    assert revoked.events == [spark.RoleRevoked(role=MINTER, account=actors.trader, sender=actors.owner)]
    assert spark.getRoleAdmin(MINTER) == DEFAULT_ADMIN


def test_a_role_is_renounced_by_its_holder_alone(spark: Any, actors: Actors) -> None:
    with ape.reverts("access_control: can only renounce roles for itself"):
        spark.renounceRole(PAUSER, actors.owner, sender=actors.stranger)

    spark.renounceRole(PAUSER, actors.owner, sender=actors.owner)

    assert not spark.hasRole(PAUSER, actors.owner)


def test_the_administrator_cannot_make_itself_upgrader(spark: Any, actors: Actors) -> None:
    assert spark.getRoleAdmin(UPGRADER) == UPGRADER
    with ape.reverts(MISSING_ROLE):
        spark.grantRole(UPGRADER, actors.owner, sender=actors.owner)
    with ape.reverts(MISSING_ROLE):
        spark.revokeRole(UPGRADER, actors.oracle, sender=actors.owner)


def test_the_upgrader_hands_its_role_on(spark: Any, actors: Actors) -> None:
    spark.grantRole(UPGRADER, actors.trader, sender=actors.oracle)

    assert spark.hasRole(UPGRADER, actors.trader)


# pausing


def test_the_pauser_pauses_and_ends_it(spark: Any, actors: Actors) -> None:
    paused = spark.pause(sender=actors.owner)
    assert paused.events == [spark.Paused(account=actors.owner)]
    assert spark.paused()
    with ape.reverts(PAUSED):
        spark.pause(sender=actors.owner)

    unpaused = spark.unpause(sender=actors.owner)
    assert unpaused.events == [spark.Unpaused(account=actors.owner)]
    assert not spark.paused()
    with ape.reverts("pausable: contract is not paused"):
        spark.unpause(sender=actors.owner)


def test_nobody_else_pauses(spark: Any, actors: Actors) -> None:
    with ape.reverts(MISSING_ROLE):
        spark.pause(sender=actors.stranger)
    with ape.reverts(MISSING_ROLE):
        spark.unpause(sender=actors.stranger)


STOPPED: dict[str, Callable[[Any, Actors], Any]] = {
    "transfer": lambda spark, actors: spark.transfer(actors.stranger, COIN, sender=actors.staker),
    "transferFrom": lambda spark, actors: spark.transferFrom(
        actors.staker, actors.stranger, COIN, sender=actors.trader
    ),
    "mint": lambda spark, actors: spark.mint(actors.stranger, COIN, sender=actors.owner),
    "burn": lambda spark, actors: spark.burn(COIN, sender=actors.staker),
    "burnFrom": lambda spark, actors: spark.burnFrom(actors.staker, COIN, sender=actors.trader),
    "stake": lambda spark, actors: spark.stake(COIN, sender=actors.staker),
    "claimRewards": lambda spark, actors: spark.claimRewards(sender=actors.staker),
    "fundRewards": lambda spark, actors: spark.fundRewards(COIN, sender=actors.staker),
}


@pytest.mark.parametrize("name", STOPPED)
def test_a_pause_stops(chain: Any, funded: Any, actors: Actors, name: str) -> None:
    funded.approve(actors.trader, FOREVER, sender=actors.staker)
    pass_time(chain, 100)
    funded.pause(sender=actors.owner)
    with ape.reverts(PAUSED):
        STOPPED[name](funded, actors)

    funded.unpause(sender=actors.owner)
    STOPPED[name](funded, actors)


def test_a_pause_stops_neither_unstaking_nor_delegation_nor_approval(funded: Any, actors: Actors) -> None:
    funded.pause(sender=actors.owner)

    funded.unstake(STAKE, sender=actors.staker)
    funded.approve(actors.trader, COIN, sender=actors.staker)
    delegate(funded, actors.trader, sender=actors.staker)

    assert funded.balanceOf(actors.staker) == funded.getVotes(actors.trader) == HELD


# votes


def test_votes_follow_balance_and_stake(chain: Any, funded: Any, actors: Actors) -> None:
    delegate(funded, actors.staker, sender=actors.staker)
    assert funded.getVotes(actors.staker) == HELD
    before = pass_time(chain, 10)

    staked = funded.stake(STAKE, sender=actors.staker)
    unstaked = funded.unstake(COIN, sender=actors.staker)
    assert not list(funded.DelegateVotesChanged.from_receipt(staked))
    assert not list(funded.DelegateVotesChanged.from_receipt(unstaked))

    funded.transfer(actors.trader, COIN, sender=actors.staker)
    assert funded.getVotes(actors.staker) == HELD - COIN
    assert funded.getPastVotes(actors.staker, before) == HELD
    assert funded.getPastTotalSupply(before) == SUPPLY


def test_rewards_vote_once_claimed_and_until_funded(chain: Any, funded: Any, actors: Actors) -> None:
    delegate(funded, actors.staker, sender=actors.staker)
    pass_time(chain, 1_000)

    claimed = funded.claimRewards(sender=actors.staker)
    (paid,) = funded.RewardsClaimed.from_receipt(claimed)
    assert funded.getVotes(actors.staker) == HELD + paid.reward

    funded.fundRewards(paid.reward, sender=actors.staker)
    assert funded.getVotes(actors.staker) == HELD


def test_a_delegation_is_signed_over_the_proxys_domain(funded: Any, actors: Actors) -> None:
    signature = sign_delegation(STAKER_INDEX, actors.trader, token=funded, name=funded.name(), nonce=0, expiry=FOREVER)

    funded.delegateBySig(actors.trader, 0, FOREVER, *signature, sender=actors.stranger)

    assert funded.delegates(actors.staker) == actors.trader
    assert funded.getVotes(actors.trader) == HELD


# staking


def test_staking_moves_tokens_into_the_contract(spark: Any, actors: Actors) -> None:
    receipt = spark.stake(STAKE, sender=actors.staker)

    assert receipt.events == [
        spark.Transfer(sender=actors.staker, receiver=spark, value=STAKE),
        spark.TokensStaked(account=actors.staker, amount=STAKE),
    ]
    assert spark.stakedBalance(actors.staker) == spark.totalStaked() == spark.balanceOf(spark) == STAKE


def test_unstaking_gives_back_any_part_at_any_time(funded: Any, actors: Actors) -> None:
    receipt = funded.unstake(COIN, sender=actors.staker)

    assert receipt.events == [
        funded.Transfer(sender=funded, receiver=actors.staker, value=COIN),
        funded.TokensUnstaked(account=actors.staker, amount=COIN),
    ]
    assert funded.stakedBalance(actors.staker) == funded.totalStaked() == STAKE - COIN


def test_amounts_of_zero_and_beyond_the_stake_revert(funded: Any, actors: Actors) -> None:
    with ape.reverts("staking: amount is zero"):
        funded.stake(0, sender=actors.staker)
    with ape.reverts("staking: amount is zero"):
        funded.unstake(0, sender=actors.staker)
    with ape.reverts("staking: amount is zero"):
        funded.fundRewards(0, sender=actors.staker)
    with ape.reverts("staking: amount exceeds stake"):
        funded.unstake(STAKE + 1, sender=actors.staker)
    with ape.reverts("erc20: transfer amount exceeds balance"):
        funded.stake(HELD, sender=actors.staker)
    with ape.reverts("erc20: transfer amount exceeds balance"):
        funded.fundRewards(HELD, sender=actors.staker)


def test_a_lone_staker_earns_the_whole_rate(
    chain: Any, funded: Any, settled: Callable[[], int], actors: Actors
) -> None:
    started = settled()
    now = pass_time(chain, 1_000)
    assert funded.pendingRewards(actors.staker) == pytest.approx(RATE * (now - started), abs=RATE)

    receipt = funded.claimRewards(sender=actors.staker)

    reward = RATE * (receipt.timestamp - started) - 1  # rounded down
    assert receipt.events == [
        funded.Transfer(sender=funded, receiver=actors.staker, value=reward),
        funded.RewardsClaimed(account=actors.staker, reward=reward),
    ]
    assert funded.balanceOf(actors.staker) == HELD - STAKE + reward
    assert funded.pendingRewards(actors.staker) <= 5 * RATE  # of the seconds since
    assert funded.rewardsRemaining() == RESERVE - reward - 1


def test_stakers_share_by_stake_and_time(chain: Any, funded: Any, settled: Callable[[], int], actors: Actors) -> None:
    alone = settled()
    pass_time(chain, 1_000)
    together = funded.stake(3 * STAKE, sender=actors.trader).timestamp
    pass_time(chain, 1_000)
    left = funded.unstake(3 * STAKE, sender=actors.trader).timestamp
    pass_time(chain, 1_000)
    claimed = funded.claimRewards(sender=actors.staker)

    (paid,) = funded.RewardsClaimed.from_receipt(claimed)
    shared = RATE * (left - together)
    expected = RATE * (together - alone) + shared // 4 + RATE * (claimed.timestamp - left)
    assert expected - 3 <= paid.reward <= expected
    assert shared * 3 // 4 - 1 <= funded.pendingRewards(actors.trader) <= shared * 3 // 4


def test_nothing_is_due_without_a_stake(funded: Any, actors: Actors) -> None:
    assert funded.pendingRewards(actors.stranger) == 0
    with ape.reverts("staking: no rewards due"):
        funded.claimRewards(sender=actors.stranger)


def test_funding_prolongs_the_rewards(funded: Any, actors: Actors) -> None:
    remaining = funded.rewardsRemaining()

    receipt = funded.fundRewards(COIN, sender=actors.trader)

    assert receipt.events == [
        funded.Transfer(sender=actors.trader, receiver=funded, value=COIN),
        funded.RewardsFunded(funder=actors.trader, amount=COIN),
    ]
    assert funded.rewardsRemaining() == pytest.approx(remaining + COIN, abs=3 * RATE)
    assert funded.rewardsRunway() == funded.rewardsRemaining() // RATE


def test_rewards_end_with_the_reserve_and_are_not_made_up_for(chain: Any, funded: Any, actors: Actors) -> None:
    pass_time(chain, 2 * RESERVE // RATE)
    assert funded.rewardsRemaining() == funded.rewardsRunway() == 0
    assert RESERVE - 1 <= funded.pendingRewards(actors.staker) <= RESERVE

    funded.fundRewards(RESERVE, sender=actors.creator)
    assert funded.pendingRewards(actors.staker) <= RESERVE + 2 * RATE
    funded.claimRewards(sender=actors.staker)
    funded.unstake(STAKE, sender=actors.staker)

    assert funded.balanceOf(funded) == pytest.approx(RESERVE, abs=5 * RATE)


def test_while_nobody_stakes_the_reserve_waits(chain: Any, spark: Any, actors: Actors) -> None:
    spark.fundRewards(RESERVE, sender=actors.creator)
    pass_time(chain, 10_000)
    assert spark.rewardsRemaining() == RESERVE

    spark.stake(STAKE, sender=actors.staker)

    assert spark.pendingRewards(actors.staker) <= RATE


def test_the_administrator_changes_the_rate_from_now_on(chain: Any, funded: Any, actors: Actors) -> None:
    pass_time(chain, 1_000)
    before = funded.pendingRewards(actors.staker)

    receipt = funded.setRewardRate(10 * COIN, sender=actors.owner)

    assert receipt.events == [funded.RewardRateUpdated(previousRate=RATE, newRate=10 * COIN)]
    assert funded.rewardRate() == 10 * COIN
    assert funded.pendingRewards(actors.staker) <= before + 11 * COIN
    with ape.reverts("staking: reward rate too high"):
        funded.setRewardRate(10 * COIN + 1, sender=actors.owner)
    with ape.reverts(MISSING_ROLE):
        funded.setRewardRate(0, sender=actors.stranger)


def test_at_a_rate_of_zero_the_reserve_lasts_for_ever(chain: Any, funded: Any, actors: Actors) -> None:
    funded.setRewardRate(0, sender=actors.owner)
    remaining = funded.rewardsRemaining()
    pass_time(chain, 1_000)

    assert funded.rewardsRunway() == FOREVER
    assert funded.rewardsRemaining() == remaining


def test_a_small_stake_beside_a_great_one_costs_nobody_but_wei(chain: Any, funded: Any, actors: Actors) -> None:
    funded.stake(SUPPLY // 2, sender=actors.creator)
    for _ in range(5):
        funded.stake(1, sender=actors.trader)
        pass_time(chain, 1)
    funded.unstake(5, sender=actors.trader)
    earned = RESERVE - funded.rewardsRemaining()

    pending = sum(funded.pendingRewards(account) for account in (actors.staker, actors.creator, actors.trader))
    assert earned - 10 <= pending <= earned
    assert funded.balanceOf(funded) >= funded.totalStaked() + funded.rewardsRemaining() + pending


def test_staking_costs_no_more_gas_than_synthetixs(chain: Any, spark: Any, actors: Actors) -> None:
    spark.fundRewards(RESERVE, sender=actors.creator)
    spark.stake(COIN, sender=actors.trader)
    stake = spark.stake(STAKE, sender=actors.staker)
    pass_time(chain, 1_000)
    claim = spark.claimRewards(sender=actors.staker)
    pass_time(chain, 1_000)
    unstake = spark.unstake(STAKE, sender=actors.staker)

    assert stake.gas_used <= 135_230
    assert claim.gas_used <= 76_131
    assert unstake.gas_used <= 99_230
