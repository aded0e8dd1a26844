"""What read sessions return, and what becomes of those that are interrupted or lose their server."""

import asyncio
import gc
import random
import weakref
from collections.abc import Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Executable, String, bindparam, delete, func, insert, select, text, union_all
from sqlalchemy.exc import DBAPIError, OperationalError

from encore.db import Database
from encore.db.models.chain import Balance
from encore.db.reading import STATEMENTS_KEPT
from encore.db.types import Texts, among

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


async def hold(database: Database, *holders: str) -> None:
    """Write one wei of a coin for each."""
    async with database.transaction() as connection:
        await connection.execute(
            insert(Balance), [{"token": "0x1", "holder": holder, "amount": 1} for holder in holders]
        )


async def holders(database: Database, statement: Executable, found: Sequence[str] | None = None) -> set[str]:
    async with database.read() as session:
        return {row.holder for row in await session.all(statement, {} if found is None else {"found": found})}


async def test_a_row_is_a_named_tuple_of_its_statements_columns(database: Database) -> None:
    await hold(database, "0xa")
    async with database.read() as session:
        (row,) = await session.all(
            select(Balance.holder, Balance.amount.label("wei"), func.count()).group_by(Balance.holder, Balance.amount)
        )
        assert await session.first(select(Balance.holder).where(Balance.amount > 1)) is None
        assert await session.scalar(select(Balance.holder).where(Balance.amount > 1)) is None
        assert await session.scalar(text("SELECT holder FROM balances")) == "0xa"
    assert (row.holder, row.wei) == ("0xa", 1)
    assert tuple(row) == ("0xa", 1, 1)
    with pytest.raises(AttributeError, match="amount"):
        _ = row.amount


async def test_one_statement_takes_other_parameters_each_time_and_all_that_it_names(database: Database) -> None:
    await hold(database, "0xa", "0xb")
    statement = select(Balance.holder).where(Balance.holder == bindparam("holder", type_=String()))
    async with database.read() as session:
        for holder in ("0xa", "0xb"):
            assert [row.holder for row in await session.all(statement, {"holder": holder})] == [holder]
        with pytest.raises(KeyError, match="holder"):
            await session.all(statement)


async def test_statements_that_are_built_for_one_use_are_forgotten(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    built = []
    async with database.read() as session:
        for number in range(STATEMENTS_KEPT + 20):
            statement = select(Balance.holder).where(Balance.amount > number)
            await session.all(statement)
            built.append(weakref.ref(statement))
    await database.close()
    del statement
    gc.collect()
    assert all(each() is None for each in built[:20])


@given(held=st.sets(WORDS, max_size=6), wanted=st.lists(WORDS, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_in_and_among_find_the_same_however_many_there_are(
    database: Database, held: set[str], wanted: list[str]
) -> None:
    async with database.transaction() as connection:
        await connection.execute(delete(Balance))
    if held:
        await hold(database, *held)
    wanted += list(held)[::2]
    coin = Balance.token == bindparam("coin", "0x1", type_=String())
    every = select(Balance.holder).where(coin, Balance.amount < 2**200)
    listed = every.where(Balance.holder.in_(wanted), Balance.amount.in_([1, 2]))
    expanding = every.where(Balance.holder.in_(bindparam("found", expanding=True)))
    one_parameter = among(Balance.holder, bindparam("found", type_=Texts()))
    expected = held & set(wanted)
    assert await holders(database, listed) == expected
    assert await holders(database, union_all(listed, listed)) == expected
    assert await holders(database, expanding, wanted) == expected
    assert await holders(database, every.where(one_parameter), wanted) == expected
    assert await holders(database, every.where(~one_parameter), wanted) == held - expected


async def test_a_snapshot_sees_one_state_and_a_read_session_the_newest(database: Database) -> None:
    every = select(Balance.holder)
    async with database.snapshot() as snapshot, database.read() as session:
        assert await snapshot.all(every) == []
        await hold(database, "0xa")
        assert await snapshot.all(every) == []
        assert len(await session.all(every)) == 1


async def test_interrupted_reads_leave_nothing_open(database: Database) -> None:
    moments = random.Random(2)

    async def look() -> None:
        async with database.snapshot() as session:
            for _ in range(5):
                await session.all(select(Balance.holder))
                await asyncio.sleep(0)

    for number in range(30):
        looking = [asyncio.create_task(look()) for _ in range(20)]
        await asyncio.sleep(moments.random() * 0.01)
        for each in looking:
            each.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        await hold(database, f"0x{number}")
        async with database.snapshot() as session:
            assert await session.scalar(select(func.count()).select_from(Balance)) == number + 1


async def test_a_statement_that_fails_says_which_and_never_with_what(database: Database) -> None:
    with pytest.raises(DBAPIError, match="SELECT nothing") as failure:
        async with database.snapshot() as session:
            await session.all(text("SELECT nothing FROM nowhere WHERE secret = :secret"), {"secret": "s3cret"})
    assert "s3cret" not in str(failure.value)
    async with database.snapshot() as session:
        assert await session.all(select(Balance.holder)) == []


async def test_reads_go_on_with_new_connections_when_postgresql_ended_theirs(postgres_url: str) -> None:
    database = Database(postgres_url)
    every = select(Balance.holder)

    def end_connections() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    async with database.snapshot() as session:
        await session.all(every)
        end_connections()
        with pytest.raises(OperationalError):
            await session.all(every)
    async with database.snapshot() as session:
        assert await session.all(every) == []
    end_connections()
    await asyncio.sleep(0.05)  # the server's word arrives
    async with database.snapshot() as session:
        assert await session.all(every) == []
    await database.close()


async def test_a_server_that_is_not_there_is_an_operational_error(tmp_path: object) -> None:
    database = Database(f"postgresql:///none?host={tmp_path}")
    with pytest.raises(OperationalError):
        async with database.read():
            pass
    await database.close()
