"""The parts that the indexer's benchmark compares, each run in a process of its own so that its memory can be told.

    python benchmarks/indexer_parts.py TASK

takes a `Task` as JSON and prints a `Measured` as JSON.
"""

import asyncio
import json
import resource
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from time import perf_counter, process_time
from typing import Any, Final

import asyncpg
import structlog

from encore.chain.deployments import DeployedContract, Deployment, load_abi
from encore.chain.networks import network_named
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.migrate import upgrade
from indexer.contract import Contract
from indexer.handlers import creator_token
from indexer.mirror import Mirror
from indexer.registry import Registry
from indexer.runner import Indexer
from indexer.source import Source

BLOCKS_PER_REQUEST: Final = 200


@dataclass(frozen=True)
class Task:
    """Index `events` of `emitter`, those up to block `last`, into a database that is new."""

    part: str
    url: str
    emitter: str
    events: int
    last: int
    database: str


@dataclass(frozen=True)
class Measured:
    """`cpu_seconds` are this process's alone, without the node's and PostgreSQL's."""

    events_per_second: float
    cpu_seconds: float
    peak_megabytes: float


@asynccontextmanager
async def indexer_of(url: str, emitter: str, database: Database, *, final: bool) -> AsyncIterator[Indexer]:
    """Open an indexer that follows the emitter as a creator token; `final` treats every block as history."""
    network = replace(
        network_named("sepolia"), chain_id=31337, has_finalized_tag=False, finality_blocks=0 if final else 64
    )
    registry = Registry([Contract("CreatorToken", creator_token.CONTRACT.handlers)], load_abi)
    async with RpcClient([url], attempts=20) as rpc:
        indexer = Indexer(Source(rpc, network, registry.topics), Mirror(database, registry, network.chain_id), registry)
        token = DeployedContract(
            address=emitter, block_number=1, transaction_hash="0x", constructor_arguments=[], code_hash="0x"
        )
        await indexer.open(
            Deployment(
                network="local",
                chain_id=31337,
                deployer=emitter,
                block_number=1,
                timestamp=0,
                contracts={"CreatorToken": token},
            )
        )
        yield indexer


async def _indexer(task: Task) -> Measured:
    """Index with everything that the indexer does: checks, journal, transfers, balances, supply, indexes."""
    upgrade(task.database)
    database = Database(task.database)
    async with indexer_of(task.url, task.emitter, database, final=True) as indexer:
        measured = await _timed(task, lambda: indexer.catch_up(task.last))
    await database.close()
    return measured


async def _bare_sqlite(task: Task) -> Measured:
    """Fetch, slice and insert with nothing around it: a row an event, and the new balances after each request."""
    connection = sqlite3.connect(task.database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(
        "CREATE TABLE events (block, log_index, hash, tx, sender, receiver, value, PRIMARY KEY (block, log_index))"
    )
    connection.execute("CREATE TABLE balances (holder PRIMARY KEY, amount)")

    async def write(rows: list[tuple[Any, ...]], changed: dict[str, int]) -> None:
        connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?)", [(*row[:6], str(row[6])) for row in rows])
        connection.executemany(
            "INSERT INTO balances VALUES (?,?) ON CONFLICT DO UPDATE SET amount = excluded.amount",
            [(holder, str(amount)) for holder, amount in changed.items()],
        )
        connection.commit()

    measured = await _bare(task, write)
    connection.close()
    return measured


async def _bare_postgresql(task: Task) -> Measured:
    """The same with COPY."""
    connection = await asyncpg.connect(task.database)
    await connection.execute(
        "CREATE TABLE events (block bigint, log_index bigint, hash text, tx text, sender text, receiver text, "
        "value numeric, PRIMARY KEY (block, log_index)); "
        "CREATE TABLE balances (holder text PRIMARY KEY, amount numeric)"
    )

    async def write(rows: list[tuple[Any, ...]], changed: dict[str, int]) -> None:
        async with connection.transaction():
            await connection.copy_records_to_table("events", records=[(*row[:6], Decimal(row[6])) for row in rows])
            await connection.executemany(
                "INSERT INTO balances VALUES ($1, $2) ON CONFLICT (holder) DO UPDATE SET amount = excluded.amount",
                [(holder, Decimal(amount)) for holder, amount in changed.items()],
            )

    measured = await _bare(task, write)
    await connection.close()
    return measured


async def _bare(task: Task, write: Callable[[list[tuple[Any, ...]], dict[str, int]], Awaitable[None]]) -> Measured:
    balances: dict[str, int] = {}

    async def loop() -> None:
        for first in range(0, task.last + 1, BLOCKS_PER_REQUEST):
            last = min(first + BLOCKS_PER_REQUEST - 1, task.last)
            logs = await rpc.call(
                "eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last), "address": task.emitter}
            )
            rows = []
            changed = {}
            for log in logs:
                sender, receiver, value = log["topics"][1][26:], log["topics"][2][26:], int(log["data"], 16)
                changed[sender] = balances[sender] = balances.get(sender, 0) - value
                changed[receiver] = balances[receiver] = balances.get(receiver, 0) + value
                rows.append(
                    (
                        int(log["blockNumber"], 16),
                        int(log["logIndex"], 16),
                        log["blockHash"],
                        log["transactionHash"],
                        sender,
                        receiver,
                        value,
                    )
                )
            await write(rows, changed)

    async with RpcClient([task.url], attempts=20) as rpc:
        return await _timed(task, loop)


async def _timed(task: Task, work: Callable[[], Awaitable[None]]) -> Measured:
    started, cpu_started = perf_counter(), process_time()
    await work()
    seconds, cpu_seconds = perf_counter() - started, process_time() - cpu_started
    peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(task.events / seconds, cpu_seconds, peak_megabytes)


PARTS: Final = {"indexer": _indexer, "bare SQLite": _bare_sqlite, "bare PostgreSQL": _bare_postgresql}


async def measure(task: Task) -> Measured:
    """Run a part in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, json.dumps(asdict(task)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{task.part} failed")
    return Measured(**json.loads(output))


def main() -> None:
    """Run the part that the command line describes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    task = Task(**json.loads(sys.argv[1]))
    print(json.dumps(asdict(asyncio.run(PARTS[task.part](task)))))


if __name__ == "__main__":
    main()
