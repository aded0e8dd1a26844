"""Rules of live events: what each kind of subscriber is sent, and resuming without a gap."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.events import repository, schemas
from api.events.connections import Writer, http_chunk, text_frame
from api.events.messages import to_message
from api.realtime import Audience, Delivery, Hub, Message, Subscription, Write
from encore.db import Database, ReadSession

REPLAY_BATCH: Final = 500

Read = TypeVar("Read")

_log = structlog.get_logger(__name__)


def server_sent(event: str, data: str, event_id: int) -> bytes:
    """Encode a Server-Sent Event; `data` is JSON, which holds no line breaks."""
    return f"event: {event}\ndata: {data}\nid: {event_id}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who reads Server-Sent Events of one `kind`: on any of `channels`, and with any of `names` (empty: all).

    One chunk of the answer holds all that came together.
    """

    kind: str
    channels: frozenset[str]
    names: frozenset[str] = frozenset()

    def __call__(self, messages: Sequence[Message]) -> Delivery | None:
        """Select and encode."""
        events = [
            server_sent(message.verb, part.text, message.id)
            for message in messages
            if not self.names or message.name in self.names
            for part in message.parts
            if part.kind == self.kind and not self.channels.isdisjoint(part.channels)
        ]
        return Delivery(messages, http_chunk(b"".join(events))) if events else None


@dataclass(frozen=True, slots=True)
class Sockets:
    """Who is connected by WebSocket with the same `channels`: one frame, a JSON array, holds all that came together."""

    channels: frozenset[str]

    def __call__(self, messages: Sequence[Message]) -> Delivery | None:
        """Select and encode."""
        texts = [
            part.text for message in messages for part in message.parts if not self.channels.isdisjoint(part.channels)
        ]
        return Delivery(messages, text_frame(f"[{','.join(texts)}]")) if texts else None


@dataclass(frozen=True, slots=True)
class Gap:
    """The events after the id that was asked for are no longer kept; the stream goes on at `position`."""

    asked: int
    position: int

    def wire(self) -> schemas.FeedReset:
        """Return its wire form."""
        return schemas.FeedReset(
            id=self.position,
            reason=f"events after {self.asked} cannot be replayed; the feed goes on at {self.position}",
        )


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed of this process: what was is in the database, what comes is in the hub."""

    database: Database
    hub: Hub


class Stream:
    """What is for one subscriber after the id `after` (None: from now on): first what was, then as it comes.

    Iterating ends when the subscriber was too slow, its `lifetime_seconds` are over or the process stops; `dropped` is
    set then, also while the reader is stuck. What `write` takes at once is not iterated over. It
    goes on by asking again after `position`.
    """

    def __init__(  # noqa: PLR0913 - the last three are for few
        self,
        feed: Feed,
        audience: Audience,
        after: int | None,
        *,
        write: Write | None = None,
        dropped: asyncio.Event | None = None,
        lifetime_seconds: float | None = None,
    ) -> None:
        self._database = feed.database
        self._hub = feed.hub
        self._audience = audience
        self._after = after
        self._write = write
        self._dropped = dropped or asyncio.Event()
        self._ends_at = None if lifetime_seconds is None else asyncio.get_running_loop().time() + lifetime_seconds
        self._position = after
        self._subscription: Subscription | None = None

    @property
    def position(self) -> int | None:
        """The id up to which everything for the subscriber was taken by its reader."""
        if self._subscription is not None and self._subscription.is_idle:
            return max(self._hub.position, self._position or 0)
        return self._position

    async def __aiter__(self) -> AsyncGenerator[Delivery | Gap, None]:
        await self._hub.ready.wait()
        position = self._hub.position if self._after is None else self._after
        if self._after is not None:
            oldest, newest = await self._read(repository.bounds)
            if self._after > newest or self._after < oldest - 1:
                position = newest
                yield Gap(self._after, newest)
        # Not subscribed yet: a long replay must not fill a queue that nobody empties.
        while position < self._hub.position and not self._hub.closed.is_set():
            rows = await self._read(partial(repository.entries_after, position=position, limit=REPLAY_BATCH))
            if not rows:
                break
            self._position, position = position, rows[-1].id
            if (delivery := self._audience([to_message(row) for row in rows])) is not None:
                yield delivery
        self._position = position
        with self._subscribed(position) as subscription:
            async for published in subscription:
                if published.messages[0].id > position:
                    yield published
                # The hub was behind the database, and this was replayed, or a part of it.
                elif rest := self._audience([message for message in published.messages if message.id > position]):
                    yield rest
                self._position = published.messages[-1].id

    @contextmanager
    def _subscribed(self, position: int) -> Iterator[Subscription]:
        with self._hub.subscribe(self._audience, self._dropped, after=position, write=self._write) as subscription:
            timer = self._ends_at and asyncio.get_running_loop().call_at(self._ends_at, subscription.close)
            self._subscription = subscription
            try:
                yield subscription
            finally:
                if timer:
                    timer.cancel()

    async def _read(self, query: Callable[[ReadSession], Awaitable[Read]]) -> Read:
        """Run `query` to its end even when the client leaves: a statement that is cancelled loses its connection."""

        async def run() -> Read:
            async with self._database.read() as session:
                return await query(session)

        return await asyncio.shield(asyncio.create_task(run()))


async def deliver(stream: Stream, writer: Writer, reset: Callable[[Gap], bytes]) -> None:
    """Write what a stream brings, a gap as `reset` encodes it, until the stream or the connection ends."""
    try:
        async with aclosing(aiter(stream)) as deliveries:  # at once: nothing is written to who unsubscribed
            async for delivery in deliveries:
                if not await writer.write(reset(delivery) if isinstance(delivery, Gap) else delivery.content):
                    return
    except SQLAlchemyError as error:
        _log.warning("feed cannot be read, ending a stream", reason=str(error).splitlines()[0])
