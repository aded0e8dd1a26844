"""C8, CreatorMetricsManager: who reports, what is refused, milestones, and who may launch."""

from typing import Any

import ape
import pytest

from tests.contracts.conftest import COIN, MAX_METRICS_AGE, MIN_FOLLOWERS, MIN_STREAMS, ZERO_ADDRESS, Actors

MILESTONES = (1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)


def report(metrics: Any, actors: Actors, streams: int = MIN_STREAMS, followers: int = MIN_FOLLOWERS) -> Any:
    return metrics.updateCreatorMetrics(actors.creator, streams, followers, COIN, 7_500, sender=actors.oracle)


def test_an_oracle_reports_a_creators_figures(metrics: Any, actors: Actors) -> None:
    receipt = report(metrics, actors, streams=999)

    assert receipt.events == [
        metrics.CreatorMetricsUpdated(
            creator=actors.creator,
            monthlyStreams=999,
            followers=MIN_FOLLOWERS,
            monthlyRevenue=COIN,
            engagementScore=7_500,
            observedAt=receipt.timestamp,
            oracle=actors.oracle,
        )
    ]
    assert tuple(metrics.creatorMetrics(actors.creator)) == (999, MIN_FOLLOWERS, COIN, 7_500, receipt.timestamp)


def test_a_report_may_be_of_an_earlier_time(chain: Any, metrics: Any, actors: Actors) -> None:
    observed = chain.pending_timestamp - 3_600

    metrics.updateCreatorMetrics(actors.creator, 1, 2, 3, 4, observed, sender=actors.oracle)

    assert metrics.creatorMetrics(actors.creator).observedAt == observed


def test_a_report_of_the_same_time_corrects_the_stored_one(chain: Any, metrics: Any, actors: Actors) -> None:
    observed = chain.pending_timestamp - 3_600
    metrics.updateCreatorMetrics(actors.creator, 1, 2, 3, 4, observed, sender=actors.oracle)

    metrics.updateCreatorMetrics(actors.creator, 5, 6, 7, 8, observed, sender=actors.oracle)

    assert tuple(metrics.creatorMetrics(actors.creator)) == (5, 6, 7, 8, observed)


def test_nobody_but_an_oracle_reports(metrics: Any, actors: Actors) -> None:
    for account in (actors.owner, actors.creator, actors.stranger):
        with ape.reverts("metrics: caller is not an oracle"):
            metrics.updateCreatorMetrics(actors.creator, 1, 1, 1, 1, sender=account)
        with ape.reverts("metrics: caller is not an oracle"):
            metrics.updateCreatorMetricsBatch([], sender=account)


def test_an_update_from_the_future_is_refused(chain: Any, metrics: Any, actors: Actors) -> None:
    with ape.reverts("metrics: observed in the future"):
        metrics.updateCreatorMetrics(actors.creator, 1, 1, 1, 1, chain.pending_timestamp + 3_600, sender=actors.oracle)


def test_a_score_above_ten_thousand_is_refused(metrics: Any, actors: Actors) -> None:
    metrics.updateCreatorMetrics(actors.creator, 1, 1, 1, 10_000, sender=actors.oracle)
    with ape.reverts("metrics: score above 10000 bps"):
        metrics.updateCreatorMetrics(actors.creator, 1, 1, 1, 10_001, sender=actors.oracle)


def test_the_zero_address_has_no_figures(metrics: Any, actors: Actors) -> None:
    with ape.reverts("metrics: creator is the zero address"):
        metrics.updateCreatorMetrics(ZERO_ADDRESS, 1, 1, 1, 1, sender=actors.oracle)


def test_a_batch_reports_many_creators_at_once(chain: Any, metrics: Any, actors: Actors) -> None:
    observed = chain.pending_timestamp - 60
    creators = [f"0x{index:040x}" for index in range(1, 51)]
    updates = [(creator, 100 + index, index, index, index, observed) for index, creator in enumerate(creators)]

    receipt = metrics.updateCreatorMetricsBatch(updates, sender=actors.oracle)

    assert len(receipt.events) == 50
    assert tuple(metrics.creatorMetrics(creators[49])) == (149, 49, 49, 49, observed)


def test_an_empty_batch_reports_nothing(metrics: Any, actors: Actors) -> None:
    assert metrics.updateCreatorMetricsBatch([], sender=actors.oracle).events == []
    with ape.reverts("metrics: caller is not an oracle"):
        metrics.updateCreatorMetricsBatch([], sender=actors.stranger)


def test_one_bad_entry_refuses_the_whole_batch(chain: Any, metrics: Any, actors: Actors) -> None:
    now = chain.pending_timestamp - 60
    with ape.reverts("metrics: score above 10000 bps"):
        metrics.updateCreatorMetricsBatch(
            [(actors.creator, 1, 1, 1, 1, now), (actors.trader, 1, 1, 1, 10_001, now)], sender=actors.oracle
        )

    assert metrics.creatorMetrics(actors.creator).observedAt == 0


def test_a_batch_holds_at_most_fifty(chain: Any, metrics: Any, actors: Actors) -> None:
    updates = [(actors.creator, 1, 1, 1, 1, chain.pending_timestamp - 60)] * 51
    with ape.reverts():
        metrics.updateCreatorMetricsBatch(updates, sender=actors.oracle)


def test_each_milestone_is_reached_once(metrics: Any, actors: Actors) -> None:
    first = report(metrics, actors, streams=12_000)
    again = report(metrics, actors, streams=19_999)
    fallen = report(metrics, actors, streams=10)
    risen = report(metrics, actors, streams=20_000)

    def milestones(receipt: Any) -> list[int]:
        return [event.milestone for event in metrics.MilestoneReached.from_receipt(receipt)]

    assert milestones(first) == [1_000, 5_000, 10_000]
    assert milestones(again) == milestones(fallen) == []
    assert milestones(risen) == [20_000]
    assert first.events[1] == metrics.MilestoneReached(creator=actors.creator, milestone=1_000, monthlyStreams=12_000)


def test_all_milestones_can_be_reached_at_once_and_stay_reached(metrics: Any, actors: Actors) -> None:
    assert not any(metrics.milestoneReached(actors.creator, milestone) for milestone in MILESTONES)
    receipt = report(metrics, actors, streams=1_000_000)
    report(metrics, actors, streams=0)

    assert [event.milestone for event in metrics.MilestoneReached.from_receipt(receipt)] == list(MILESTONES)
    assert all(metrics.milestoneReached(actors.creator, milestone) for milestone in MILESTONES)


def test_an_unknown_milestone_is_an_error(metrics: Any, actors: Actors) -> None:
    with ape.reverts("metrics: unknown milestone"):
        metrics.milestoneReached(actors.creator, 1_001)


@pytest.mark.parametrize(
    ("streams", "followers", "allowed"),
    [
        (MIN_STREAMS, MIN_FOLLOWERS, True),
        (MIN_STREAMS - 1, MIN_FOLLOWERS, False),
        (MIN_STREAMS, MIN_FOLLOWERS - 1, False),
    ],
)
def test_enough_streams_and_followers_allow_a_launch(
    metrics: Any, actors: Actors, *, streams: int, followers: int, allowed: bool
) -> None:
    report(metrics, actors, streams, followers)

    assert metrics.meetsLaunchRequirements(actors.creator) is allowed


def test_old_figures_do_not_allow_a_launch(chain: Any, metrics: Any, actors: Actors) -> None:
    observed = report(metrics, actors).timestamp
    chain.mine(timestamp=observed + MAX_METRICS_AGE)
    assert metrics.meetsLaunchRequirements(actors.creator)
    chain.mine(timestamp=observed + MAX_METRICS_AGE + 1)

    assert not metrics.meetsLaunchRequirements(actors.creator)


def test_a_creator_never_reported_may_not_launch_even_without_requirements(metrics: Any, actors: Actors) -> None:
    metrics.setLaunchRequirements(0, 0, 90 * 86_400, sender=actors.owner)

    assert not metrics.meetsLaunchRequirements(actors.creator)


def test_the_owner_changes_the_requirements(metrics: Any, actors: Actors) -> None:
    report(metrics, actors, streams=10, followers=2)
    receipt = metrics.setLaunchRequirements(10, 2, 3_600, sender=actors.owner)

    assert receipt.events == [
        metrics.LaunchRequirementsUpdated(minMonthlyStreams=10, minFollowers=2, maxMetricsAge=3_600)
    ]
    assert tuple(metrics.launchRequirements()) == (10, 2, 3_600)
    assert metrics.meetsLaunchRequirements(actors.creator)
    with ape.reverts("ownable: caller is not the owner"):
        metrics.setLaunchRequirements(1, 1, 3_600, sender=actors.oracle)


@pytest.mark.parametrize("age", [3_599, 90 * 86_400 + 1])
def test_the_maximum_age_has_bounds(metrics: Any, actors: Actors, age: int) -> None:
    with ape.reverts("metrics: maximum age out of range"):
        metrics.setLaunchRequirements(1, 1, age, sender=actors.owner)


def test_the_owner_authorises_and_withdraws_oracles(metrics: Any, actors: Actors) -> None:
    receipt = metrics.setOracle(actors.oracle, False, sender=actors.owner)

    assert receipt.events == [metrics.OracleAuthorisationChanged(oracle=actors.oracle, authorised=False)]
    assert not metrics.isOracle(actors.oracle)
    with ape.reverts("metrics: caller is not an oracle"):
        report(metrics, actors)
    with ape.reverts("ownable: caller is not the owner"):
        metrics.setOracle(actors.stranger, True, sender=actors.stranger)
    with ape.reverts("metrics: oracle is the zero address"):
        metrics.setOracle(ZERO_ADDRESS, True, sender=actors.owner)


def test_deployment_logs_carry_requirements_and_quorum(metrics: Any, actors: Actors) -> None:
    assert metrics.creation_metadata.receipt.events == [
        metrics.OwnershipTransferred(previous_owner=ZERO_ADDRESS, new_owner=actors.owner),
        metrics.QuorumUpdated(previousQuorum=0, newQuorum=1),
        metrics.EpochLengthUpdated(previousLength=0, newLength=3_600),
        metrics.LaunchRequirementsUpdated(
            minMonthlyStreams=MIN_STREAMS, minFollowers=MIN_FOLLOWERS, maxMetricsAge=MAX_METRICS_AGE
        ),
    ]


def test_the_owner_hands_the_metrics_over(metrics: Any, actors: Actors) -> None:
    receipt = metrics.transferOwnership(actors.stranger, sender=actors.owner)

    assert receipt.events == [metrics.OwnershipTransferred(previous_owner=actors.owner, new_owner=actors.stranger)]
    metrics.setOracle(actors.trader, True, sender=actors.stranger)
