"""A real HTTP server around an application."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from api.cli import Server
from api.events.connections import HttpConnection, WebSocketConnection
from api.realtime import Hub
from encore.chain.local_node import free_port
from tests.support import eventually


@dataclass(frozen=True)
class LiveEvent:
    """One server-sent event."""

    event: str
    id: int
    data: str


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve `app` with uvicorn, as the command does; yields its base URL."""
    port = free_port()
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=HttpConnection,
        ws=WebSocketConnection,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    server = Server(config)
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


class SocketClient:
    """One WebSocket; what came in a frame is handed out one by one."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._received: list[dict[str, Any]] = []

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return the answer, which comes next where nothing else is on its way."""
        await self.connection.send(json.dumps(request))
        return await self.next()

    async def next(self) -> dict[str, Any]:
        """Return the next message."""
        while not self._received:
            self._received = json.loads(await asyncio.wait_for(self.connection.recv(), 20))
        return self._received.pop(0)

    async def take(self, count: int) -> list[dict[str, Any]]:
        """Return the next messages."""
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def connected(base: str) -> AsyncIterator[SocketClient]:
    """Open a WebSocket."""
    async with connect(f"{base.replace('http', 'ws')}/ws", max_size=None) as connection:
        yield SocketClient(connection)


@asynccontextmanager
async def listening(base: str, path: str = "/api/v1/events", **kwargs: Any) -> AsyncIterator[AsyncIterator[LiveEvent]]:
    """Open a stream of events; yields the events as they come."""
    async with (
        httpx2.AsyncClient(base_url=base, timeout=30) as client,
        client.stream("GET", path, **kwargs) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response)


async def connected_without_reading(base: str, request: bytes) -> socket.socket:
    """Send a request on a connection of its own, for which the kernel keeps little that is not read."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    stuck.setblocking(False)
    host, port = base.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stuck, (host, int(port)))
    await loop.sock_sendall(stuck, request)
    return stuck


def subscribers(hub: Hub) -> int:
    """How many a hub publishes to."""
    return sum(map(len, hub._subscriptions.values()))


async def _events(response: httpx2.Response) -> AsyncIterator[LiveEvent]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield LiveEvent(fields["event"], int(fields["id"]), fields["data"])
            fields = {}
