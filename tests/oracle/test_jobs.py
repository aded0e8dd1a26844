"""The running oracle: from an import to a coin with no hand on it, through a node that dies and a missed hour."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import select
from structlog.testing import capture_logs

from encore.db import Database
from encore.db.engine import sync_url
from encore.db.models.oracle import SchedulerJob
from encore.db.models.outbox import OutboxEntry
from encore.errors import RpcUnavailableError
from oracle.distributions import next_month
from oracle.errors import NotAuthorisedError
from oracle.jobs import HOURLY_JOB, REMINDER_JOB
from tests.conftest import LocalChain
from tests.oracle.background import running
from tests.oracle.conftest import Loop, open_loop
from tests.oracle.listening import Log, listened, save_all
from tests.support import eventually, stop_process

WALLETS = ["0x" + f"{number:02x}" * 20 for number in range(1, 5)]


async def has_coin(loop: Loop, wallet: str) -> bool:
    try:
        return int(await loop.factory.call("coinOf", wallet), 16) != 0
    except RpcUnavailableError:
        return False


async def is_equal(loop: Loop) -> bool:
    return not await loop.differences()


async def next_hour(database: Database, name: str = HOURLY_JOB) -> float | None:
    async with database.read() as session:
        value: float | None = await session.scalar(select(SchedulerJob.next_run_time).where(SchedulerJob.id == name))
    return value


def postpone(database: Database, moment: datetime, name: str = HOURLY_JOB) -> None:
    """Store that a job is due at `moment`."""
    store = SQLAlchemyJobStore(sync_url(database.url))
    store.start(AsyncIOScheduler(timezone="UTC"), "default")
    job = store.lookup_job(name)
    job._modify(next_run_time=moment)
    store.update_job(job)
    store.shutdown()


async def test_an_import_becomes_a_coin_with_no_hand_on_it(loop: Loop) -> None:
    async with running(loop):
        await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
        await listened(loop.database, 2, plays=1_500, fans=2, wallet=WALLETS[1])
        await eventually(lambda: has_coin(loop, WALLETS[0]))
        await eventually(lambda: is_equal(loop))
    assert not await has_coin(loop, WALLETS[1])


async def test_a_restart_makes_up_for_an_hourly_sync_that_was_cut_short(loop: Loop) -> None:
    await listened(loop.database, 1, plays=2_000, fans=2, wallet=WALLETS[0])
    await loop.oracle.sync.run(everything=True)
    await loop.settle()
    log = Log()
    log.play(1, 1, at=datetime.now(UTC), count=7)
    log.plays[0].event_key = "while it was down"
    await save_all(loop.database, log.plays)
    assert not await is_equal(loop)
    async with running(loop):
        await eventually(lambda: is_equal(loop))


async def test_the_hour_strikes_late_where_it_struck_while_nobody_ran(loop: Loop) -> None:
    async with running(loop):
        await eventually(lambda: next_hour(loop.database))
    hour = await next_hour(loop.database)
    async with running(loop):
        await asyncio.sleep(0)
    assert await next_hour(loop.database) == hour  # a restart does not postpone it
    missed = datetime.now(UTC) - timedelta(minutes=5)
    postpone(loop.database, missed)
    assert await next_hour(loop.database) == missed.timestamp()

    async def caught_up() -> bool:
        return await next_hour(loop.database) == hour

    async with running(loop):
        await eventually(caught_up)


async def test_before_the_month_ends_it_reminds_of_what_the_distribution_will_take(loop: Loop) -> None:
    async with running(loop):
        due_at = await eventually(lambda: next_hour(loop.database, REMINDER_JOB))
    assert due_at is not None
    assert datetime.fromtimestamp(due_at, UTC).day >= 25
    assert datetime.fromtimestamp(due_at, UTC).hour == 12
    postpone(loop.database, datetime.now(UTC) - timedelta(minutes=5), REMINDER_JOB)
    with capture_logs() as logs:

        async def reminded() -> Any:
            return [line for line in logs if line["event"] == "revenue will be distributed"]

        async with running(loop):
            (reminder,) = await eventually(reminded)
    assert reminder["log_level"] == "info"  # the key has enough
    assert reminder["creators"] == reminder["wei"] == 0
    assert reminder["balance_wei"] > 0
    assert datetime.fromisoformat(reminder["due_at"]) == next_month(datetime.now(UTC))


async def test_a_node_that_dies_is_waited_for(
    start_chain: Callable[..., LocalChain], database: Database, tmp_path: Path
) -> None:
    state = tmp_path / "chain"
    state.mkdir()
    chain = start_chain(state)
    async with open_loop(chain, database, tmp_path) as loop, running(loop) as oracle:
        stop_process(chain.process)
        await listened(database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
        start_chain(state, chain.port)
        await eventually(lambda: has_coin(loop, WALLETS[0]))

        async def both_confirmed() -> bool:
            async with database.read() as session:
                return await session.all(select(OutboxEntry.status)) == [("confirmed",), ("confirmed",)]

        await eventually(both_confirmed)
        assert not oracle.done()


async def test_a_key_that_lost_its_role_ends_the_oracle_with_the_reason(loop: Loop) -> None:
    await loop.metrics_manager.send("setOracle", loop.oracle.signer.address, False)
    async with running(loop) as oracle:
        await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
        with pytest.raises(NotAuthorisedError, match="grant_oracle"):
            await oracle
