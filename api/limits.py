"""How often anybody may ask: a limit a minute by address, account and wallet (GCRA), in process or through Redis."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar, Final, Protocol

import structlog
from fastapi import Request
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.accounts.tokens import Tokens, UnauthenticatedError
from api.problems import ProblemError, respond

MINUTE_SECONDS: Final = 60.0
SIGN_INS_PER_MINUTE: Final = 30
"""By address, of everything below /auth: guessing, and rows for challenges."""
CHALLENGES_PER_MINUTE: Final = 10
"""For one wallet."""
MAXIMUM_KEYS: Final = 100_000
SIGN_IN_PATH: Final = "/api/v1/auth/"
UNLIMITED_PATHS: Final = frozenset({"/healthz", "/readyz"})
POLICY_VIOLATION: Final = 1008
"""The close code of a WebSocket that is refused (RFC 6455)."""

_GCRA: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local interval = 60 / ARGV[1]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = due - now - (60 - interval)
if wait > 0.000001 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', due + interval), 'PX', 61000)
return '0'
"""

_log = structlog.get_logger(__name__)


class TooManyRequestsError(ProblemError):
    """More was asked than is allowed in a minute; `Retry-After` says when to go on."""

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "60"}


class Limiter(Protocol):
    """Counts by key; a key that was quiet for a minute may ask `per_minute` times at once."""

    async def take(self, key: str, per_minute: int) -> float:
        """Count one request; returns 0, or the seconds to wait, and then it was not counted."""

    async def close(self) -> None:
        """Close the connections."""


class LocalLimiter:
    """Counts in this process; the keys that were quiet longest are forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: OrderedDict[str, float] = OrderedDict()

    async def take(self, key: str, per_minute: int) -> float:
        """Count one request."""
        now, interval = self._clock(), MINUTE_SECONDS / per_minute
        due = max(self._due.get(key, now), now)
        wait = due - now - (MINUTE_SECONDS - interval)
        if wait > 1e-6:  # noqa: PLR2004 - what sums of floats are off by
            return wait
        self._due[key] = due + interval
        self._due.move_to_end(key)
        if len(self._due) > MAXIMUM_KEYS:
            self._due.popitem(last=False)
        return 0.0

    async def close(self) -> None:
        """Do nothing: there are no connections."""


class RedisLimiter:
    """Counts for all processes together; while Redis is away, nothing is refused."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)
        self._script = self._redis.register_script(_GCRA)

    async def take(self, key: str, per_minute: int) -> float:
        """Count one request."""
        try:
            return float(await self._script(keys=[f"encore:limit:{key}"], args=[per_minute]))
        except RedisError as error:
            _log.warning("redis cannot be reached, requests are not limited", reason=str(error))
            return 0.0

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def limiter(redis_url: str) -> Limiter:
    """Return the limiter of one process, or of all that share a Redis."""
    return RedisLimiter(redis_url) if redis_url else LocalLimiter()


async def limit_wallet(counting: Limiter, wallet: str) -> None:
    """Count a challenge for a wallet; raises `TooManyRequestsError`."""
    if await counting.take(f"wallet:{wallet}", CHALLENGES_PER_MINUTE):
        raise TooManyRequestsError("this wallet was asked to sign in too often; wait a minute")


class RateLimit:
    """Refuses who asks more than `per_minute` times: an account by its token, anybody else by address (0: no limit)."""

    def __init__(self, app: ASGIApp, *, counting: Limiter, per_minute: int, tokens: Tokens) -> None:
        self._app = app
        self._counting = counting
        self._per_minute = per_minute
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if not self._per_minute or scope["type"] not in {"http", "websocket"} or scope["path"] in UNLIMITED_PATHS:
            await self._app(scope, receive, send)
            return
        wait = await self._take(scope)
        if not wait:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            seconds = math.ceil(wait)
            response = respond(Request(scope), TooManyRequestsError(f"too many requests; go on in {seconds} s"))
            response.headers["Retry-After"] = str(seconds)
            await response(scope, receive, send)

    async def _take(self, scope: Scope) -> float:
        address = scope["client"][0] if scope["client"] else ""
        if scope["path"].startswith(SIGN_IN_PATH):
            wait = await self._counting.take(f"sign-in:{address}", min(SIGN_INS_PER_MINUTE, self._per_minute))
            if wait:
                return wait
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            try:
                account_id = self._tokens.read_access(token).account_id
            except UnauthenticatedError:
                pass  # so it is nobody's, and counts for the address
            else:
                return await self._counting.take(f"account:{account_id}", self._per_minute)
        return await self._counting.take(f"address:{address}", self._per_minute)
