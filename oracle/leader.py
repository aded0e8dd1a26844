"""One leader among the oracles of a database and chain, by a lock that the death of its process releases at once."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, Protocol

import structlog
from sqlalchemy import func, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.db import Database
from oracle.errors import LeadershipLostError

POLL_SECONDS: Final = 0.5

_log = structlog.get_logger(__name__)


class Leadership(Protocol):
    """The lock."""

    async def try_take(self) -> bool:
        """Take the lock if nobody has it; returns whether it is held now."""

    async def check(self) -> None:
        """Raise `LeadershipLostError` when the lock may be another's by now."""

    async def release(self) -> None:
        """Let the lock go."""


@asynccontextmanager
async def leadership(database: Database, chain_id: int) -> AsyncIterator[Leadership]:
    """Wait for the lock, and hold it while the body runs."""
    lock = _lock(database, chain_id)
    try:
        if not await lock.try_take():
            _log.info("another oracle leads; standing by until it ends")
            while not await lock.try_take():  # noqa: ASYNC110 - another process lets go of it, without a word
                await asyncio.sleep(POLL_SECONDS)
        yield lock
    finally:
        await lock.release()


@asynccontextmanager
async def leadership_if_free(database: Database, chain_id: int) -> AsyncIterator[bool]:
    """Hold the lock while the body runs, where nobody else has it; yields whether it is held."""
    lock = _lock(database, chain_id)
    try:
        yield await lock.try_take()
    finally:
        await lock.release()


def _lock(database: Database, chain_id: int) -> Leadership:
    name = f"oracle-{chain_id}"
    if database.is_sqlite:
        return _FileLock(Path(f"{make_url(database.url).database}.{name}.lock"))
    return _AdvisoryLock(database, int.from_bytes(sha256(name.encode()).digest()[:8], signed=True))


class _FileLock:
    """A file beside the SQLite database; the kernel drops the lock with the process (flock)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    async def try_take(self) -> bool:
        file = self._path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    async def check(self) -> None:
        """Do nothing: it is held for as long as this process lives."""

    async def release(self) -> None:
        if self._file is not None:
            self._file.close()


class _AdvisoryLock:
    """A PostgreSQL advisory lock on a connection of its own; the server drops it with the connection."""

    def __init__(self, database: Database, key: int) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._key = key
        self._connection: AsyncConnection | None = None

    async def try_take(self) -> bool:
        if self._connection is None:
            self._connection = await self._engine.connect()
        return bool(await self._connection.scalar(select(func.pg_try_advisory_lock(self._key))))

    async def check(self) -> None:
        if self._connection is not None:
            try:
                await self._connection.execute(select(1))
            except DBAPIError as error:
                raise LeadershipLostError(
                    "lost the database connection that holds the oracle's lock; start the oracle again"
                ) from error

    async def release(self) -> None:
        if self._connection is not None:
            # Closed rather than given back to the pool, which would keep the lock with it.
            await self._connection.invalidate()
            await self._connection.close()
