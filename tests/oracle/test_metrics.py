"""The formulas: worked examples and what must hold for any activity."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encore import PROJECT_ROOT
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
        likers=draw(st.integers(0, listeners)),
        commenters=draw(st.integers(0, listeners)),
        sharers=draw(st.integers(0, listeners)),
    )


def worked_examples() -> list[list[str]]:
    """Return the cells of the table of worked examples in the documentation."""
    page = (PROJECT_ROOT / "docs" / "oracle-metrics.md").read_text()
    table = page.split("| listeners | returning |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


@pytest.mark.parametrize("cells", worked_examples(), ids=lambda cells: cells[-1])
def test_scores_are_those_of_the_worked_examples(cells: list[str]) -> None:
    listeners, returning, seconds, likers, commenters, sharers, shares, score = cells
    heard, offered = seconds.split(" / ")
    activity = Activity(
        plays=int(listeners) * 2,
        unique_listeners=int(listeners),
        returning_listeners=int(returning),
        heard_seconds=int(heard),
        offered_seconds=int(offered),
        followers=500,
        revenue_wei=0,
        likers=int(likers),
        commenters=int(commenters),
        sharers=int(sharers),
    )
    assert engagement_score(activity) == int(score)
    weighted = [(w, int(s)) for w, s in zip((30, 30, 20, 10, 5, 5), shares.split(), strict=True) if s != "-"]
    assert sum(w * s for w, s in weighted) // sum(w for w, _ in weighted) == int(score)


@given(activities())
def test_a_score_is_between_nothing_and_all(activity: Activity) -> None:
    assert 0 <= engagement_score(activity) <= 10_000


@given(activities(), st.integers(1, 10**6))
def test_more_reactions_or_returning_listeners_never_lower_the_score(activity: Activity, more: int) -> None:
    score = engagement_score(activity)
    for name in ("likers", "commenters", "sharers"):
        assert engagement_score(replace(activity, **{name: getattr(activity, name) + more})) >= score
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
