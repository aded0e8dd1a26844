"""A JSON-RPC proxy that behaves as a bad network, an overloaded provider and a lagging node do."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from aiohttp import web

NETWORK_FAULTS = ("lost request", "lost answer", "429", "503")
"""What can become of a request whose answer would be right: lost before or after the node acted on it, or refused."""
PROVIDER_FAULTS = ("delayed", "truncated", "partial batch", "reordered logs", "too many results", "no logs", "old head")
"""What bad answers look like to a reader."""


class FaultyProxy:
    """Forwards to `upstream`; about `fault_rate` of the requests go wrong in one of the ways of `kinds`.

    `requests` counts all of them, `faults` those that really changed an answer. A delayed answer comes after
    `delay_seconds`.
    """

    def __init__(
        self,
        upstream: str,
        seed: int,
        fault_rate: float,
        kinds: Sequence[str] = NETWORK_FAULTS,
        delay_seconds: float = 0,
    ) -> None:
        self.fault_rate = fault_rate
        self.requests = 0
        self.faults: Counter[str] = Counter()
        self.url = ""
        self._upstream = upstream
        self._random = random.Random(seed)
        self._kinds = tuple(kinds)
        self._delay_seconds = delay_seconds
        self._heads: list[Any] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FaultyProxy"]:
        application = web.Application()
        application.router.add_post("/", self._forward)
        runner = web.AppRunner(application, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        body = await request.read()
        fault = self._random.choice(self._kinds)
        if self._random.random() >= self.fault_rate:
            fault = ""
        self.faults[fault] += fault in NETWORK_FAULTS or fault in {"delayed", "truncated"}
        if fault in {"429", "503"}:
            return web.Response(status=int(fault), headers={"Retry-After": "0"})
        if fault == "lost request":
            return self._hang_up(request)
        answer = await self._ask(body)
        if fault == "lost answer":
            return self._hang_up(request)
        if fault == "delayed":
            await asyncio.sleep(self._delay_seconds)
        answer = self._edited(fault, body, answer)
        if fault == "truncated":
            answer = answer[: self._random.randrange(len(answer))]
        return web.Response(body=answer, content_type="application/json")

    async def _ask(self, body: bytes) -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._upstream, data=body, headers={"Content-Type": "application/json"}) as answer,
        ):
            return await answer.read()

    def _edited(self, fault: str, body: bytes, answer: bytes) -> bytes:
        asked, answered = orjson.loads(body), orjson.loads(answer)
        replies = answered if isinstance(answered, list) else [answered]
        methods = {
            request["id"]: (request["method"], request["params"])
            for request in (asked if isinstance(asked, list) else [asked])
        }
        good = [(*methods[reply["id"]], reply) for reply in replies if reply.get("result") is not None]
        logs = [reply for method, _, reply in good if method == "eth_getLogs"]
        heads = [reply for method, params, reply in good if method == "eth_getBlockByNumber" and params[0] == "latest"]
        self._heads += [reply["result"] for reply in heads]
        before = orjson.dumps(replies)
        match fault:
            case "partial batch" if len(replies) > 1:
                replies.pop(self._random.randrange(len(replies)))
            case "reordered logs":
                for reply in logs:
                    reply["result"] = reply["result"][::-1]
            case "no logs":
                for reply in logs:
                    reply["result"] = []
            case "too many results":
                for reply in logs:
                    del reply["result"]
                    reply["error"] = {"code": -32005, "message": "query returned more than 10000 results"}
            case "old head":  # it was the newest once, on a branch that may be orphaned by now
                for reply in heads:
                    reply["result"] = self._random.choice(self._heads)
        self.faults[fault] += orjson.dumps(replies) != before
        return orjson.dumps(replies if isinstance(answered, list) else replies[0])

    @staticmethod
    def _hang_up(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.close()
        return web.Response(status=503)
