"""What becomes of a unit of work that is interrupted."""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from encore.db import engine as engine_module
from encore.db.engine import Database
from encore.db.models.oracle import GasPrice

HOUR = datetime(2026, 1, 1, tzinfo=UTC)


async def insert(database: Database, number: int) -> None:
    async with database.write() as session:
        session.add(GasPrice(chain_id=number, hour=HOUR, samples=1, total=number))
        await session.flush()
        await session.scalar(select(func.count()).select_from(GasPrice))


async def test_interrupted_units_of_work_keep_no_lock_and_write_all_or_nothing(
    monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr(engine_module, "SQLITE_BUSY_TIMEOUT_MS", 2_000)
    moments = random.Random(1)
    interrupted: list[BaseException | None] = []  # whose tracebacks still refer to what they worked with
    for number in range(40):
        works = [asyncio.create_task(insert(database, 3 * number + each)) for each in range(3)]
        await asyncio.sleep(moments.random() * 0.006)
        for work in works:
            work.cancel()
        interrupted += await asyncio.gather(*works, return_exceptions=True)
        await insert(database, 1_000 + number)
    assert {asyncio.CancelledError} <= {type(each) for each in interrupted} <= {asyncio.CancelledError, type(None)}
    async with database.read() as session:
        written = await session.scalar(select(func.count()).select_from(GasPrice))
    assert interrupted.count(None) <= written - 40 <= len(interrupted)
