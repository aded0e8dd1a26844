"""C4: release of supply on growth, as BalancedCreatorToken composes the module, and attacks on it."""

from typing import Any

import ape
import pytest

from tests.contracts.balanced import LAUNCH_STREAMS, MAXIMUM_SUPPLY, deploy_coin, report_streams
from tests.contracts.conftest import COIN, ZERO_ADDRESS, Actors
from tests.contracts.voting import delegate, pass_time

DAY = 86_400
INTERVAL = 30 * DAY
PORTION = 2_000_000 * COIN


@pytest.fixture
def coin(contracts: Any, metrics: Any, dex: Any, actors: Actors) -> Any:
    """A token launched at 60 000 monthly streams."""
    report_streams(metrics, actors, LAUNCH_STREAMS)
    return deploy_coin(contracts, actors, metrics=metrics, exchange=dex)


@pytest.fixture
def grown(chain: Any, coin: Any, metrics: Any, actors: Actors) -> Any:
    """The same 30 days later with half as many streams again."""
    pass_time(chain, INTERVAL)
    report_streams(metrics, actors, LAUNCH_STREAMS * 3 // 2)
    return coin


def test_c4_growth_releases_a_fiftieth_of_the_maximum_supply_to_the_creator(grown: Any, actors: Actors) -> None:
    before = grown.totalSupply()

    receipt = grown.release(sender=actors.stranger)

    assert receipt.events == [
        grown.TokensReleased(creator=actors.creator, amount=PORTION, triggerGrowthBps=5_000),
        grown.Transfer(sender=ZERO_ADDRESS, receiver=actors.creator, value=PORTION),
    ]
    assert grown.balanceOf(actors.creator) == PORTION == MAXIMUM_SUPPLY // 50
    assert grown.totalSupply() == before + PORTION
    assert grown.releasedSupply() == PORTION
    assert grown.lastReleaseAt() == receipt.timestamp
    assert grown.releaseHighWaterMark() == LAUNCH_STREAMS * 3 // 2


def test_the_terms_are_readable(coin: Any) -> None:
    assert coin.releaseReserve() == 70_000_000 * COIN
    assert coin.releasePortion() == PORTION
    assert (coin.releaseInterval(), coin.minimumReleaseGrowth()) == (INTERVAL, 2_000)
    assert coin.releaseMetricsMaximumAge() == 7 * DAY
    assert coin.releaseHighWaterMark() == LAUNCH_STREAMS
    assert coin.releasedSupply() == 0


def test_released_coins_have_votes_and_revenue_from_then_on(chain: Any, grown: Any, actors: Actors) -> None:
    delegate(grown, actors.creator, sender=actors.creator)
    grown.distribute(value=COIN, sender=actors.owner)

    grown.release(sender=actors.stranger)

    assert grown.getVotes(actors.creator) == PORTION
    assert grown.pendingRevenue(actors.creator) == 0
    grown.distribute(value=COIN, sender=actors.owner)
    pass_time(chain, 1)
    assert grown.pendingRevenue(actors.creator) > 0


def test_at_most_one_release_in_thirty_days(chain: Any, coin: Any, metrics: Any, actors: Actors) -> None:
    pass_time(chain, 29 * DAY)
    report_streams(metrics, actors, 2 * LAUNCH_STREAMS)
    with ape.reverts("release: too soon"):
        coin.release(sender=actors.creator)
    pass_time(chain, DAY)
    coin.release(sender=actors.creator)

    pass_time(chain, INTERVAL - 2 * DAY)
    report_streams(metrics, actors, 4 * LAUNCH_STREAMS)
    with ape.reverts("release: too soon"):
        coin.release(sender=actors.creator)
    pass_time(chain, 2 * DAY)
    coin.release(sender=actors.creator)

    assert coin.releasedSupply() == 2 * PORTION


def test_growth_below_a_fifth_releases_nothing(chain: Any, coin: Any, metrics: Any, actors: Actors) -> None:
    pass_time(chain, INTERVAL)
    report_streams(metrics, actors, LAUNCH_STREAMS * 12 // 10 - 1)
    with ape.reverts("release: growth below 2000 bps"):
        coin.release(sender=actors.creator)

    report_streams(metrics, actors, LAUNCH_STREAMS * 12 // 10)
    receipt = coin.release(sender=actors.creator)

    assert coin.TokensReleased.from_receipt(receipt)[0].triggerGrowthBps == 2_000


def test_old_metrics_release_nothing(chain: Any, grown: Any, metrics: Any, actors: Actors) -> None:
    pass_time(chain, 7 * DAY + 1)
    with ape.reverts("release: metrics too old"):
        grown.release(sender=actors.creator)

    report_streams(metrics, actors, 2 * LAUNCH_STREAMS)
    grown.release(sender=actors.creator)


def test_all_releases_together_give_seventy_million_coins(chain: Any, coin: Any, metrics: Any, actors: Actors) -> None:
    streams = LAUNCH_STREAMS
    for _ in range(35):
        pass_time(chain, INTERVAL)
        streams = streams * 12 // 10 + 1
        report_streams(metrics, actors, streams)
        coin.release(sender=actors.stranger)
    assert coin.releasedSupply() == coin.releaseReserve() == coin.balanceOf(actors.creator)
    pass_time(chain, INTERVAL)
    report_streams(metrics, actors, 2 * streams)

    with ape.reverts("release: nothing left"):
        coin.release(sender=actors.stranger)


def test_a_creator_without_figures_starts_at_a_thousand_streams(
    chain: Any, contracts: Any, metrics: Any, dex: Any, actors: Actors
) -> None:
    coin = deploy_coin(contracts, actors, metrics=metrics, exchange=dex)
    assert coin.releaseHighWaterMark() == 1_000
    pass_time(chain, INTERVAL)
    with ape.reverts("release: metrics too old"):
        coin.release(sender=actors.creator)
    report_streams(metrics, actors, 1_199)
    with ape.reverts("release: growth below 2000 bps"):
        coin.release(sender=actors.creator)


# attacks


def test_release_pumping_by_swinging_metrics(chain: Any, grown: Any, metrics: Any, actors: Actors) -> None:
    grown.release(sender=actors.creator)

    for _ in range(3):
        pass_time(chain, INTERVAL)
        report_streams(metrics, actors, LAUNCH_STREAMS // 10)
        with ape.reverts("release: growth below 2000 bps"):
            grown.release(sender=actors.creator)
        report_streams(metrics, actors, LAUNCH_STREAMS * 3 // 2)  # fifteen times as much, and no more than before
        with ape.reverts("release: growth below 2000 bps"):
            grown.release(sender=actors.creator)

    assert grown.releasedSupply() == PORTION


def test_a_lying_oracle_gets_one_portion_and_no_second(chain: Any, grown: Any, metrics: Any, actors: Actors) -> None:
    report_streams(metrics, actors, 2**256 - 1)
    receipt = grown.release(sender=actors.creator)
    assert grown.TokensReleased.from_receipt(receipt)[0].amount == PORTION

    pass_time(chain, INTERVAL)
    report_streams(metrics, actors, 2**256 - 1)
    with ape.reverts("release: growth below 2000 bps"):
        grown.release(sender=actors.creator)


def test_another_creators_growth_releases_nothing(chain: Any, coin: Any, metrics: Any, actors: Actors) -> None:
    pass_time(chain, INTERVAL)
    metrics.updateCreatorMetrics(actors.stranger, 10 * LAUNCH_STREAMS, 6_000, 0, 0, sender=actors.oracle)
    report_streams(metrics, actors, LAUNCH_STREAMS)

    with ape.reverts("release: growth below 2000 bps"):
        coin.release(sender=actors.stranger)


def test_one_lie_of_growth_without_bound_releases_once_and_then_never(
    chain: Any, coin: Any, metrics: Any, actors: Actors
) -> None:
    """What a quorum is for: the mark stands where the lie put it, so that figures that swing release nothing twice."""
    pass_time(chain, INTERVAL)
    report_streams(metrics, actors, 10**15)
    coin.release(sender=actors.stranger)

    pass_time(chain, INTERVAL)
    report_streams(metrics, actors, 100 * LAUNCH_STREAMS)

    with ape.reverts("release: growth below 2000 bps"):
        coin.release(sender=actors.stranger)
    assert (coin.releasedSupply(), coin.releaseHighWaterMark()) == (PORTION, 10**15)
