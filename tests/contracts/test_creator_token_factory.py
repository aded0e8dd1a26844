"""C10, CreatorTokenFactory: creating tokens, and launching a creator's coin together with its pool."""

from typing import Any

import ape
import pytest

from tests.contracts.balanced import execute
from tests.contracts.conftest import COIN, MIN_FOLLOWERS, MIN_STREAMS, MINIMUM_SEED, ZERO_ADDRESS, Actors
from tests.contracts.voting import pass_time

TEXTS = ("A Coin", "COIN", "About it", "https://img.example/2")
MAXIMUM_SUPPLY = 100_000_000 * COIN
POOL_SUPPLY = 10_000_000 * COIN
SEED = 3 * COIN


@pytest.fixture
def ready(factory: Any, metrics: Any, actors: Actors) -> Any:
    """The factory, for a creator whose figures allow a launch."""
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)
    return factory


def test_a_creator_creates_a_token_for_itself(contracts: Any, factory: Any, deployer: Any, actors: Actors) -> None:
    receipt = factory.createCreatorToken(*TEXTS, 7 * COIN, actors.creator, actors.fee_recipient, sender=actors.creator)

    (deployed,) = deployer.CreatorTokenDeployed.from_receipt(receipt)
    assert factory.CreatorTokenCreated.from_receipt(receipt) == [
        factory.CreatorTokenCreated(creator=actors.creator, token=deployed.token, initialSupply=7 * COIN)
    ]
    token = contracts.CreatorToken.at(deployed.token)
    assert token.owner() == actors.creator
    assert token.balanceOf(actors.creator) == 7 * COIN
    assert deployed.factory == factory


def test_a_launcher_creates_a_token_for_a_creator(factory: Any, deployer: Any, actors: Actors) -> None:
    receipt = factory.createCreatorToken(*TEXTS, 7 * COIN, actors.creator, actors.fee_recipient, sender=actors.oracle)

    assert deployer.CreatorTokenDeployed.from_receipt(receipt)[0].creator == actors.creator


def test_a_launch_makes_the_coin_and_its_pool_in_one_transaction(
    contracts: Any, ready: Any, deployer: Any, dex: Any, actors: Actors
) -> None:
    receipt = ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.creator)

    token = contracts.BalancedCreatorToken.at(ready.coinOf(actors.creator))
    assert ready.CreatorCoinLaunched.from_receipt(receipt) == [
        ready.CreatorCoinLaunched(
            creator=actors.creator, token=token, launcher=actors.creator, nativeSeed=SEED, tokenSeed=POOL_SUPPLY
        )
    ]
    assert deployer.CreatorTokenDeployed.from_receipt(receipt)[0].creator == actors.creator
    assert token.owner() == actors.creator
    assert token.totalSupply() == token.balanceOf(dex) == POOL_SUPPLY
    assert token.maximumSupply() == MAXIMUM_SUPPLY
    assert token.creator() == actors.creator
    assert (token.metricsManager(), token.revenueExempt()) == (ready.metricsManager(), dex)
    assert token.platformFeeRecipient() == ready.launchFeeRecipient() == actors.fee_recipient
    assert tuple(dex.reserves(token)) == (SEED, POOL_SUPPLY)
    assert token.balanceOf(ready) == ready.balance == 0


def test_the_seed_is_locked_for_ever(ready: Any, dex: Any, actors: Actors) -> None:
    ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)

    token = ready.coinOf(actors.creator)
    assert dex.sharesOf(token, ZERO_ADDRESS) == dex.totalShares(token)
    for account in (actors.creator, actors.oracle, actors.owner):
        assert dex.sharesOf(token, account) == 0


def test_a_launched_coin_trades_at_once(ready: Any, dex: Any, actors: Actors) -> None:
    ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)
    token = ready.coinOf(actors.creator)

    receipt = dex.buyTokens(token, 1, value=COIN // 10, sender=actors.trader)

    assert dex.TokensPurchased.from_receipt(receipt)[0].buyer == actors.trader


def test_a_creator_launches_once(ready: Any, actors: Actors) -> None:
    ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.creator)
    with ape.reverts("factory: coin already launched"):
        ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)


def test_figures_that_do_not_suffice_allow_no_launch(factory: Any, metrics: Any, actors: Actors) -> None:
    with ape.reverts("factory: launch requirements not met"):
        factory.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS - 1, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)
    with ape.reverts("factory: launch requirements not met"):
        factory.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)


def test_a_launch_brings_at_least_the_minimum_seed(ready: Any, actors: Actors) -> None:
    with ape.reverts("factory: seed below minimum"):
        ready.launchCreatorCoin(actors.creator, *TEXTS, value=MINIMUM_SEED - 1, sender=actors.creator)


def test_a_stranger_launches_and_creates_nothing(ready: Any, actors: Actors) -> None:
    for account in (actors.stranger, actors.owner):
        with ape.reverts("factory: caller may not launch"):
            ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=account)
        with ape.reverts("factory: caller may not launch"):
            ready.createCreatorToken(*TEXTS, COIN, actors.creator, actors.fee_recipient, sender=account)


def test_the_owner_authorises_and_withdraws_launchers(ready: Any, actors: Actors) -> None:
    receipt = ready.setLauncher(actors.oracle, False, sender=actors.owner)

    assert receipt.events == [ready.LauncherAuthorisationChanged(launcher=actors.oracle, authorised=False)]
    assert not ready.isLauncher(actors.oracle)
    with ape.reverts("factory: caller may not launch"):
        ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)
    with ape.reverts("ownable: caller is not the owner"):
        ready.setLauncher(actors.stranger, True, sender=actors.stranger)
    with ape.reverts("factory: launcher is the zero address"):
        ready.setLauncher(ZERO_ADDRESS, True, sender=actors.owner)


def test_the_owner_changes_the_minimum_seed(factory: Any, actors: Actors) -> None:
    receipt = factory.setMinimumSeed(5, sender=actors.owner)

    assert receipt.events == [factory.MinimumSeedUpdated(previousSeed=MINIMUM_SEED, newSeed=5)]
    assert factory.minimumSeed() == 5
    with ape.reverts("ownable: caller is not the owner"):
        factory.setMinimumSeed(5, sender=actors.oracle)


@pytest.mark.parametrize("seed", [0, 1_000_000 * COIN + 1])
def test_the_minimum_seed_has_bounds(factory: Any, actors: Actors, seed: int) -> None:
    with ape.reverts("factory: minimum seed out of range"):
        factory.setMinimumSeed(seed, sender=actors.owner)


def test_the_parts_are_readable(factory: Any, deployer: Any, metrics: Any, dex: Any) -> None:
    assert factory.largestMinimumSeed() == 1_000_000 * COIN
    assert (factory.deployer(), factory.metricsManager(), factory.exchange()) == (deployer, metrics, dex)


def test_a_fee_recipient_is_required(contracts: Any, deployer: Any, metrics: Any, dex: Any, actors: Actors) -> None:
    with ape.reverts("factory: fee recipient is the zero address"):
        actors.owner.deploy(contracts.CreatorTokenFactory, deployer, metrics, dex, ZERO_ADDRESS, MINIMUM_SEED)


def test_the_owner_hands_the_factory_over(factory: Any, actors: Actors) -> None:
    receipt = factory.transferOwnership(actors.stranger, sender=actors.owner)

    assert receipt.events == [factory.OwnershipTransferred(previous_owner=actors.owner, new_owner=actors.stranger)]


# revenue


REVENUE = 7 * COIN


@pytest.fixture
def hostile_launched(*, contracts: Any, factory: Any, dex: Any, metrics: Any, hostile: Any, actors: Actors) -> Any:
    """The coin of a creator that is a contract; the trader has some."""
    metrics.updateCreatorMetrics(hostile, MIN_STREAMS, MIN_FOLLOWERS, COIN, 0, sender=actors.oracle)
    factory.launchCreatorCoin(hostile, *TEXTS, value=SEED, sender=actors.oracle)
    token = contracts.BalancedCreatorToken.at(factory.coinOf(hostile))
    dex.buyTokens(token, 1, value=COIN // 50, sender=actors.trader)
    return token


@pytest.fixture
def launched(contracts: Any, ready: Any, dex: Any, metrics: Any, actors: Actors) -> Any:
    """A launched coin of a creator who earns enough; the trader holds some."""
    ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)
    token = contracts.BalancedCreatorToken.at(ready.coinOf(actors.creator))
    dex.buyTokens(token, 1, value=COIN // 50, sender=actors.trader)
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, COIN, 0, sender=actors.oracle)
    return token


def test_distributed_revenue_goes_a_tenth_to_holders_and_the_rest_to_the_creator(
    factory: Any, launched: Any, actors: Actors
) -> None:
    receipt = factory.distributeRevenue(actors.creator, value=REVENUE, sender=actors.stranger)

    assert receipt.events == [
        launched.RevenueReceived(distributor=factory, amount=REVENUE // 10),
        factory.RevenueDistributed(
            creator=actors.creator,
            token=launched,
            amount=REVENUE,
            holdersShare=REVENUE // 10,
            creatorShare=REVENUE - REVENUE // 10,
            distributor=actors.stranger,
        ),
    ]
    pass_time(ape.chain, 1)
    assert launched.pendingRevenue(actors.trader) in (REVENUE // 10, REVENUE // 10 - 1)
    assert factory.creatorRevenueDue(actors.creator) == factory.balance == REVENUE - REVENUE // 10


def test_anybody_pays_the_creator_out(factory: Any, launched: Any, actors: Actors) -> None:
    for _ in range(2):
        factory.distributeRevenue(actors.creator, value=REVENUE, sender=actors.stranger)
    due = 2 * (REVENUE - REVENUE // 10)
    before = actors.creator.balance

    receipt = factory.withdrawCreatorRevenue(actors.creator, sender=actors.stranger)

    assert receipt.events == [factory.CreatorRevenueWithdrawn(creator=actors.creator, amount=due)]
    assert actors.creator.balance == before + due
    assert factory.creatorRevenueDue(actors.creator) == factory.balance == 0
    with ape.reverts("factory: no revenue due"):
        factory.withdrawCreatorRevenue(actors.creator, sender=actors.creator)


def test_revenue_backing_needs_a_whole_coin_of_monthly_revenue(
    factory: Any, launched: Any, metrics: Any, actors: Actors
) -> None:
    assert factory.minimumMonthlyRevenue() == COIN
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, COIN - 1, 0, sender=actors.oracle)

    with ape.reverts("factory: Revenue backing not enabled"):
        factory.distributeRevenue(actors.creator, value=REVENUE, sender=actors.creator)


def test_revenue_of_a_creator_without_a_coin_is_not_taken(factory: Any, actors: Actors) -> None:
    with ape.reverts("factory: no coin launched"):
        factory.distributeRevenue(actors.creator, value=REVENUE, sender=actors.creator)
    with ape.reverts("factory: no value sent"):
        factory.distributeRevenue(actors.creator, sender=actors.creator)


def test_revenue_too_small_to_be_shared_is_not_taken(factory: Any, launched: Any, actors: Actors) -> None:
    smallest = 10 * launched.minimumDistribution()
    with ape.reverts("dividends: amount below minimum"):
        factory.distributeRevenue(actors.creator, value=smallest - 10, sender=actors.creator)

    factory.distributeRevenue(actors.creator, value=smallest, sender=actors.creator)


def test_revenue_is_not_taken_while_nobody_holds_the_coin(
    factory: Any, launched: Any, dex: Any, actors: Actors
) -> None:
    launched.transfer(dex, launched.balanceOf(actors.trader), sender=actors.trader)

    with ape.reverts("dividends: nobody to share with"):
        factory.distributeRevenue(actors.creator, value=REVENUE, sender=actors.creator)


@pytest.mark.parametrize("share", [0, 1, 10_000])
def test_the_owner_sets_the_holders_share(factory: Any, launched: Any, actors: Actors, share: int) -> None:
    receipt = factory.setHoldersShare(share, sender=actors.owner)

    assert receipt.events == [factory.HoldersShareUpdated(previousShare=1_000, newShare=share)]
    assert factory.holdersShare() == share
    receipt = factory.distributeRevenue(actors.creator, value=100 * COIN, sender=actors.stranger)
    assert factory.RevenueDistributed.from_receipt(receipt)[0].holdersShare == share * COIN // 100
    assert launched.balance == share * COIN // 100


def test_the_holders_share_has_a_bound_and_an_owner(factory: Any, actors: Actors) -> None:
    with ape.reverts("factory: holders' share above 10000 bps"):
        factory.setHoldersShare(10_001, sender=actors.owner)
    with ape.reverts("ownable: caller is not the owner"):
        factory.setHoldersShare(1, sender=actors.creator)


def test_a_refusing_creator_keeps_nobody_from_revenue(
    factory: Any, hostile_launched: Any, hostile: Any, actors: Actors
) -> None:
    hostile.refuse(True, sender=actors.stranger)
    factory.distributeRevenue(hostile, value=REVENUE, sender=actors.stranger)
    hostile_launched.claimRevenue(sender=actors.trader)

    with ape.reverts("factory: native transfer failed"):
        factory.withdrawCreatorRevenue(hostile, sender=actors.stranger)
    assert factory.creatorRevenueDue(hostile) == REVENUE - REVENUE // 10


def test_a_creator_that_takes_no_coin_is_paid_elsewhere(
    factory: Any, hostile_launched: Any, hostile: Any, actors: Actors
) -> None:
    hostile.refuse(True, sender=actors.stranger)
    factory.distributeRevenue(hostile, value=REVENUE, sender=actors.stranger)
    due = REVENUE - REVENUE // 10
    before = actors.fee_recipient.balance

    with ape.reverts("factory: receiver is the zero address"):
        execute(hostile, factory.withdrawCreatorRevenueTo, ZERO_ADDRESS, sender=actors.stranger)
    with ape.reverts("factory: no revenue due"):
        factory.withdrawCreatorRevenueTo(actors.stranger, sender=actors.stranger)
    receipt = execute(hostile, factory.withdrawCreatorRevenueTo, actors.fee_recipient, sender=actors.stranger)

    assert receipt.events == [factory.CreatorRevenueWithdrawn(creator=hostile, amount=due)]
    assert actors.fee_recipient.balance == before + due
    assert factory.creatorRevenueDue(hostile) == factory.balance == 0


def test_reentrancy_through_a_creators_withdrawal(
    factory: Any, hostile_launched: Any, hostile: Any, actors: Actors
) -> None:
    factory.distributeRevenue(hostile, value=REVENUE, sender=actors.stranger)
    hostile.reenter(factory, factory.withdrawCreatorRevenue.encode_input(hostile), sender=actors.stranger)

    factory.withdrawCreatorRevenue(hostile, sender=actors.stranger)

    assert (hostile.balance, hostile.reentries()) == (REVENUE - REVENUE // 10, 1)
    assert not hostile.reentrySucceeded()
    assert not hostile.reentryGaveReason()  # the lock gives none: nothing else stopped the call
