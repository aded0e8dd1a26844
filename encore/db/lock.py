"""A lock between processes on one database, which the death of its holder releases at once."""

import fcntl
from hashlib import sha256
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import func, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.db.engine import Database
from encore.errors import DatabaseError


class ProcessLock(Protocol):
    """A named lock; one process at a time holds it."""

    async def try_take(self) -> bool:
        """Take the lock if nobody has it; returns whether it is held now."""

    async def check(self) -> None:
        """Raise `DatabaseError` when the lock may be another's by now."""

    async def release(self) -> None:
        """Let the lock go; does nothing where it is not held."""


def process_lock(database: Database, name: str) -> ProcessLock:
    """Return the lock called `name` of this database: a file beside SQLite's, an advisory lock on PostgreSQL."""
    if database.is_sqlite:
        return _FileLock(Path(f"{make_url(database.url).database}.{name}.lock"))
    return _AdvisoryLock(database, name)


class _FileLock:
    """The kernel drops the lock with the process (flock)."""

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
    """The server drops the lock with the connection, which is the lock's own."""

    def __init__(self, database: Database, name: str) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._name = name
        self._key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
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
                raise DatabaseError(
                    f"lost the database connection that holds the lock {self._name!r}; start this process again"
                ) from error

    async def release(self) -> None:
        if self._connection is not None:
            # Closed rather than given back to the pool, which would keep the lock with it.
            await self._connection.invalidate()
            await self._connection.close()
