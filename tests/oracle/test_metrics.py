"""The formulas: worked examples and what must hold for any activity."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.metrics import Activity, Metrics, engagement_score, metrics_of, window_start
from oracle.milestones import MILESTONES, crosses_milestone

counts = st.integers(0, 10**9)


@st.composite
def activities(draw: st.DrawFn) -> Activity:
    listeners = draw(counts)
    offered = draw(counts)
    return Activity(
        plays=draw(st.integers(listeners, 10**12)),
        unique_listeners=listeners,
        returning_listeners=draw(st.integers(0, listeners)),
        heard_seconds=draw(st.integers(0, offered)),
        offered_seconds=offered,
        followers=draw(counts),
        revenue_wei=draw(st.integers(0, 2**256 - 1)),
    )


@pytest.mark.parametrize(
    ("activity", "score"),
    [
        # nobody listens: no engagement, however many follow
        (Activity(0, 0, 0, 0, 0, 500, 0), 0),
        # completion 7 500, returning 4 000, following 2 500, reach 5 000
        (Activity(9_000, 1_000, 400, 9_000, 12_000, 250, 0), 4_950),
        # the same without a known completion: (30 * 4 000 + 20 * 2 500 + 20 * 5 000) / 70
        (Activity(9_000, 1_000, 400, 0, 0, 250, 0), 3_857),
        # one listener who played once and skipped: reach 9
        (Activity(1, 1, 0, 0, 200, 0, 0), 1),
        # everything at its best but reach, which only nears its most: 9 900
        (Activity(10**6, 99_000, 99_000, 10, 10, 99_000, 0), 9_980),
    ],
)
def test_scores_are_those_of_the_worked_examples(activity: Activity, score: int) -> None:
    assert engagement_score(activity) == score


@given(activities())
def test_a_score_is_between_nothing_and_all(activity: Activity) -> None:
    assert 0 <= engagement_score(activity) <= 10_000


@given(activities(), st.integers(1, 10**6))
def test_more_followers_or_returning_listeners_never_lower_the_score(activity: Activity, more: int) -> None:
    score = engagement_score(activity)
    assert engagement_score(replace(activity, followers=activity.followers + more)) >= score
    returning = min(activity.returning_listeners + more, activity.unique_listeners)
    assert engagement_score(replace(activity, returning_listeners=returning)) >= score


@given(activities())
def test_plays_followers_and_revenue_go_on_chain_as_they_are(activity: Activity) -> None:
    assert metrics_of(activity) == Metrics(
        activity.plays, activity.followers, activity.revenue_wei, engagement_score(activity)
    )


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds of naive draws
def test_the_window_is_thirty_days_and_moves_on_the_hour(now: datetime) -> None:
    start = window_start(now)
    assert timedelta(days=30) <= now - start < timedelta(days=30, hours=1)
    assert window_start(start + timedelta(days=30)) == start


@given(counts, counts)
def test_a_milestone_is_crossed_upwards_only(before: int, after: int) -> None:
    passed = sum(milestone <= after for milestone in MILESTONES) - sum(milestone <= before for milestone in MILESTONES)
    assert crosses_milestone(before, after) == (passed > 0)
