import asyncio
import time

from sqlalchemy import func, select

from api.events.broadcast import POSTGRESQL_POLL_SECONDS, broadcast
from api.events.service import Sockets
from api.realtime import Hub
from encore.db import Database
from encore.db.models.chain import FEED_CHANNEL
from tests.factories import feed_entry

ROUNDS = 12


async def test_a_notification_on_postgresql_is_heard_sooner_than_the_next_poll(postgres_url: str) -> None:
    database, hub = Database(postgres_url), Hub()
    broadcaster = asyncio.create_task(broadcast(database, hub))
    await hub.ready.wait()
    waits = []
    with hub.subscribe(Sockets(frozenset({"events"}))) as subscription:
        messages = aiter(subscription)
        for _ in range(ROUNDS):
            async with database.write() as session:
                session.add(feed_entry())
                await session.execute(select(func.pg_notify(FEED_CHANNEL, "")))
            started = time.perf_counter()
            await anext(messages)
            waits.append(time.perf_counter() - started)
    hub.close()
    await broadcaster
    await database.close()
    # Polling alone would wait for half an interval on average.
    assert sorted(waits)[ROUNDS // 2] < POSTGRESQL_POLL_SECONDS / 4
