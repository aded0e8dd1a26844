"""One leader at a time, and another one as soon as it is gone."""

import asyncio
import sys

import pytest
from sqlalchemy import text

from encore.db import Database
from encore.errors import DatabaseError
from oracle.leader import leadership, leadership_if_free
from tests.support import eventually

CHAIN_ID = 31337
HOLDER = """
import asyncio, sys
from encore.db import Database
from oracle.leader import leadership

async def hold():
    async with leadership(Database(sys.argv[1]), 31337):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def is_free(database: Database) -> bool:
    async with leadership_if_free(database, CHAIN_ID) as held:
        return held


async def test_only_one_leads_and_the_next_takes_over(database: Database) -> None:
    other = Database(database.url)
    order: list[str] = []

    async def stand_by() -> None:
        async with leadership(other, CHAIN_ID):
            order.append("second")

    async with leadership(database, CHAIN_ID) as lock:
        waiting = asyncio.create_task(stand_by())
        assert not await is_free(other)
        await lock.check()
        order.append("first")
    await waiting
    assert order == ["first", "second"]
    assert await is_free(database)
    await other.close()


async def test_chains_have_leaders_of_their_own(database: Database) -> None:
    async with leadership(database, CHAIN_ID), leadership_if_free(database, 1) as held:
        assert held


async def test_a_killed_leader_is_succeeded_at_once(database: Database) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, database.url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    assert not await is_free(database)
    process.kill()
    await process.wait()
    await eventually(lambda: is_free(database), deadline_seconds=5)


async def test_a_leader_whose_connection_broke_stops_leading(postgres_url: str) -> None:
    database, admin = Database(postgres_url), Database(postgres_url)
    async with leadership(database, CHAIN_ID) as lock:
        async with admin.transaction() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                    "(SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )
        with pytest.raises(DatabaseError, match="start this process again"):
            await lock.check()
    await database.close()
    await admin.close()
