"""Counting activity: the plausibility filter and the sums per creator, in one statement."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from encore.db import ReadSession
from encore.db.models.accounts import SIGN_IN_SOURCE, Account, CreatorFollow
from encore.db.models.creators import Creator
from encore.db.models.listening import Play, Track, TrackComment, TrackLike, TrackShare
from encore.db.models.oracle import ActivityMetrics
from encore.db.models.revenue import Revenue
from encore.db.types import Uint256, wei_sum
from oracle.metrics import WINDOW, Activity, Metrics, window_start
from oracle.repository.sql import CreatorIds, among, insert_into

MINIMUM_LISTENED_SECONDS: Final = 30
"""What a play must have been listened to, or half of a track that is shorter than twice this."""
MOST_DAILY_PLAYS: Final = 50
"""How many plays of one creator by one listener count a day (UTC)."""
MOST_DAILY_PLAYS_OF_A_TRACK: Final = 10
"""How many plays of one track by one listener do."""
DAY_SECONDS: Final = 86_400
PROBATION: Final = timedelta(days=7)
"""How long an account that signed in here counts for nothing. Those that a log named are older than their row."""


class unix_seconds(GenericFunction[int]):  # noqa: N801 - the name it has in SQL
    """A time as whole seconds since 1970."""

    type = BigInteger()
    inherit_cache = True


@compiles(unix_seconds, "sqlite")
def _unix_seconds_sqlite(element: unix_seconds, compiler: SQLCompiler, **kw: Any) -> str:
    # The fraction is cut off first: strftime would round it.
    return f"CAST(strftime('%s', substr({compiler.process(element.clauses, **kw)}, 1, 19)) AS INTEGER)"


@compiles(unix_seconds, "postgresql")
def _unix_seconds_postgresql(element: unix_seconds, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **kw)})) AS BIGINT)"


async def activity(session: ReadSession, now: datetime, creator_ids: CreatorIds = None) -> dict[int, Activity]:
    """Count the plausible activity of the 30 days up to `now`, per creator id; zeros where there is none."""
    statement = _activity(now, creator_ids)
    return {
        row.creator_id: Activity(
            plays=int(row.plays),
            unique_listeners=int(row.unique_listeners),
            returning_listeners=int(row.returning_listeners),
            heard_seconds=int(row.heard_seconds),
            offered_seconds=int(row.offered_seconds),
            followers=int(row.followers),
            revenue_wei=int(row.revenue_wei),
            likers=int(row.likers),
            commenters=int(row.commenters),
            sharers=int(row.sharers),
        )
        for row in await session.all(statement)
    }


def _activity(now: datetime, creator_ids: CreatorIds) -> Select[Any]:
    per_listener = _per_listener(now, creator_ids)
    listening = _listening(per_listener)
    in_window = {
        table: and_(table.created_at >= window_start(now), table.created_at <= now)
        for table in (TrackComment, TrackShare)
    }
    reactions = {
        "likers": _listeners_of(per_listener, TrackLike, "likers", TrackLike.created_at <= now),
        "commenters": _listeners_of(per_listener, TrackComment, "commenters", in_window[TrackComment]),
        "sharers": _listeners_of(per_listener, TrackShare, "sharers", in_window[TrackShare]),
    }
    followers = (
        select(CreatorFollow.creator_id, func.count().label("followers"))
        .where(among(CreatorFollow.creator_id, creator_ids), CreatorFollow.follower_id.not_in(_newcomers(now)))
        .group_by(CreatorFollow.creator_id)
        .cte("followers")
    )
    revenue = (
        select(Revenue.creator_id, wei_sum(Revenue.amount_wei).label("revenue_wei"))
        .where(Revenue.earned_at >= window_start(now), Revenue.earned_at <= now, among(Revenue.creator_id, creator_ids))
        .group_by(Revenue.creator_id)
        .cte("revenue")
    )
    columns: list[ColumnElement[Any]] = [
        Creator.id.label("creator_id"),
        *(
            func.coalesce(listening.c[name], 0).label(name)
            for name in ("plays", "unique_listeners", "returning_listeners", "heard_seconds", "offered_seconds")
        ),
        func.coalesce(followers.c.followers, 0).label("followers"),
        func.coalesce(revenue.c.revenue_wei, literal(0, Uint256())).label("revenue_wei"),
        *(func.coalesce(counted.c.listeners, 0).label(name) for name, counted in reactions.items()),
    ]
    statement = (
        select(*columns)
        .outerjoin(listening, listening.c.creator_id == Creator.id)
        .outerjoin(followers, followers.c.creator_id == Creator.id)
        .outerjoin(revenue, revenue.c.creator_id == Creator.id)
        .where(among(Creator.id, creator_ids))
    )
    for counted in reactions.values():
        statement = statement.outerjoin(counted, counted.c.creator_id == Creator.id)
    return statement


def _newcomers(now: datetime) -> Select[Any]:
    """Select the accounts that signed in here too short a time ago; they come of age on the hour, as plays leave."""
    return select(Account.id).where(
        Account.source == SIGN_IN_SOURCE, Account.created_at > window_start(now) + WINDOW - PROBATION
    )


def _listeners_of(per_listener: FromClause, table: Any, name: str, condition: ColumnElement[bool]) -> FromClause:
    """Count per creator the listeners who have a row in a table of reactions."""
    return (
        select(table.creator_id, func.count(table.account_id.distinct()).label("listeners"))
        .join(
            per_listener,
            and_(per_listener.c.creator_id == table.creator_id, per_listener.c.listener_id == table.account_id),
        )
        .where(condition)
        .group_by(table.creator_id)
        .cte(name)
    )


def _per_listener(now: datetime, creator_ids: CreatorIds) -> FromClause:
    """Sum up per creator and listener the single plays that are plausible and those that a log had summed up."""
    in_window = and_(
        Play.played_at >= window_start(now),
        Play.played_at <= now,
        among(Play.creator_id, creator_ids),
        Play.listener_id.not_in(_newcomers(now)),
    )
    is_single = and_(Play.play_count == 1, Play.track_id.is_not(None))
    plausible = _plausible_plays(and_(in_window, is_single))
    counted = union_all(
        select(
            plausible.c.creator_id,
            plausible.c.listener_id,
            literal(1).label("plays"),
            plausible.c.heard_seconds,
            plausible.c.offered_seconds,
        ).where(plausible.c.place_in_day <= MOST_DAILY_PLAYS),
        select(Play.creator_id, Play.listener_id, Play.play_count, literal(0), literal(0)).where(
            in_window, or_(Play.play_count > 1, Play.track_id.is_(None))
        ),
    ).cte("counted")
    return (
        select(
            counted.c.creator_id,
            counted.c.listener_id,
            func.sum(counted.c.plays).label("plays"),
            func.sum(counted.c.heard_seconds).label("heard_seconds"),
            func.sum(counted.c.offered_seconds).label("offered_seconds"),
        )
        .group_by(counted.c.creator_id, counted.c.listener_id)
        .cte("per_listener")
    )


def _listening(per_listener: FromClause) -> FromClause:
    """Count plays and listeners per creator."""
    return (
        select(
            per_listener.c.creator_id,
            func.sum(per_listener.c.plays).label("plays"),
            func.count().label("unique_listeners"),
            func.sum(case((per_listener.c.plays > 1, 1), else_=0)).label("returning_listeners"),
            func.sum(per_listener.c.heard_seconds).label("heard_seconds"),
            func.sum(per_listener.c.offered_seconds).label("offered_seconds"),
        )
        .group_by(per_listener.c.creator_id)
        .cte("listening")
    )


def _plausible_plays(condition: ColumnElement[bool]) -> FromClause:
    """Single plays that were listened to, one per listener, track and track length, numbered within their day.

    Of a track only so many a day; the number is that among the listener's plays of the creator.
    """
    moment = unix_seconds(Play.played_at)
    length = func.coalesce(Track.duration_seconds, 0)
    span = case((length > MINIMUM_LISTENED_SECONDS, length), else_=MINIMUM_LISTENED_SECONDS)
    heard = case((Play.listened_seconds < length, Play.listened_seconds), else_=length)
    listened_enough = or_(
        Play.listened_seconds.is_(None),
        Play.listened_seconds >= MINIMUM_LISTENED_SECONDS,
        Play.listened_seconds * 2 >= Track.duration_seconds,
    )
    listened = (
        select(
            Play.id,
            Play.creator_id,
            Play.listener_id,
            Play.track_id,
            moment.label("moment"),
            case((Play.listened_seconds.is_not(None), heard), else_=0).label("heard_seconds"),
            case((Play.listened_seconds.is_not(None), length), else_=0).label("offered_seconds"),
            func.row_number()
            .over(partition_by=(Play.listener_id, Play.track_id, moment // span), order_by=(moment, Play.id))
            .label("copy"),
        )
        .join(Track, Track.id == Play.track_id)
        .where(condition, listened_enough)
        .cte("listened")
    )
    of_track = (
        select(listened, _place_in_day(listened, listened.c.track_id).label("place_of_track"))
        .where(listened.c.copy == 1)
        .cte("of_track")
    )
    return (
        select(
            of_track.c.creator_id,
            of_track.c.listener_id,
            of_track.c.heard_seconds,
            of_track.c.offered_seconds,
            _place_in_day(of_track, of_track.c.creator_id).label("place_in_day"),
        )
        .where(of_track.c.place_of_track <= MOST_DAILY_PLAYS_OF_A_TRACK)
        .cte("plausible")
    )


def _place_in_day(plays: FromClause, of: ColumnElement[int]) -> ColumnElement[int]:
    """Number a listener's plays of something within their day (UTC), from 1."""
    return func.row_number().over(
        partition_by=(of, plays.c.listener_id, plays.c.moment // DAY_SECONDS), order_by=(plays.c.moment, plays.c.id)
    )


async def save_counted(connection: AsyncConnection, counted: Iterable[tuple[int, Metrics, int]], now: datetime) -> None:
    """Store (creator id, metrics, unique listeners) as last counted; rows that did not change stay as they are."""
    rows = [
        {
            "creator_id": creator_id,
            "monthly_streams": metrics.monthly_streams,
            "followers": metrics.followers,
            "monthly_revenue": metrics.monthly_revenue,
            "engagement_score": metrics.engagement_score,
            "unique_listeners": unique_listeners,
            "updated_at": now,
        }
        for creator_id, metrics, unique_listeners in counted
    ]
    if not rows:
        return
    statement = insert_into(connection, ActivityMetrics)
    figures = ("monthly_streams", "followers", "monthly_revenue", "engagement_score", "unique_listeners")
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["creator_id"],
            set_={name: statement.excluded[name] for name in (*figures, "updated_at")},
            where=or_(*(getattr(ActivityMetrics, name) != statement.excluded[name] for name in figures)),
        ),
        rows,
    )
