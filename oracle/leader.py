"""One leader among the oracles of a database and chain."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from encore.db import Database
from encore.db.lock import ProcessLock, process_lock

POLL_SECONDS: Final = 0.5

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def leadership(database: Database, chain_id: int) -> AsyncIterator[ProcessLock]:
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


def _lock(database: Database, chain_id: int) -> ProcessLock:
    return process_lock(database, f"oracle-{chain_id}")
