"""CPU time of a 20-row page of coins, beside a bare ASGI answer and a plain FastAPI + async ORM version of the page.

    python benchmarks/bench_api.py [--requests 1000] [--coins 500] [--database-url postgresql://…]

Requests are made in process, so that what is counted is the application and the database driver, not a client or
sockets; CPU time of the process rather than time on the wall, because the latter depends on what else runs. The page
includes the 24-hour figures, which the plain version does not even compute. Goal of the specification: an uncached page
takes at most 1 / 2.5 of the plain version's time.
"""

import argparse
import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import ASGIApp, Receive, Scope, Send

from api.main import create_app
from encore.db import Database
from encore.db.migrate import upgrade
from encore.db.models.chain import Checkpoint, Pool, Token, Trade
from encore.settings import Settings

NOW: Final = 1_800_000_000
ETHER: Final = 10**18
PAGE: Final = 20
TRADES_PER_COIN: Final = 20
GOAL: Final = 2.5


class PlainCoin(BaseModel):
    """The plain version's item: a column each."""

    model_config = ConfigDict(from_attributes=True)

    address: str
    name: str
    symbol: str
    description: str
    image_url: str
    creator: str
    owner: str
    total_supply: int
    maximum_supply: int
    total_staked: int
    holder_count: int
    platform_fee_bps: int
    platform_fee_recipient: str
    created_at: int


def plain_app(database: Database) -> FastAPI:
    """Build the page as one usually writes it: ORM rows through a response model."""
    app = FastAPI()

    @app.get("/coins")
    async def coins() -> list[PlainCoin]:
        async with AsyncSession(database.engine) as session:
            rows = (await session.scalars(select(Token).order_by(Token.created_at.desc()).limit(PAGE))).all()
            return [PlainCoin.model_validate(row) for row in rows]

    return app


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


async def measure(url: str, coins: int, requests: int) -> list[dict[str, Any]]:
    """Fill the database at `url` and measure the pages."""
    upgrade(url)
    database = Database(url)
    await fill(database, coins)
    app = create_app(Settings(database_url=url, _env_file=None), clock=lambda: float(NOW))
    bare = await cpu_microseconds(lambda: request(bare_app, "/"), requests)
    usual = plain_app(database)
    plain = await cpu_microseconds(lambda: request(usual, "/coins"), requests)
    print(f"{'bare ASGI answer':<28}{bare:>9.0f} µs")
    print(f"{'plain FastAPI + async ORM':<28}{plain:>9.0f} µs")
    results = []
    for sort in ("created", "market_cap", "volume"):
        path = f"/api/v1/coins?sort={sort}&limit={PAGE}"
        ours = await cpu_microseconds(partial(request, app, path), requests)
        print(f"{'ours, by ' + sort:<28}{ours:>9.0f} µs")
        results.append(
            {
                "name": f"api-page-{sort}-{'sqlite' if database.is_sqlite else 'postgresql'}",
                "ours": round(ours),
                "reference": round(plain),
                "ratio": round(plain / ours, 2),
                "goal": GOAL,
                "met": plain / ours >= GOAL,
            }
        )
    await app.state.resources.close()
    await database.close()
    return results


def main() -> None:
    """Read the arguments, measure, print one JSON list as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--coins", type=int, default=500)
    parser.add_argument("--database-url", help="an empty database; default: SQLite in a temporary folder")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.database_url or f"sqlite:///{Path(folder)}/bench.db"
        print(json.dumps(asyncio.run(measure(url, arguments.coins, arguments.requests))))


if __name__ == "__main__":
    main()
