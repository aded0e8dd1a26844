"""Putting the API together."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

from api import docs, openapi, problems
from api.accounts.router import router as accounts
from api.accounts.tokens import Tokens
from api.coins.router import router as coins
from api.creators.router import router as creators
from api.deps import Clock, Resources
from api.events.broadcast import broadcast
from api.events.relay import Relay
from api.events.router import router as events
from api.events.socket import router as socket
from api.governance.router import router as governance
from api.health.router import router as health
from api.limits import RateLimit, TooManyRequestsError
from api.middleware import BodyLimit, RequestLog
from api.mirror.router import router as mirror
from api.page_cache import PageCache
from api.portfolio.router import router as portfolio
from api.supervision import supervised
from api.telemetry import Metered
from api.trading.router import router as trading
from api.webhooks.router import router as webhooks
from encore.settings import Settings

BASE_PATH: Final = "/api/v1"
PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds, and of no use in traces."""
EXPOSED_HEADERS: Final = ("X-Request-ID", "X-Indexed-Block", "X-Indexed-Block-Hash", "ETag", "Retry-After")

DESCRIPTION: Final = """\
Creators, their coins and wallets' portfolios, read from a mirror of the chain.

`GET /api/v1/network` tells the chain and its contracts. Reading needs no login. Transactions are prepared here, and
signed and sent by the user's wallet: the server sees no key. Live events come as Server-Sent Events, or through the
WebSocket `/ws`: `{"op": "subscribe", "channels": ["coin:0x…", "prices"]}` brings arrays of `FeedEvent`, `PriceTick` and
`FeedReset`. To read what one has just written, give `min_block`.

Amounts are in wei as decimal strings, addresses EIP-55, times ISO 8601 UTC. Every answer from the mirror names the
block it is of (`indexed_block`, and the headers `X-Indexed-Block` and `X-Indexed-Block-Hash`). What was got has an
`ETag`: asked for with `If-None-Match`, it is 304 while it stands. Lists are `{"items": […], "next_cursor": …}`;
errors are RFC 9457 problems.
"""


def create_app(settings: Settings, *, clock: Clock = time.time) -> FastAPI:
    """Build the application; it connects to database and chain when they are first needed."""
    held = Resources.open(settings, clock)
    app = FastAPI(
        title="Encore API",
        version=version("encore"),
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        responses=problems.default_response() | problems.responses(TooManyRequestsError),
        telemetry={"exclude": lambda scope: scope["path"] in PROBES},
    )
    app.state.resources = held
    problems.install(app)
    base = APIRouter(prefix=BASE_PATH)
    for router in (mirror, creators, coins, trading, portfolio, governance, accounts, webhooks, events):
        base.include_router(router)
    app.include_router(base)
    app.include_router(health)
    app.include_router(socket)
    docs.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(
        RateLimit,
        counting=held.limiter,
        per_minute=settings.request_limit,
        tokens=Tokens(settings.signing_key("tokens"), clock),
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],  # nothing here rides on a cookie
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
    )
    app.add_middleware(RequestLog)
    app.add_middleware(Metered, telemetry=held.telemetry)
    build = app.build_middleware_stack
    # Around all other middleware, FastAPI's own too: a kept page costs little more than sending it.
    app.build_middleware_stack = lambda: PageCache(  # type: ignore[method-assign] # as Starlette's own are built
        build(), follower=held.follower, capacity_bytes=settings.api_cache_megabytes * 10**6
    )
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign] # FastAPI's own way to extend it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    held: Resources = app.state.resources
    relay = Relay(held.settings.redis_url) if held.settings.redis_url else None
    broadcaster = asyncio.create_task(supervised(lambda: broadcast(held.database, held.hub, relay)))
    following = asyncio.create_task(supervised(held.follower.run))
    try:
        yield
    finally:
        held.hub.close()
        held.follower.close()
        await asyncio.gather(broadcaster, following)
        if relay is not None:
            await relay.close()
        await held.close()
