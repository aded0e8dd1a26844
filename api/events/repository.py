"""SQL of the feed of events, which the indexer appends to."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import BigInteger, Executable, Integer, bindparam, func, select

from encore.db import ReadSession, Row
from encore.db.models.chain import FeedEntry


async def bounds(session: ReadSession) -> tuple[int, int]:
    """Return the ids of the oldest and the newest entry; (0, 0) while there is none."""
    row = await session.first(_bounds())
    return (0, 0) if row is None else (row.oldest, row.newest)


async def entries_after(session: ReadSession, position: int, limit: int) -> Sequence[Row]:
    """Return `limit` entries after the id `position`, the oldest first."""
    return await session.all(_entries_after(), {"position": position, "limit": limit})


@cache
def _bounds() -> Executable:
    oldest = select(func.min(FeedEntry.id)).scalar_subquery()  # two look-ups in the index, where one select scans
    newest = select(func.max(FeedEntry.id)).scalar_subquery()
    return select(func.coalesce(oldest, 0).label("oldest"), func.coalesce(newest, 0).label("newest"))


@cache
def _entries_after() -> Executable:
    return (
        select(*FeedEntry.__table__.columns)
        .where(FeedEntry.id > bindparam("position", type_=BigInteger()))
        .order_by(FeedEntry.id)
        .limit(bindparam("limit", type_=Integer()))
    )
