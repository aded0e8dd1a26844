"""Loading history: what is left out until it is done, what is said meanwhile, and how rows are written in bulk."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert, inspect, select
from structlog.testing import capture_logs

from encore.db import Database
from encore.db.models.base import Base
from encore.db.models.chain import Balance, ChainEvent, ContractSetting, UndoEntry
from encore.db.types import UINT256_MAX
from indexer import runner as runner_module
from indexer.bulk import Bulk
from indexer.reorg import appended_tables
from indexer.state import table_of
from tests.indexer.economy import Economy
from tests.indexer.node import FakeNode
from tests.indexer.replica import catch_up, dump, events_mirrored, events_told, indexer_of
from tests.indexer.test_faults import play

NASTY = "tab\t newline\n return\r backslash\\ \\N quote' \" percent %s"
ROWS = 2 * 2_048 + 512 + 33
"""More than one statement of each size, and some left over."""


@pytest.fixture
def history(node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    """A chain of 40 final blocks, read a few at a time."""
    monkeypatch.setattr(runner_module, "FIRST_SPAN", 4)
    monkeypatch.setattr(runner_module, "LONGEST_SPAN", 4)
    economy = Economy()
    node.start_chain(economy)
    node.mine(economy.setup(), economy)
    play(node, 40)
    node.finalized = node.head.number
    return node


def found_indexes(connection: Connection) -> set[str]:
    """Name the indexes that the appended tables have."""
    inspector = inspect(connection)
    return {
        str(index["name"])
        for table in appended_tables()
        for index in inspector.get_indexes(table.name)
        if not index.get("duplicates_constraint")
    }


async def test_a_new_mirror_has_no_indexes_on_appended_rows_until_it_is_level(
    database: Database, history: FakeNode
) -> None:
    wanted = {str(index.name) for table in appended_tables() for index in table.indexes}
    assert await database.in_thread(found_indexes) == wanted
    async with indexer_of(database, history) as indexer:
        assert await database.in_thread(found_indexes) == set()
        await catch_up(indexer)
        assert await database.in_thread(found_indexes) == wanted
    async with indexer_of(database, history) as indexer:
        assert await database.in_thread(found_indexes) == wanted


async def test_a_backfill_that_was_interrupted_builds_the_indexes_once_it_is_level(
    database: Database, history: FakeNode
) -> None:
    remaining = iter(range(5))

    def meddle(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getLogs" and next(remaining, None) is None:
            raise RuntimeError
        return result

    history.meddle = meddle
    async with indexer_of(database, history) as indexer:
        with pytest.raises(Exception, match="no node answered"):
            await indexer.catch_up()
        assert 0 < indexer.position.number < history.head.number
    history.meddle = None
    async with indexer_of(database, history) as indexer:
        assert await database.in_thread(found_indexes) == set()
        await catch_up(indexer)
    assert await database.in_thread(found_indexes) != set()


@pytest.mark.parametrize("failing", [1, 4, 9])
async def test_what_could_not_be_written_is_prepared_again_from_what_was(
    database: Database,
    fresh_database: Database,
    history: FakeNode,
    monkeypatch: pytest.MonkeyPatch,
    failing: int,
) -> None:
    async with indexer_of(fresh_database, history) as fresh:
        await catch_up(fresh)
    async with indexer_of(database, history) as indexer:
        remaining = iter(range(failing))
        in_thread = database.in_thread

        async def full(work: Callable[[Connection], Any]) -> Any:
            if next(remaining, None) is None:
                raise OSError("the disk is full")
            return await in_thread(work)

        monkeypatch.setattr(database, "in_thread", full)
        with pytest.raises(OSError, match="the disk is full"):
            await indexer.catch_up()
        monkeypatch.setattr(database, "in_thread", in_thread)
        await indexer.catch_up()
    assert await dump(database) == await dump(fresh_database)
    assert await events_told(database) <= await events_mirrored(database)


async def test_whoever_is_cancelled_waits_for_the_transaction(database: Database) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        connection.execute(insert(ContractSetting).values(address="0x1", name="1", value="written"))
        has_begun.set()
        may_end.wait()

    writing = asyncio.create_task(database.in_thread(work))
    await asyncio.to_thread(has_begun.wait)
    writing.cancel()
    asyncio.get_running_loop().call_later(0.05, may_end.set)
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert [row["value"] for row in await stored(database, ContractSetting)] == ["written"]


async def test_a_backfill_says_how_fast_it_is_and_how_long_the_rest_takes(
    database: Database, history: FakeNode
) -> None:
    async with indexer_of(database, history) as indexer:
        with capture_logs() as logs:
            await catch_up(indexer)
    told = [entry for entry in logs if entry["event"] == "indexed"]
    assert [entry["behind"] for entry in told][-1] == 0
    assert all(entry["blocks_per_second"] > 0 for entry in told)
    assert [entry["eta_seconds"] for entry in told][-1] == 0


async def test_a_backfill_learns_of_new_blocks_while_it_goes_on(
    database: Database, history: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "HEAD_SECONDS", 0.0)
    heads = []

    def meddle(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            heads.append(result["number"])
            play(history, 1)
        return result

    history.meddle = meddle
    async with indexer_of(database, history) as indexer:
        first = history.head.number
        await indexer.catch_up(first)
    assert len(set(heads)) > 2


@pytest.mark.parametrize("rows", [1, 49, 50, ROWS])
async def test_bulk_writes_are_read_back_as_they_were(database: Database, rows: int) -> None:
    bulk = Bulk(database.engine.dialect.name)
    settings = {
        ("0x1", str(position)): {"address": "0x1", "name": str(position), "value": NASTY} for position in range(rows)
    }
    events = [
        {
            "block_number": position,
            "log_index": 1,
            "block_hash": "0xa",
            "transaction_hash": "0xb",
            "address": "0x1",
            "contract": "Guestbook",
            "name": "Signed",
            "args": {"note": NASTY, "null": None},
            "timestamp": 2**40,
        }
        for position in range(rows)
    ]
    images = [
        {"block_number": position, "table_name": "t", "key": "[]", "before": None if position % 2 else NASTY}
        for position in range(rows)
    ]

    def write(connection: Connection) -> None:
        connection.execute(select(1))
        bulk[table_of(ContractSetting)].upsert(
            [{**row, "value": "old"} for row in list(settings.values())[: rows // 2 + 1]]
        )(connection)
        bulk[table_of(ChainEvent)].insert(events)(connection)
        bulk[table_of(UndoEntry)].insert(images)(connection)

    await database.in_thread(write)
    await database.in_thread(bulk[table_of(ContractSetting)].upsert(list(settings.values())))
    assert await stored(database, ContractSetting) == list(settings.values())
    assert await stored(database, ChainEvent) == events
    assert await stored(database, UndoEntry) == images
    await database.in_thread(bulk[table_of(ContractSetting)].delete([*settings, ("0x1", "that is not there")]))
    assert await stored(database, ContractSetting) == []


async def stored(database: Database, model: type[Base]) -> list[dict[str, Any]]:
    """Return a table's rows, in the order in which the test made them."""
    table = table_of(model)
    async with database.read() as session:
        rows = [row._asdict() for row in await session.all(select(table))]
    return sorted(rows, key=lambda row: row["block_number"] if "block_number" in row else int(row["name"]))


@pytest.mark.parametrize("amount", [-1, UINT256_MAX + 1])
@pytest.mark.parametrize("rows", [1, 50])
async def test_what_is_no_unsigned_256_bit_integer_is_never_written(database: Database, amount: int, rows: int) -> None:
    balances = [{"token": "0x1", "holder": str(position), "amount": amount} for position in range(rows)]
    writer = Bulk(database.engine.dialect.name)[table_of(Balance)]
    with pytest.raises(ValueError, match="not an unsigned 256-bit integer"):
        writer.upsert(balances)
