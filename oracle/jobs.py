"""The running oracle: an hourly sync of everybody, a look for what is due every two seconds, and the outbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

import structlog
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import DBAPIError

from encore.db.engine import SQLITE_BUSY_TIMEOUT_MS, sync_url
from encore.db.lock import ProcessLock
from encore.errors import DatabaseError, EncoreError, RpcError, RpcUnavailableError
from oracle.assembly import Oracle
from oracle.changes import Changes
from oracle.repository.sql import CreatorIds

HOURLY_JOB: Final = "hourly-sync"
REMINDER_JOB: Final = "distribution-reminder"
SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    HOURLY_JOB: {"minute": 0},
    REMINDER_JOB: {"day": "25,last", "hour": 12},
}
"""When each persisted job runs, in UTC."""
LOOK_SECONDS: Final = 2.0
OUTBOX_SECONDS: Final = 0.25
IDLE_OUTBOX_SECONDS: Final = 1.0
FIRST_RETRY_SECONDS: Final = 0.5
LONGEST_RETRY_SECONDS: Final = 10.0

_struck: ContextVar[dict[str, asyncio.Event]] = ContextVar("_struck")
"""What persisted jobs set. They are stored by name, so that they can carry nothing of the running oracle with them."""

_log = structlog.get_logger(__name__)


async def strike(job: str) -> None:
    """What every persisted job does: tell the running oracle."""
    _struck.get()[job].set()


class Jobs:
    """Runs one oracle that leads."""

    def __init__(self, oracle: Oracle, leadership: ProcessLock) -> None:
        self._oracle = oracle
        self._leadership = leadership
        self._changes = Changes()
        self._hour = asyncio.Event()
        self._reminder = asyncio.Event()
        self._queued = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; raises the `EncoreError` that ends it."""
        _struck.set({HOURLY_JOB: self._hour, REMINDER_JOB: self._reminder})
        # A restart may have cut an hourly sync short: it is made up for at once.
        self._hour.set()
        try:
            async with _scheduler(self._oracle.database.url), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sync_for_ever())
                tasks.create_task(self._send_for_ever())
        except* EncoreError as group:
            raise group.exceptions[0] from None
        except* (DBAPIError, ConnectionError) as group:
            raise DatabaseError(
                f"lost the database ({group.exceptions[0]}); start the oracle again once it is back"
            ) from None

    async def _sync_for_ever(self) -> None:
        owed: CreatorIds = set()
        hourly_owed = False
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            await self._leadership.check()
            if self._hour.is_set():
                self._hour.clear()
                hourly_owed = True
                async with self._oracle.database.read() as session:
                    await self._changes.start(session)
            else:
                async with self._oracle.database.read() as session:
                    owed = _together(owed, await self._changes.touched(session))
            try:
                if hourly_owed:
                    await self._sync(None, everything=True)
                elif owed is None or owed:
                    await self._sync(owed, everything=False)
                await self._queue_due(hourly=hourly_owed)
                await self._remind()
                owed, hourly_owed = set(), False
            except (RpcError, RpcUnavailableError) as error:
                _log.warning("cannot sync, trying again", reason=str(error), in_seconds=retry_seconds)
                await asyncio.sleep(retry_seconds)
                retry_seconds = min(2 * retry_seconds, LONGEST_RETRY_SECONDS)
            else:
                retry_seconds = FIRST_RETRY_SECONDS
                await _wait(self._hour, LOOK_SECONDS)

    async def _sync(self, creator_ids: CreatorIds, *, everything: bool) -> None:
        synced = await self._oracle.sync.run(creator_ids, everything=everything)
        _log.info("synced", creators=synced.counted, written=synced.written.creators, hourly=everything)
        if synced.written.creators:
            self._queued.set()

    async def _queue_due(self, *, hourly: bool) -> None:
        """Queue the launches and releases whose conditions hold, and every hour the distributions."""
        queued = await self._oracle.launcher.launch_due() + await self._oracle.releaser.release_due()
        if hourly:
            queued += await self._oracle.distributor.distribute_due()
        if queued:
            self._queued.set()

    async def _remind(self) -> None:
        """Say what the next distribution will take, while there is time to fund it."""
        if not self._reminder.is_set():
            return
        outlook = await self._oracle.distributor.outlook()
        balance = await self._oracle.balance()
        tell = _log.info if balance >= outlook.amount else _log.warning
        tell(
            "revenue will be distributed",
            due_at=outlook.due_at.isoformat(),
            creators=outlook.creators,
            wei=outlook.amount,
            balance_wei=balance,
        )
        self._reminder.clear()

    async def _send_for_ever(self) -> None:
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            self._queued.clear()
            try:
                progress = await self._oracle.outbox.run_once()
            except (RpcError, RpcUnavailableError) as error:
                _log.warning("cannot send, trying again", reason=str(error), in_seconds=retry_seconds)
                await asyncio.sleep(retry_seconds)
                retry_seconds = min(2 * retry_seconds, LONGEST_RETRY_SECONDS)
                continue
            retry_seconds = FIRST_RETRY_SECONDS
            if not progress.changed:
                await _wait(self._queued, IDLE_OUTBOX_SECONDS if progress.is_idle else OUTBOX_SECONDS)


@asynccontextmanager
async def _scheduler(database_url: str) -> AsyncIterator[None]:
    """Run the persisted schedule; one that struck while no oracle ran strikes once, late."""
    is_sqlite = database_url.startswith("sqlite")
    store = SQLAlchemyJobStore(
        sync_url(database_url),
        engine_options={"connect_args": {"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000}} if is_sqlite else {},
    )
    scheduler = AsyncIOScheduler(
        jobstores={"default": store},
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        timezone="UTC",
    )
    scheduler.start(paused=True)
    try:
        for job, times in SCHEDULE.items():
            if scheduler.get_job(job) is None:  # replacing it would postpone one that is due
                scheduler.add_job(strike, CronTrigger(**times, timezone="UTC"), args=[job], id=job)
        scheduler.resume()
        yield
    finally:
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # the scheduler only asks the event loop to do it


def _together(some: CreatorIds, more: CreatorIds) -> CreatorIds:
    return None if some is None or more is None else {*some, *more}


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
