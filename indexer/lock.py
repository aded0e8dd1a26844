"""One writer per mirror: a lock that a crash releases at once, because the operating system or the server holds it."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import make_url, text

from encore.db import Database
from indexer.errors import AlreadyRunningError

LOCK_KEY: Final = int.from_bytes(b"encore")
"""The advisory lock's number; advisory locks are per PostgreSQL database."""
WAIT_SECONDS: Final = 5.0
"""How long to wait for a writer that is just ending: a killed one's server side may be finishing its statement."""
RETRY_SECONDS: Final = 0.1


@asynccontextmanager
async def writer_lock(database: Database, *, wait_seconds: float = WAIT_SECONDS) -> AsyncIterator[None]:
    """Hold the right to write the mirror; raises `AlreadyRunningError` when another has it and keeps it."""
    attempts = round(wait_seconds / RETRY_SECONDS)
    async with _file_lock(database, attempts) if database.is_sqlite else _advisory_lock(database, attempts):
        yield


@asynccontextmanager
async def _file_lock(database: Database, attempts: int) -> AsyncIterator[None]:
    with _lock_file(database) as descriptor:
        for _ in range(attempts):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                yield
                return
        raise _already_running(database)


@contextmanager
def _lock_file(database: Database) -> Iterator[int]:
    path = Path(f"{make_url(database.url).database}.indexer.lock")
    with path.open("w") as file:
        yield file.fileno()


@asynccontextmanager
async def _advisory_lock(database: Database, attempts: int) -> AsyncIterator[None]:
    """Hold a session's advisory lock on a connection of its own, outside any transaction."""
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for _ in range(attempts):
            if await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}):
                break
            await asyncio.sleep(RETRY_SECONDS)
        else:
            raise _already_running(database)
        try:
            yield
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})


def _already_running(database: Database) -> AlreadyRunningError:
    shown = make_url(database.url).render_as_string(hide_password=True)
    return AlreadyRunningError(f"another indexer is writing to {shown}; stop it first")
