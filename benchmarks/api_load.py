"""Load from keep-alive HTTP/1.1 clients on one event loop: as fast as a server goes, or users who think in between."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

CONNECT_AT_ONCE = 200
"""Connections opened together: below the server's backlog."""


@dataclass
class Tally:
    """What clients saw: seconds of each answer, and how many requests had none or not 200."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def requests(self) -> int:
        """How many were made."""
        return len(self.seconds) + self.errors

    def percentile(self, share: float) -> float:
        """Return the time within which that share of the answers came, in seconds."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))]


class _Client(asyncio.Protocol):
    """One connection with one request at a time: parsing as little as there is to know that an answer is whole."""

    def __init__(self) -> None:
        self._buffer = b""
        self._missing = -1
        self._answer: asyncio.Future[bool] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance

    async def get(self, request: bytes) -> bool:
        """Send a request and wait for the whole answer; returns whether it was 200."""
        assert self._transport is not None
        self._buffer, self._missing = b"", -1
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._buffer += data
            head, found, body = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            self._missing = length - len(body)
        else:
            self._missing -= len(data)
        if self._missing == 0 and self._answer is not None and not self._answer.done():
            self._answer.set_result(self._buffer.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(False)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def saturate(port: int, path: str, *, connections: int, seconds: float) -> float:
    """Ask for one path on all connections without a pause; returns answers per second."""
    clients = await _connect(port, connections)
    request = _request(path)
    until = time.perf_counter() + seconds
    answers = await asyncio.gather(*(_hurry(client, request, until) for client in clients))
    for client in clients:
        client.close()
    return sum(answers) / seconds


async def think(port: int, paths: Sequence[str], *, users: int, think_seconds: float, seconds: float) -> Tally:
    """Let `users` ask for random paths, each thinking between an answer and the next request."""
    tally, rng = Tally(), random.Random(1)
    clients = await _connect(port, users)
    requests = [_request(path) for path in paths]
    until = time.perf_counter() + seconds

    async def use(client: _Client) -> None:
        await asyncio.sleep(rng.random() * think_seconds)
        while time.perf_counter() < until:
            started = time.perf_counter()
            if await client.get(rng.choice(requests)):
                tally.seconds.append(time.perf_counter() - started)
            else:
                tally.errors += 1
                return
            await asyncio.sleep(think_seconds)

    await asyncio.gather(*map(use, clients))
    for client in clients:
        client.close()
    return tally


async def _hurry(client: _Client, request: bytes, until: float) -> int:
    answers = 0
    while time.perf_counter() < until:
        assert await client.get(request), "an answer that is not 200"
        answers += 1
    return answers


async def _connect(port: int, count: int) -> list[_Client]:
    loop = asyncio.get_running_loop()
    clients: list[_Client] = []
    while len(clients) < count:
        batch = min(CONNECT_AT_ONCE, count - len(clients))
        opened = [loop.create_connection(_Client, "127.0.0.1", port) for _ in range(batch)]
        clients += [client for _, client in await asyncio.gather(*opened)]
    return clients


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
