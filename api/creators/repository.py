"""SQL of creators and their metrics."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from api.creators.schemas import CreatorSort
from api.pagination import Column, Window, after, before
from encore.db import ReadSession
from encore.db.models.chain import CreatorMetrics, Launch, LaunchRequirements, Milestone
from encore.db.models.creators import Creator
from encore.db.models.oracle import ActivityMetrics

_STREAMS = func.coalesce(ActivityMetrics.monthly_streams, 0)


async def creators(
    session: ReadSession, window: Window, *, sort: CreatorSort, search: str | None, has_coin: bool | None
) -> Sequence[Row[Any]]:
    """Return creators by slug, by streams and id descending, or by id descending."""
    statement = _creators().limit(window.limit)
    if search is not None:
        statement = statement.where(
            or_(Creator.name.icontains(search, autoescape=True), Creator.wallet == search.lower())
        )
    if has_coin is not None:
        statement = statement.where(Launch.token.is_not(None) if has_coin else Launch.token.is_(None))
    order: tuple[Column, ...]
    if sort is CreatorSort.NAME:
        order = (Creator.slug,)
        statement = statement.order_by(*order)
        return await session.all(statement if window.key is None else statement.where(after(order, window.key)))
    order = (Creator.id,) if sort is CreatorSort.CREATED else (_STREAMS, Creator.id)
    statement = statement.order_by(*(column.desc() for column in order))
    return await session.all(statement if window.key is None else statement.where(before(order, window.key)))


async def creator(session: ReadSession, creator_id: int) -> Row[Any] | None:
    """Return one creator."""
    return await session.first(_creators().where(Creator.id == creator_id))


async def off_chain(session: ReadSession, creator_id: int) -> Row[Any] | None:
    """Return what the oracle last counted."""
    return await session.first(
        select(*ActivityMetrics.__table__.columns).where(ActivityMetrics.creator_id == creator_id)
    )


async def on_chain(session: ReadSession, wallet: str) -> Row[Any] | None:
    """Return what the metrics contract holds."""
    return await session.first(select(*CreatorMetrics.__table__.columns).where(CreatorMetrics.creator == wallet))


async def milestones(session: ReadSession, wallet: str) -> Sequence[Row[Any]]:
    """Return the milestones reached, the smallest first."""
    return await session.all(
        select(*Milestone.__table__.columns).where(Milestone.creator == wallet).order_by(Milestone.threshold)
    )


async def requirements(session: ReadSession) -> Row[Any] | None:
    """Return what the metrics contract demands before a launch; None before it was indexed."""
    return await session.first(select(*LaunchRequirements.__table__.columns))


def _creators() -> Select[Any]:
    return (
        select(
            *Creator.__table__.columns,
            Launch.token,
            ActivityMetrics.monthly_streams,
            ActivityMetrics.followers,
            _STREAMS.label("streams_key"),
        )
        .outerjoin(Launch, Launch.creator == Creator.wallet)
        .outerjoin(ActivityMetrics, ActivityMetrics.creator_id == Creator.id)
    )
