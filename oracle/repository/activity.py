"""Counting activity: the plausibility filter and the sums per creator, in one statement."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from encore.db import ReadSession
from encore.db.models.accounts import CreatorFollow
from encore.db.models.creators import Creator
from encore.db.models.listening import Play, Track
from encore.db.models.oracle import ActivityMetrics
from encore.db.models.revenue import Revenue
from encore.db.types import Uint256, wei_sum
from oracle.metrics import Activity, Metrics, window_start
from oracle.repository.sql import CreatorIds, among, insert_into

MINIMUM_LISTENED_SECONDS: Final = 30
"""What a play must have been listened to, or half of a track that is shorter than twice this."""
MOST_DAILY_PLAYS: Final = 50
"""How many plays of one creator by one listener count a day (UTC)."""
DAY_SECONDS: Final = 86_400


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
        )
        for row in await session.all(statement)
    }


def _activity(now: datetime, creator_ids: CreatorIds) -> Select[Any]:
    listening = _listening(now, creator_ids)
    followers = (
        select(CreatorFollow.creator_id, func.count().label("followers"))
        .where(among(CreatorFollow.creator_id, creator_ids))
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
    ]
    return (
        select(*columns)
        .outerjoin(listening, listening.c.creator_id == Creator.id)
        .outerjoin(followers, followers.c.creator_id == Creator.id)
        .outerjoin(revenue, revenue.c.creator_id == Creator.id)
        .where(among(Creator.id, creator_ids))
    )


def _listening(now: datetime, creator_ids: CreatorIds) -> FromClause:
    """Count plays and listeners per creator, over the single plays that are plausible and the summed-up ones."""
    in_window = and_(Play.played_at >= window_start(now), Play.played_at <= now, among(Play.creator_id, creator_ids))
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
    per_listener = (
        select(
            counted.c.creator_id,
            func.sum(counted.c.plays).label("plays"),
            func.sum(counted.c.heard_seconds).label("heard_seconds"),
            func.sum(counted.c.offered_seconds).label("offered_seconds"),
        )
        .group_by(counted.c.creator_id, counted.c.listener_id)
        .cte("per_listener")
    )
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
    """Single plays that were listened to, one per listener, track and track length, numbered within their day."""
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
    return (
        select(
            listened.c.creator_id,
            listened.c.listener_id,
            listened.c.heard_seconds,
            listened.c.offered_seconds,
            func.row_number()
            .over(
                partition_by=(listened.c.creator_id, listened.c.listener_id, listened.c.moment // DAY_SECONDS),
                order_by=(listened.c.moment, listened.c.id),
            )
            .label("place_in_day"),
        )
        .where(listened.c.copy == 1)
        .cte("plausible")
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
