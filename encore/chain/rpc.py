"""JSON-RPC over HTTP to one or more nodes: timeouts, retries with jittered backoff, failover in order of preference."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp
import orjson
import structlog
from opentelemetry import trace

from encore.chain.pace import Pace
from encore.errors import RpcError, RpcUnavailableError

DEFAULT_TIMEOUT_SECONDS: Final = 30.0
DEFAULT_ATTEMPTS: Final = 5
FIRST_BACKOFF_SECONDS: Final = 0.2
LONGEST_BACKOFF_SECONDS: Final = 5.0
RETRIED_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

TOO_MANY_REQUESTS: Final = 429

Request = tuple[str, list[Any]]
Observer = Callable[[str, str], None]
"""Told of each HTTP request: the endpoint's host, and `answered` or why not."""

_log = structlog.get_logger(__name__)


class MalformedReplyError(Exception):
    """What came back is no answer to what was asked."""


@dataclass(frozen=True, slots=True)
class _Endpoint:
    url: str
    host: str
    pace: Pace


class RpcClient:
    """Calls nodes with plain JSON values in and out (quantities stay 0x strings).

    A transport fault (refused, timed out, truncated, 429, 5xx) moves on to the next endpoint and is retried up to
    `attempts` times in all, then raises `RpcUnavailableError`. An error object from the node raises `RpcError` at once.
    Each endpoint is sent at most `calls_per_second` (0: no limit), and less while it answers 429.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        attempts: int = DEFAULT_ATTEMPTS,
        calls_per_second: float = 0,
        observer: Observer | None = None,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self._endpoints = [_Endpoint(url, _host(url), Pace(calls_per_second)) for url in endpoints]
        self._observer = observer
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._attempts = attempts
        self._preferred = 0
        self._session: aiohttp.ClientSession | None = None
        self._tracer = trace.get_tracer(__name__)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, *params: Any) -> Any:
        """Return the result of one request."""
        reply = await self._post({"jsonrpc": "2.0", "id": 0, "method": method, "params": params})
        return _result(method, reply)

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Return the results of many requests sent as one, in their order; the first error object raises."""
        answers = await self.batch_outcomes(requests)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return answers

    async def batch_outcomes(self, requests: Sequence[Request]) -> list[Any]:
        """Return what became of each of many requests sent as one: its result, or an `RpcError` in its place.

        Raises `RpcError` where the node refuses the whole batch.
        """
        if not requests:
            return []
        replies = await self._post(
            [
                {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
                for index, (method, params) in enumerate(requests)
            ]
        )
        if isinstance(replies, dict):  # a node that refuses the whole batch answers with one error object
            return [_result(requests[0][0], replies)]
        by_id = {reply["id"]: reply for reply in replies}
        return [_outcome(method, by_id[index]) for index, (method, _) in enumerate(requests)]

    async def _post(self, payload: Any) -> Any:
        calls = len(payload) if isinstance(payload, list) else 1
        body = orjson.dumps(payload)
        fault: Exception | None = None
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(_backoff_seconds(attempt))
            preferred = self._preferred
            endpoint = self._endpoints[preferred % len(self._endpoints)]
            await endpoint.pace.turn(calls)
            try:
                reply = _checked(payload, await self._post_traced(endpoint, payload, body))
            except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError, MalformedReplyError) as error:
                fault = error
                if self._preferred == preferred:  # another request may have moved on from it already
                    self._preferred += 1
                if isinstance(error, aiohttp.ClientResponseError) and error.status == TOO_MANY_REQUESTS:
                    endpoint.pace.slow_down(_retry_after_seconds(error))
                self._observe(endpoint, _kind(error))
                _log.warning("rpc endpoint failed", endpoint=endpoint.host, attempt=attempt + 1, reason=_reason(error))
            else:
                endpoint.pace.recover()
                replies = reply if isinstance(reply, list) else [reply]
                refused = any(one.get("error") is not None for one in replies)
                self._observe(endpoint, "error object" if refused else "answered")
                return reply
        hosts = ", ".join(endpoint.host for endpoint in self._endpoints)
        raise RpcUnavailableError(
            f"no node answered after {self._attempts} attempts ({hosts}): {_reason(fault)}"
        ) from fault

    async def _post_traced(self, endpoint: _Endpoint, payload: Any, body: bytes) -> Any:
        """Post once, in a span where traces are configured; of an endpoint's URL it shows the host alone."""
        is_batch = isinstance(payload, list)
        attributes: dict[str, str | int] = {"rpc.system.name": "jsonrpc", "server.address": endpoint.host}
        if is_batch:
            attributes["encore.rpc.calls"] = len(payload)
        else:
            attributes["rpc.method"] = payload["method"]
        with self._tracer.start_as_current_span(
            "batch" if is_batch else payload["method"],
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await self._post_once(endpoint.url, body)
            except Exception as error:
                span.set_attribute("error.type", _kind(error))
                span.set_status(trace.StatusCode.ERROR)
                raise

    async def _post_once(self, url: str, body: bytes) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        async with self._session.post(url, data=body, headers={"Content-Type": "application/json"}) as response:
            if response.status in RETRIED_STATUSES:
                response.raise_for_status()
            return orjson.loads(await response.read())

    def _observe(self, endpoint: _Endpoint, outcome: str) -> None:
        if self._observer is not None:
            self._observer(endpoint.host, outcome)


def _checked(payload: Any, reply: Any) -> Any:
    """Return the reply as it is; raises `MalformedReplyError` where it leaves something out that was asked for."""
    if isinstance(payload, list) and isinstance(reply, list):
        is_whole = all(map(_is_reply, reply)) and {one.get("id") for one in reply} >= {one["id"] for one in payload}
    else:
        is_whole = _is_reply(reply) and (isinstance(payload, dict) or "error" in reply)
    if not is_whole:
        raise MalformedReplyError("the answer is incomplete, or not JSON-RPC")
    return reply


def _is_reply(reply: Any) -> bool:
    return isinstance(reply, dict) and (isinstance(reply.get("error"), dict) or "result" in reply)


def _result(method: str, reply: dict[str, Any]) -> Any:
    outcome = _outcome(method, reply)
    if isinstance(outcome, RpcError):
        raise outcome
    return outcome


def _outcome(method: str, reply: dict[str, Any]) -> Any:
    error = reply.get("error")
    if error is not None:
        return RpcError(method, int(error.get("code", 0)), str(error.get("message", error)), error.get("data"))
    return reply["result"]


def _backoff_seconds(attempt: int) -> float:
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**attempt)
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


def _reason(error: Exception | None) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return f"HTTP {error.status}"  # its own text names the whole URL
    return str(error) or type(error).__name__


def _kind(error: Exception) -> str:
    """The fault as a metric names it: few values, none of them the node's own words."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"HTTP {error.status}"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "connection" if isinstance(error, aiohttp.ClientError) else "malformed"


def _retry_after_seconds(error: aiohttp.ClientResponseError) -> float:
    """What Retry-After says in seconds (RFC 9110 § 10.2.3); 0 where it is missing, or a date."""
    stated = error.headers.get("Retry-After", "") if error.headers else ""
    return float(stated) if stated.isdecimal() else 0.0


def _host(endpoint: str) -> str:
    """The part of an endpoint that may be shown: providers put keys into paths and queries."""
    return urlsplit(endpoint).netloc.rpartition("@")[2]
