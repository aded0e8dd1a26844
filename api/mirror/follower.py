"""The task that knows the newest indexed block, for pages that are kept as long as it stands and for who waits."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.mirror import repository
from api.mirror.service import Tip
from encore.db import Database, ReadSession

SQLITE_POLL_SECONDS: Final = 0.02
POSTGRESQL_POLL_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class TipFollower:
    """Keeps `tip` at the newest indexed block while `run` runs; None before the first, and while nobody can tell."""

    def __init__(self, database: Database, chain_id: int) -> None:
        self._database = database
        self._chain_id = chain_id
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()
        self.tip: Tip | None = None

    async def run(self) -> None:
        """Follow until `close`; while the database is away, say so and try again."""
        while not self._closed.is_set():
            try:
                await self._follow()
            except (SQLAlchemyError, OSError) as error:
                self._set(None)
                _log.warning("the indexed block cannot be read, trying again", reason=str(error).splitlines()[0])
                await self._pause(RETRY_SECONDS)

    def close(self) -> None:
        """End `run` after its statement: one that is cancelled half-way loses its connection."""
        self._closed.set()

    async def reaches(self, number: int, timeout_seconds: float) -> bool:
        """Wait until block `number` is indexed; returns False where it is not within the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not self._has(number):
                    await self._changed.wait()
        return self._has(number)

    def _has(self, number: int) -> bool:
        return self.tip is not None and self.tip.number >= number

    async def _follow(self) -> None:
        async with self._database.read() as session:
            if self._database.is_sqlite:
                await self._look_whenever_it_changed(session)
            while not self._closed.is_set():
                self._set(await self._read(session))
                await self._pause(POSTGRESQL_POLL_SECONDS)

    async def _look_whenever_it_changed(self, session: ReadSession) -> None:
        """Ask SQLite, which tells without reading a table, whether another connection committed."""
        seen: int | None = None
        while not self._closed.is_set():
            version = await session.scalar(text("PRAGMA data_version"))
            if version != seen:
                seen = version
                self._set(await self._read(session))
            await self._pause(SQLITE_POLL_SECONDS)

    async def _read(self, session: ReadSession) -> Tip | None:
        row = await repository.checkpoint(session, self._chain_id)
        return None if row is None else Tip(row.block_number, row.block_hash, row.timestamp)

    def _set(self, tip: Tip | None) -> None:
        if tip != self.tip:
            self.tip = tip
            self._changed.set()
            self._changed.clear()  # who waits was woken, and looks

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
