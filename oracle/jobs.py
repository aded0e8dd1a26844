"""The running oracle: an hourly sync of everybody, a look for what is due every two seconds, and the outbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

import structlog
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import DBAPIError

from encore.db.engine import SQLITE_BUSY_TIMEOUT_MS, sync_url
from encore.db.lock import ProcessLock
from encore.errors import DatabaseError, EncoreError, RpcError, RpcUnavailableError
from oracle.assembly import Oracle, observe
from oracle.changes import Changes
from oracle.gas import GasOutlook
from oracle.notice import Notice
from oracle.publisher import METRICS_KIND
from oracle.quorum import Moment
from oracle.repository.sql import CreatorIds
from oracle.repository.state import State
from oracle.telemetry import Telemetry

HOURLY_JOB: Final = "hourly-sync"
REMINDER_JOB: Final = "distribution-reminder"
SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    HOURLY_JOB: {"minute": 0},
    REMINDER_JOB: {"day": "25,last", "hour": 12},
}
"""When each persisted job runs, in UTC."""
LOOK_SECONDS: Final = 2.0
WATCH_SECONDS: Final = 30.0
LOOKS_A_BLOCK: Final = 4
"""How often in a block's time the outbox looks at the chain while something is under way; once otherwise."""
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

    def __init__(self, oracle: Oracle, leadership: ProcessLock, telemetry: Telemetry | None = None) -> None:
        self._oracle = oracle
        self._telemetry = telemetry or Telemetry(oracle.context.clock)
        self._leadership = leadership
        self._changes = Changes()
        self._hour = asyncio.Event()
        self._reminder = asyncio.Event()
        self._queued = asyncio.Event()
        self._gas: GasOutlook | None = None
        self._moment: Moment | None = None
        self._touched: CreatorIds = set()
        """Whom to count again; None for everybody."""
        self._everything_owed = False
        """Whether the hourly write, and what goes with it, has not been done yet."""
        self._epoch = 0
        """When the epoch began (unix seconds) for which everybody was last looked at, where oracles must agree."""
        self._paused = Notice("paused", "resumed")
        self._waits = Notice("the hourly figures wait", "the hourly figures wait no longer")
        self._low_balance = Notice("the oracle's balance is low", "the oracle's balance is enough again")

    async def run(self) -> None:
        """Work until cancelled; raises the `EncoreError` that ends it."""
        _struck.set({HOURLY_JOB: self._hour, REMINDER_JOB: self._reminder})
        # A restart may have cut an hourly sync short: it is made up for at once.
        self._hour.set()
        try:
            async with _scheduler(self._oracle.database.url), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._for_ever("sync", self._sync_round))
                tasks.create_task(self._for_ever("send", self._send_round))
                tasks.create_task(self._for_ever("watch", self._watch_round))
        except* EncoreError as group:
            raise group.exceptions[0] from None
        except* (DBAPIError, ConnectionError) as group:
            raise DatabaseError(
                f"lost the database ({group.exceptions[0]}); start the oracle again once it is back"
            ) from None

    async def _for_ever(self, what: str, one_round: Callable[[], Awaitable[None]]) -> None:
        """Do round after round, patiently where no node answers."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                await one_round()
            except (RpcError, RpcUnavailableError) as error:
                _log.warning(f"cannot {what}, trying again", reason=str(error), in_seconds=retry_seconds)
                await asyncio.sleep(retry_seconds)
                retry_seconds = min(2 * retry_seconds, LONGEST_RETRY_SECONDS)
            else:
                retry_seconds = FIRST_RETRY_SECONDS

    async def _sync_round(self) -> None:
        await self._leadership.check()
        state = await self._oracle.state()
        if state.pause is not None:
            self._paused.lasts(reason=state.pause.reason, since=state.pause.since.isoformat())
            await asyncio.sleep(LOOK_SECONDS)
            self._hour.set()  # once it goes on, everything is made up for
            return
        self._paused.ends()
        moment = await self._rules()
        await self._notice_changes(moment)
        waits = await self._why_wait(state, moment)
        everything = self._everything_owed and waits is None
        if everything:
            await self._sync(None, everything=True)
        elif self._touched is None or self._touched:
            await self._sync(self._touched, everything=False)
        await self._queue_due(routine=waits is None, hourly=everything)
        await self._remind()
        self._touched = set()
        self._everything_owed &= not everything
        if self._everything_owed and waits is not None:
            self._waits.lasts(reason=waits)
        else:
            self._waits.ends()
        await _wait(self._hour, LOOK_SECONDS)

    async def _rules(self) -> Moment:
        """Return the rules for reports and, where oracles must agree, what the chain's clock says just now."""
        if self._moment is None or self._moment.needs_agreement:
            self._moment = await self._oracle.contracts.moment()
        return self._moment

    async def _notice_changes(self, moment: Moment) -> None:
        async with self._oracle.database.read() as session:
            if self._hour.is_set():
                self._hour.clear()
                await self._changes.start(session)
                self._touched, self._everything_owed = None, True
            else:
                self._touched = _together(self._touched, await self._changes.touched(session))
        if moment.needs_agreement and moment.observed_at != self._epoch:
            # What had been reported in the last epoch, and crossed a milestone or found no majority then, can be now.
            self._epoch, self._touched = moment.observed_at, None

    async def _why_wait(self, state: State, moment: Moment) -> str | None:
        """Return why what is not urgent should wait now; None where it need not."""
        if moment.needs_agreement and moment.chain_time < _this_hour(self._oracle.context.clock()):
            return "the chain's clock has not struck the hour, so that figures would count for the epoch before it"
        gas = self._gas or await self._oracle.gas_prices.outlook()
        if self._oracle.gas_prices.should_wait(gas, state):
            return "gas is dear"
        if (await self._oracle.outbox.progress()).pending:
            return "transactions queued before could not be sent yet"
        return None

    async def _sync(self, creator_ids: CreatorIds, *, everything: bool) -> None:
        synced = await self._oracle.sync.run(creator_ids, everything=everything)
        _log.info("synced", creators=synced.counted, written=synced.written.creators, hourly=everything)
        if synced.written.creators:
            self._queued.set()

    async def _queue_due(self, *, routine: bool, hourly: bool) -> None:
        """Queue the launches whose conditions hold; as routine also releases, and every hour the distributions."""
        queued = await self._oracle.launcher.launch_due()
        if routine:
            queued += await self._oracle.releaser.release_due()
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

    async def _send_round(self) -> None:
        self._queued.clear()
        state = await self._oracle.state()
        progress = await self._oracle.outbox.run_once(sends=state.pause is None)
        if not progress.changed:
            block_seconds = self._oracle.settings.chain.block_seconds
            await _wait(self._queued, block_seconds if progress.is_idle else block_seconds / LOOKS_A_BLOCK)

    async def _watch_round(self) -> None:
        """Follow the price of gas, the rules for reports and the balance, and tell how the oracle stands."""
        self._gas = await self._oracle.gas_prices.note()
        self._moment = await self._oracle.contracts.moment()
        seen = await observe(self._oracle, self._gas)
        self._telemetry.saw(seen, self._oracle.gas_budget.left(seen.spending, METRICS_KIND))
        least = self._oracle.settings.oracle_low_balance_wei
        if seen.balance < least:
            self._low_balance.lasts(balance_wei=seen.balance, least_wei=least)
        else:
            self._low_balance.ends()
        await asyncio.sleep(WATCH_SECONDS)


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


def _this_hour(now: datetime) -> float:
    """Return when the hour of `now` began, in unix seconds."""
    return now.replace(minute=0, second=0, microsecond=0).timestamp()


def _together(some: CreatorIds, more: CreatorIds) -> CreatorIds:
    return None if some is None or more is None else {*some, *more}


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
