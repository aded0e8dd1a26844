"""The task that carries new entries of the feed to this process's subscribers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.events import repository
from api.events.messages import to_message
from api.realtime import Hub
from encore.db import Database, ReadSession
from encore.db.models.chain import FEED_CHANNEL

SQLITE_POLL_SECONDS: Final = 0.02
POSTGRESQL_POLL_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 1.0
BATCH: Final = 500

_log = structlog.get_logger(__name__)


async def broadcast(database: Database, hub: Hub) -> None:
    """Publish new feed entries until the hub closes; while the database is away, say so and try again.

    Close the hub rather than cancelling the task: a statement that is cancelled half-way loses its connection.
    """
    while not hub.closed.is_set():
        try:
            async with aclosing(_changes(database, hub.closed)) as changes:
                async for _ in changes:
                    await _publish_new(database, hub)
        except (SQLAlchemyError, OSError) as error:
            _log.warning("feed cannot be read, trying again", reason=str(error).splitlines()[0])
            await _wait(hub.closed, RETRY_SECONDS)


async def _publish_new(database: Database, hub: Hub) -> None:
    async with database.read() as session:
        if not hub.ready.is_set():
            _, newest = await repository.bounds(session)
            hub.start(newest)
        while rows := await repository.entries_after(session, hub.position, BATCH):
            hub.publish([to_message(row) for row in rows])


def _changes(database: Database, closed: asyncio.Event) -> AsyncGenerator[None, None]:
    """Tick once at the start and then whenever the feed may have grown, until `closed`."""
    return (_sqlite_changes if database.is_sqlite else _postgresql_changes)(database, closed)


async def _sqlite_changes(database: Database, closed: asyncio.Event) -> AsyncGenerator[None, None]:
    async with database.read() as session:
        seen: int | None = None
        while not closed.is_set():
            version = await _data_version(session)
            if version != seen:
                seen = version
                yield
            await _wait(closed, SQLITE_POLL_SECONDS)


async def _data_version(session: ReadSession) -> int:
    """Return a number that changes when another connection commits; it reads no table."""
    version: int = await session.scalar(text("PRAGMA data_version"))
    return version


async def _postgresql_changes(database: Database, closed: asyncio.Event) -> AsyncGenerator[None, None]:
    """LISTEN, and poll besides: a notification that was missed costs one interval, not the event."""
    async with _listening(database) as (connection, notified):
        while not closed.is_set():
            if connection.is_closed():
                raise ConnectionError("the connection that listens was closed")
            notified.clear()
            yield
            await _wait(notified, POSTGRESQL_POLL_SECONDS)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


@asynccontextmanager
async def _listening(database: Database) -> AsyncIterator[tuple[Any, asyncio.Event]]:
    notified = asyncio.Event()

    def notify(*_: object) -> None:
        notified.set()

    async with database.engine.connect() as pooled:
        connection: Any = (await pooled.get_raw_connection()).driver_connection
        await connection.add_listener(FEED_CHANNEL, notify)
        try:
            yield connection, notified
        finally:
            await connection.remove_listener(FEED_CHANNEL, notify)
