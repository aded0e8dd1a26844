"""The task that carries new entries of the feed to this process's subscribers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.events import repository
from api.events.messages import to_message
from api.events.relay import Relay
from api.realtime import Hub
from api.supervision import supervised
from encore.db import Database, ReadSession
from encore.db.models.chain import FEED_CHANNEL

SQLITE_POLL_SECONDS: Final = 0.02
POSTGRESQL_POLL_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 1.0
BATCH: Final = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wake:
    """When to look: as soon as `woken` is set, and every `poll_seconds`."""

    woken: asyncio.Event
    poll_seconds: float

    async def wait(self) -> None:
        """Wait until it is time to look."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), self.poll_seconds)
        self.woken.clear()  # before looking: what comes meanwhile counts


async def broadcast(
    database: Database, hub: Hub, relay: Relay | None = None, *, poll_seconds: float | None = None
) -> None:
    """Publish new feed entries until the hub closes; while the database is away, say so and try again.

    It looks when the database tells, when another process does through `relay`, and every `poll_seconds` (default: as
    the database needs). Close the hub rather than cancelling the task: a statement that is cancelled half-way loses its
    connection.
    """
    if poll_seconds is None:
        poll_seconds = SQLITE_POLL_SECONDS if database.is_sqlite else POSTGRESQL_POLL_SECONDS
    woken = asyncio.Event()
    closing = asyncio.create_task(hub.closed.wait())
    closing.add_done_callback(lambda _: woken.set())
    relaying = None if relay is None else asyncio.create_task(supervised(partial(relay.run, hub, woken)))
    try:
        await _follow(database, hub, Wake(woken, poll_seconds), relay)
    finally:
        tasks = [task for task in (closing, relaying) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(database: Database, hub: Hub, wake: Wake, relay: Relay | None) -> None:
    changes_of = _sqlite_changes if database.is_sqlite else _postgresql_changes
    while not hub.closed.is_set():
        try:
            async with aclosing(changes_of(database, hub.closed, wake)) as changes:
                async for _ in changes:
                    await _publish_new(database, hub)
                    if relay is not None:
                        relay.announce(hub.position)
        except (SQLAlchemyError, OSError) as error:
            _log.warning("feed cannot be read, trying again", reason=str(error).splitlines()[0])
            with suppress(TimeoutError):
                await asyncio.wait_for(hub.closed.wait(), RETRY_SECONDS)


async def _publish_new(database: Database, hub: Hub) -> None:
    async with database.read() as session:
        if not hub.ready.is_set():
            _, newest = await repository.bounds(session)
            hub.start(newest)
        while rows := await repository.entries_after(session, hub.position, BATCH):
            hub.publish([to_message(row) for row in rows])


async def _sqlite_changes(database: Database, closed: asyncio.Event, wake: Wake) -> AsyncGenerator[None, None]:
    """Tick once at the start and then whenever the feed may have grown, until `closed`."""
    async with database.read() as session:
        seen: int | None = None
        while not closed.is_set():
            version = await _data_version(session)
            if version != seen:
                seen = version
                yield
            await wake.wait()


async def _data_version(session: ReadSession) -> int:
    """Return a number that changes when another connection commits; it reads no table."""
    version: int = await session.scalar(text("PRAGMA data_version"))
    return version


async def _postgresql_changes(database: Database, closed: asyncio.Event, wake: Wake) -> AsyncGenerator[None, None]:
    """LISTEN, and poll besides: a notification that was missed costs one interval, not the event."""
    async with _listening(database, wake.woken) as connection:
        while not closed.is_set():
            if connection.is_closed():
                raise ConnectionError("the connection that listens was closed")
            yield
            await wake.wait()


@asynccontextmanager
async def _listening(database: Database, notified: asyncio.Event) -> AsyncIterator[Any]:
    def notify(*_: object) -> None:
        notified.set()

    async with database.engine.connect() as pooled:
        connection: Any = (await pooled.get_raw_connection()).driver_connection
        await connection.add_listener(FEED_CHANNEL, notify)
        try:
            yield connection
        finally:
            await connection.remove_listener(FEED_CHANNEL, notify)
