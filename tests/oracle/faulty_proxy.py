"""A JSON-RPC proxy that loses requests and answers, as a bad network and an overloaded provider do."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from encore.chain.local_node import free_port


class FaultyProxy:
    """Forwards to `upstream`; `fault_rate` of the requests go wrong, in one of four ways.

    Dropped before the node, dropped after the node accepted, refused with 429, refused with 503.
    """

    def __init__(self, upstream: str, seed: int, fault_rate: float) -> None:
        self.fault_rate = fault_rate
        self.faults = 0
        self._upstream = upstream
        self._random = random.Random(seed)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FaultyProxy"]:
        application = web.Application()
        application.router.add_post("/", self._forward)
        runner = web.AppRunner(application, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self._random.choice(["lost request", "lost answer", "429", "503"])
        faulty = self._random.random() < self.fault_rate
        self.faults += faulty
        if faulty and fault in {"429", "503"}:
            return web.Response(status=int(fault))
        if faulty and fault == "lost request":
            return self._hang_up(request)
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._upstream, data=body, headers={"Content-Type": "application/json"}) as answer,
        ):
            if faulty:
                await answer.read()
                return self._hang_up(request)
            return web.Response(body=await answer.read(), content_type="application/json")

    @staticmethod
    def _hang_up(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.close()
        return web.Response(status=503)
