"""One deliverer among the processes of a database, which outlives it when the database is away for a moment."""

import asyncio
from typing import Final

import structlog

from api.webhooks.dispatcher import DATABASE_AWAY, Dispatcher, wait
from api.webhooks.telemetry import Telemetry
from encore.db import Database
from encore.db.lock import ProcessLock, process_lock
from encore.errors import DatabaseError

LOCK_POLL_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


async def deliver(database: Database, dispatcher: Dispatcher, telemetry: Telemetry, stopping: asyncio.Event) -> None:
    """Deliver until `stopping` is set, or stand by while another process does.

    While the database is away, say so once and try again. The lock is taken anew then: it was lost with its connection.
    """
    while not stopping.is_set():
        lock = process_lock(database, "webhooks")
        try:
            if await _taken(lock, telemetry, stopping):
                await dispatcher.queue()  # so that only who really can deliver says so
                telemetry.leads()
                _log.info("delivering webhooks")
                await dispatcher.run(stopping, lock)
        except (*DATABASE_AWAY, DatabaseError) as error:
            if not telemetry.is_database_away:
                _log.warning("the database is away, trying again", reason=str(error.__cause__ or error).splitlines()[0])
            telemetry.lost_database()
            await wait(stopping, RETRY_SECONDS)
        finally:
            await lock.release()
    await dispatcher.settle()


async def _taken(lock: ProcessLock, telemetry: Telemetry, stopping: asyncio.Event) -> bool:
    """Wait for the lock; returns False where `stopping` is set before."""
    is_told = False
    while not stopping.is_set():
        if await lock.try_take():
            return True
        telemetry.stands_by()
        if not is_told:
            _log.info("another process delivers; standing by until it ends")
            is_told = True
        await wait(stopping, LOCK_POLL_SECONDS)
    return False
