"""Notices new activity between hourly jobs, by the growing ids of plays, follows and revenues.

Likes, comments and shares move the score alone, which is no reason to write before the hour.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from encore.db import ReadSession
from encore.db.models.accounts import CreatorFollow
from encore.db.models.listening import Play
from encore.db.models.revenue import Revenue
from oracle.repository.sql import CreatorIds

WATCHED: Final[tuple[Any, ...]] = (Play, CreatorFollow, Revenue)
MOST_SINGLE_CREATORS: Final = 500
"""Beyond this many touched creators, counting all of them is cheaper than naming them."""


@dataclass(slots=True)
class _Mark:
    """Of one table: `rows` rows were seen above the id `floor`, up to `last`, which was `first` at the last start."""

    floor: int
    rows: int
    last: int
    first: int


class Changes:
    """Remembers what was seen, and tells which creators have new activity since.

    Ids are drawn before the commit: while a long import draws and waits, a later row may be seen with a higher id. So
    the rows below the highest id are counted too: more of them than before tells that such a transaction committed.
    Counting starts at a floor that moves up at every hourly job, which counts everything anew anyway.
    """

    def __init__(self) -> None:
        self._marks: dict[Any, _Mark] = {}

    async def start(self, session: ReadSession) -> None:
        """Take everything there is as seen, before it is counted."""
        for table in WATCHED:
            last = await session.scalar(select(func.coalesce(func.max(table.id), 0)))
            known = self._marks.get(table)
            # The floor stays one job behind, for transactions that are still open now.
            floor = known.first if known else last
            rows = await session.scalar(select(func.count()).where(table.id > floor, table.id <= last))
            self._marks[table] = _Mark(floor, rows, last, last)

    async def touched(self, session: ReadSession) -> CreatorIds:
        """Return the creators with activity since the last call: none, some, or None for all."""
        creators: set[int] = set()
        everybody = False
        for table in WATCHED:
            mark = self._marks[table]
            new = await session.all(
                select(table.creator_id, func.count().label("rows"), func.max(table.id).label("last"))
                .where(table.id > mark.last)
                .group_by(table.creator_id)
            )
            last = max((row.last for row in new), default=mark.last)
            rows = await session.scalar(select(func.count()).where(table.id > mark.floor, table.id <= last))
            everybody |= rows > mark.rows + sum(row.rows for row in new)
            creators |= {row.creator_id for row in new}
            mark.rows, mark.last = rows, last
        return None if everybody or len(creators) > MOST_SINGLE_CREATORS else creators
