"""Fan-out within one process: one publisher, many subscribers; a slow one is dropped, not waited for."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

QUEUE_BYTES: Final = 8_000_000
"""What may wait for one subscriber before it is dropped: room for the burst of a catching-up indexer. Equal audiences
share what waits, so that many slow ones hold little more than one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One JSON text, encoded once for everybody, and the channels that it goes to; `kind` is event or price."""

    kind: str
    channels: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """What one entry of the feed has to tell; `id` grows. `verb` is applied or undone, `name` the chain event's."""

    id: int
    verb: str
    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one audience gets of messages that were published together: `content` is made once and shared."""

    messages: Sequence[Message]
    content: bytes


Audience = Callable[[Sequence[Message]], Delivery | None]
"""Selects what its subscribers want and encodes it; None: nothing of it. Equal audiences share their deliveries."""

Write = Callable[[bytes], bool]
"""Sends at once what needs no waiting, and returns whether it did."""


class Subscription:
    """The queue of one subscriber; iterating ends when it was dropped or the hub closed.

    What comes while its reader waits goes through `write`, where that takes it: no task need be woken for a client that
    keeps up. Messages up to `after` are left to the reader. `dropped` is set at the end, for whoever must know while
    the reader is stuck in sending.
    """

    def __init__(self, capacity_bytes: int, after: int, write: Write | None, dropped: asyncio.Event) -> None:
        self._capacity_bytes = capacity_bytes
        self._after = after
        self._write = write
        self._queue: deque[Delivery] = deque()
        self._waiting_bytes = 0
        self._is_reading = False
        self._wake = asyncio.Event()
        self._dropped = dropped

    @property
    def is_open(self) -> bool:
        """Whether there may be more to come."""
        return not self._dropped.is_set()

    @property
    def is_idle(self) -> bool:
        """Whether the reader has come back for more, and there is none."""
        return self.is_open and not self._queue and not self._is_reading

    def offer(self, delivery: Delivery) -> None:
        """Write or queue a delivery; a subscriber without room for it is dropped."""
        is_new = delivery.messages[0].id > self._after
        if self._write is not None and is_new and self.is_idle and self._write(delivery.content):
            return
        if self._queue and self._waiting_bytes + len(delivery.content) > self._capacity_bytes:
            self.close()
            return
        self._queue.append(delivery)
        self._waiting_bytes += len(delivery.content)
        self._wake.set()

    def close(self) -> None:
        """Drop the subscriber: what it has not read yet it gets when it resumes by id."""
        self._dropped.set()
        self._queue.clear()
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        while self.is_open:
            while self._queue:
                delivery = self._queue.popleft()
                self._waiting_bytes -= len(delivery.content)
                self._is_reading = True
                yield delivery
                self._is_reading = False
            self._wake.clear()
            if self.is_open:
                await self._wake.wait()


class Hub:
    """Hands published messages to every subscriber, selected and encoded once for all of the same audience.

    `position` is the id of the last message published; `ready` is set once it is known, `closed` at the end.
    """

    def __init__(self, queue_bytes: int = QUEUE_BYTES) -> None:
        self._queue_bytes = queue_bytes
        self._subscriptions: dict[Audience, set[Subscription]] = {}
        self.position = 0
        self.ready = asyncio.Event()
        self.closed = asyncio.Event()

    def start(self, position: int) -> None:
        """Say where the messages to come go on; those up to `position` are history."""
        self.position = position
        self.ready.set()

    def publish(self, messages: Sequence[Message]) -> None:
        """Offer `messages`, in order, to all subscribers; none is waited for."""
        # Encoded for all before anything is offered: what cannot be encoded is tried again, and nobody gets it twice.
        deliveries = [(audience(messages), subscriptions) for audience, subscriptions in self._subscriptions.items()]
        self.position = messages[-1].id
        for delivery, subscriptions in deliveries:
            if delivery is not None:
                for subscription in subscriptions:
                    subscription.offer(delivery)
        for audience, subscriptions in list(self._subscriptions.items()):
            self._keep(audience, {subscription for subscription in subscriptions if subscription.is_open})

    @contextmanager
    def subscribe(
        self, audience: Audience, dropped: asyncio.Event | None = None, *, after: int = 0, write: Write | None = None
    ) -> Iterator[Subscription]:
        """Receive everything after `position` that is for `audience`; see `Subscription`."""
        subscription = Subscription(self._queue_bytes, after, write, dropped or asyncio.Event())
        if self.closed.is_set():
            subscription.close()
        self._subscriptions.setdefault(audience, set()).add(subscription)
        try:
            yield subscription
        finally:
            self._keep(audience, self._subscriptions.get(audience, set()) - {subscription})

    def close(self) -> None:
        """End every subscription, so that a stopping server need not wait for clients that only listen."""
        self.closed.set()
        self.ready.set()
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.close()

    def _keep(self, audience: Audience, subscriptions: set[Subscription]) -> None:
        if subscriptions:
            self._subscriptions[audience] = subscriptions
        else:
            self._subscriptions.pop(audience, None)
