"""A creator's metrics from what listeners did: pure functions over counts, in integers, so that anyone can check them.

docs/oracle-metrics.md has the formulas and worked examples, which a test recomputes; the plausibility filter,
which decides what is counted, is the query in `oracle.repository`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(days=30)

FULL_SCORE_BPS: Final = 10_000
HALF_REACH_LISTENERS: Final = 1_000
"""How many listeners give half of the points for reach."""
COMPLETION_WEIGHT: Final = 30
RETURNING_WEIGHT: Final = 30
REACH_WEIGHT: Final = 20
LIKES_WEIGHT: Final = 10
COMMENTS_WEIGHT: Final = 5
SHARES_WEIGHT: Final = 5
RARE_FACTOR: Final = 10
"""Comments and shares are rarer than likes: one listener in so many gives all of their points."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What counts of a creator's last 30 days.

    `returning_listeners` played more than once. `heard_seconds` of `offered_seconds` were listened to, over the plays
    of which both the listened time and the track's length are known. `likers` are listeners who like a track,
    `commenters` and `sharers` those who commented on one or passed one on; each is counted once.
    """

    plays: int
    unique_listeners: int
    returning_listeners: int
    heard_seconds: int
    offered_seconds: int
    followers: int
    revenue_wei: int
    likers: int = 0
    commenters: int = 0
    sharers: int = 0


@dataclass(frozen=True, slots=True)
class Metrics:
    """The four figures that go on chain: counts, wei, and 0 to 10 000 bps for the score."""

    monthly_streams: int
    followers: int
    monthly_revenue: int
    engagement_score: int


def window_start(now: datetime) -> datetime:
    """Return when the window that ends `now` begins: 30 days before the start of this hour.

    Plays leave the window on the hour, when the hourly job writes. In between figures change by new activity alone,
    so that what was written stays equal to what is counted.
    """
    return now.replace(minute=0, second=0, microsecond=0) - WINDOW


def metrics_of(activity: Activity) -> Metrics:
    """Return the figures that stand for `activity`."""
    return Metrics(activity.plays, activity.followers, activity.revenue_wei, engagement_score(activity))


def engagement_score(activity: Activity) -> int:
    """Return how engaged listeners are, in bps: the weighted mean of four shares, each 0 to 10 000, rounded down.

    - completion (weight 30): heard seconds of offered seconds; left out where no play tells
    - returning (30): listeners who played more than once, of all listeners
    - reach (20): listeners / (listeners + 1 000)
    - likes (10): likers per listener
    - comments (5) and shares (5): ten times the commenters and sharers per listener, at most all
    """
    listeners = activity.unique_listeners
    if listeners == 0:
        return 0
    parts = [
        (RETURNING_WEIGHT, _share(activity.returning_listeners, listeners)),
        (REACH_WEIGHT, _share(listeners, listeners + HALF_REACH_LISTENERS)),
        (LIKES_WEIGHT, _share(activity.likers, listeners)),
        (COMMENTS_WEIGHT, _share(RARE_FACTOR * activity.commenters, listeners)),
        (SHARES_WEIGHT, _share(RARE_FACTOR * activity.sharers, listeners)),
    ]
    if activity.offered_seconds:
        parts.append((COMPLETION_WEIGHT, _share(activity.heard_seconds, activity.offered_seconds)))
    return sum(weight * share for weight, share in parts) // sum(weight for weight, _ in parts)


def _share(part: int, whole: int) -> int:
    return min(part * FULL_SCORE_BPS // whole, FULL_SCORE_BPS)
