"""Live events to 1 000 WebSockets, and to 1 000 readers of Server-Sent Events, from one core, beside the usual ways.

    python benchmarks/bench_realtime.py [--ways websocket sse] [--subscribers 1000] [--events 4000] [--seconds 10]
        [--stuck 10]

A server of one process on a core of its own, as `encore api run` serves; this process commits events to the same
SQLite file and receives them over raw sockets, where it counts the events in the bytes, so that clients do not set the
pace. The references are on the same server, with each event encoded once: for WebSockets the loop of FastAPI's
documentation, `for socket in sockets: await socket.send_text(text)`, for Server-Sent Events a `StreamingResponse` for
each reader, with a queue of its own.

1. Bursts: events committed in blocks of 20, and one by one, as fast as they can be written. Deliveries are events
   received, in whatever frames. Deliveries per second of the server's CPU time are what one core does, whatever else
   runs here; deliveries/s on the wall are as fast as this process commits and counts, at most.
2. Latency: 10 events/s, from before the commit to each receipt; again beside clients that never read what they asked
   for.

Goals of the specification: 100 000 deliveries/s from one core, p99 below 250 ms.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import uvloop
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse

from api.cli import Server, listen, server_config
from api.events import repository
from api.events.messages import feed_event
from api.events.service import server_sent
from api.main import create_app
from encore.chain.local_node import free_port
from encore.db import Database
from encore.db.migrate import upgrade
from encore.db.models.chain import FeedEntry
from encore.settings import Settings
from encore.telemetry import configure_telemetry

GOAL_PER_SECOND: Final = 100_000
GOAL_SECONDS: Final = 0.25
EVENTS_PER_SECOND: Final = 10
COIN: Final = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@dataclass(frozen=True)
class Way:
    """How a client asks for the events after an id: what it sends at once, and after an upgrade; what then confirms it.

    `mark` is what each event holds once.
    """

    mark: bytes
    request: bytes
    after_upgrade: bytes
    confirmation: bytes


def websocket(after: int) -> Way:
    """Return how a WebSocket asks, by a frame masked with zeros."""
    text = json.dumps({"op": "subscribe", "channels": ["events"], "after": after}).encode()
    frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
    return Way(b'{"type":"event"', HANDSHAKE, frame, b"subscribed")


def sse(after: int) -> Way:
    """Return how a reader of Server-Sent Events asks."""
    request = f"GET /api/v1/events?after={after} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    return Way(b"event: applied\n", request, b"", b" 200 OK\r\n")


WAYS: Final = {"websocket": websocket, "sse": sse}


class Board:
    """What all clients received; `committed` holds when each event was, in order."""

    def __init__(self) -> None:
        self.deliveries = 0
        self.committed: list[float] = []
        self.latencies: list[float] = []
        self.measures_latency = False


class Client(asyncio.Protocol):
    """One subscriber that counts events in the stream of bytes."""

    def __init__(self, board: Board, way: Way) -> None:
        self._board = board
        self._way = way
        self._tail = b""
        self._transport: asyncio.Transport | None = None
        self.received = 0
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by behaviour alone
        self._transport.write(self._way.request)

    def data_received(self, data: bytes) -> None:
        """Wait for the confirmation, then count."""
        assert self._transport is not None
        if not self.ready.done():
            if b" 101 " in data:
                self._transport.write(self._way.after_upgrade)
            if self._way.confirmation in data:
                self.ready.set_result(None)
            return
        mark = self._way.mark
        data = self._tail + data
        if count := data.count(mark):
            board = self._board
            if board.measures_latency:
                now = time.monotonic()
                board.latencies += [now - at for at in board.committed[self.received : self.received + count]]
            self.received += count
            board.deliveries += count
        self._tail = data[1 - len(mark) :]

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the start where the server refuses."""
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("the server closed the connection"))


class Naive:
    """Who is told by the references, and the loop that tells them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sockets: list[WebSocket] = []
        self.queues: list[asyncio.Queue[bytes]] = []

    async def run(self) -> None:
        """Wait for each WebSocket in turn; put what streams send into their queues."""
        position = 0
        while True:
            async with self._database.read() as session:
                rows = await repository.entries_after(session, position, 500)
            for row in rows:
                position = row.id
                text = feed_event(row).model_dump_json()
                event = server_sent(row.kind, text, row.id)
                for queue in self.queues:
                    queue.put_nowait(event)
                for each in self.sockets:
                    await each.send_text(text)
            if not rows:
                await asyncio.sleep(0.02)


def naive_app(database: Database) -> FastAPI:
    """Return the references as an application."""
    naive = Naive(database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(naive.run())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/ws")
    async def connect(each: WebSocket) -> None:
        await each.accept()
        await each.receive_text()
        naive.sockets.append(each)
        await each.send_text("subscribed")
        while (await each.receive())["type"] == "websocket.receive":
            pass

    @app.get("/api/v1/events")
    async def stream() -> StreamingResponse:
        queue = asyncio.Queue[bytes]()
        naive.queues.append(queue)

        async def events() -> AsyncIterator[bytes]:
            while True:
                yield await queue.get()

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


def serve(which: str, url: str, port: int) -> None:
    """Serve one of the applications on the first core until told to end."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = Settings(database_url=url, log_level="WARNING", _env_file=None)
    configure_telemetry(settings, "bench")
    app = create_app(settings)
    if which == "naive":
        resources = app.state.resources
        app = naive_app(Database(url))
        app.state.resources = resources
    Server(server_config(app, settings)).run([listen("127.0.0.1", port)])


class World:
    """One server, its subscribers of one way, and the database that events are committed to."""

    def __init__(self, database: Database, port: int, pid: int, way: str) -> None:
        self.database = database
        self.port = port
        self.pid = pid
        self.board = Board()
        self.clients: list[Client] = []
        self._ask = WAYS[way]
        self._block = 0
        self._position = 0

    async def connect(self, count: int) -> None:
        """Open subscribers."""
        loop, way = asyncio.get_running_loop(), self._ask(self._position)
        for _ in range(count):
            _, client = await loop.create_connection(lambda: Client(self.board, way), "127.0.0.1", self.port)
            self.clients.append(client)
            await client.ready

    async def connect_stuck(self, count: int) -> list[socket.socket]:
        """Open subscribers that ask for everything and read nothing."""
        loop, way, opened = asyncio.get_running_loop(), self._ask(0), []
        for _ in range(count):
            stuck = socket.socket()
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            stuck.setblocking(False)
            await loop.sock_connect(stuck, ("127.0.0.1", self.port))
            await loop.sock_sendall(stuck, way.request)
            if way.after_upgrade:
                await loop.sock_recv(stuck, 4_096)
                await loop.sock_sendall(stuck, way.after_upgrade)
            opened.append(stuck)
        return opened

    async def commit(self, count: int) -> None:
        """Commit a block of events."""
        self._block += 1
        self._position += count
        self.board.committed += [time.monotonic()] * count
        async with self.database.write() as session:
            session.add_all(entry(self._block, index) for index in range(count))

    async def delivered(self) -> bool:
        """Wait until all subscribers have everything; returns whether they got it once, within a minute."""
        wanted = len(self.board.committed) * len(self.clients)
        give_up_at = time.monotonic() + 60
        while self.board.deliveries < wanted and time.monotonic() < give_up_at:  # noqa: ASYNC110 - setting an event costs receivers
            await asyncio.sleep(0.002)
        return all(client.received == len(self.board.committed) for client in self.clients)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the server has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def entry(block: int, index: int) -> FeedEntry:
    """Return a trade as the indexer writes it."""
    amounts = dict.fromkeys(("nativeIn", "tokensOut", "platformFee", "nativeReserve", "tokenReserve"), str(10**18))
    return FeedEntry(
        kind="applied",
        block_number=block,
        block_hash=f"0x{block:064x}",
        log_index=index,
        transaction_hash=f"0x{block:064x}",
        address=COIN.lower(),
        contract="IntegratedCreatorDEX",
        name="TokensPurchased",
        args={"token": COIN.lower(), "buyer": COIN.lower(), **amounts},
        timestamp=1_800_000_000,
    )


@asynccontextmanager
async def world(which: str, way: str) -> AsyncIterator[World]:
    """Run a server over an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/bench.db"
        upgrade(url)
        port = free_port()
        command = [sys.executable, __file__, "--serve", which, "--database-url", url, "--port", str(port)]
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ, "PYTHONPATH": "."})
        database = Database(url)
        try:
            for _ in range(600):
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
            yield World(database, port, process.pid, way)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await database.close()


async def burst(which: str, way: str, subscribers: int, events: int, per_block: int) -> tuple[float, float]:
    """Return deliveries per second on the wall, and per second of the server's CPU time."""
    async with world(which, way) as here:
        await here.connect(subscribers)
        await here.commit(per_block)  # warm
        assert await here.delivered()
        before, started, cpu = here.board.deliveries, time.monotonic(), here.cpu_seconds()
        for _ in range(events // per_block):
            await here.commit(per_block)
        assert await here.delivered(), "a subscriber has not received every event once"
        count = here.board.deliveries - before
        wall, used = count / (time.monotonic() - started), count / (here.cpu_seconds() - cpu)
    print(
        f"{which:<6} {way:<9} {per_block:>3} events a block: {wall:>10,.0f} deliveries/s, {used:>10,.0f} a CPU second"
    )
    return wall, used


async def latency(which: str, way: str, subscribers: int, seconds: float, stuck: int) -> tuple[float, float]:
    """Return p50 and p99 from commit to receipt, in seconds."""
    async with world(which, way) as here:
        await here.commit(5_000 if stuck else 1)
        held = await here.connect_stuck(stuck)
        await asyncio.sleep(1)  # the server writes until their buffers are full
        here.board.committed.clear()
        await here.connect(subscribers)
        here.board.measures_latency = True
        started = time.monotonic()
        for number in range(int(seconds * EVENTS_PER_SECOND)):
            await asyncio.sleep(max(0.0, started + number / EVENTS_PER_SECOND - time.monotonic()))
            await here.commit(1)
        assert await here.delivered(), "a subscriber has not received every event once"
        ordered = sorted(here.board.latencies)
        for each in held:
            each.close()
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    print(f"{which:<6} {way:<9} 10 events/s, {stuck} stuck: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms")
    return p50, p99


async def measure(way: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure one way."""
    results = []
    for per_block in (20, 1):
        events = arguments.events if per_block > 1 else arguments.events // 8
        naive = await burst("naive", way, arguments.subscribers, arguments.events // 10, per_block)
        ours = await burst("ours", way, arguments.subscribers, events, per_block)
        results.append(
            {
                "name": f"realtime-{way}-deliveries-{per_block}",
                "ours": round(ours[1]),
                "reference": round(naive[1]),
                "ratio": round(ours[1] / naive[1], 2),
                "goal_per_second": GOAL_PER_SECOND,
                "met": ours[1] >= GOAL_PER_SECOND,
                "per_second_on_the_wall": [round(ours[0]), round(naive[0])],
            }
        )
    reference = await latency("naive", way, arguments.subscribers, arguments.seconds, 0)
    for stuck in (0, arguments.stuck):
        p50, p99 = await latency("ours", way, arguments.subscribers, arguments.seconds, stuck)
        results.append(
            {
                "name": f"realtime-{way}-latency-{stuck}-stuck",
                "ours": round(p99, 4),
                "reference": round(reference[1], 4),
                "ratio": round(reference[1] / p99, 2),
                "goal_seconds": GOAL_SECONDS,
                "met": p99 <= GOAL_SECONDS,
                "p50": round(p50, 4),
            }
        )
    return results


async def measure_all(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every way that was asked for."""
    return [result for way in arguments.ways for result in await measure(way, arguments)]


def main() -> None:
    """Read the arguments, measure, print one JSON list as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=4_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--stuck", type=int, default=10)
    parser.add_argument("--serve", choices=("ours", "naive"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--database-url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.database_url, arguments.port)
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores - {min(cores)} or cores)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measure_all(arguments))))


if __name__ == "__main__":
    main()
