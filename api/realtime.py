"""Fan-out within one process: one publisher, subscribers with bounded queues; a slow one is dropped, not waited for."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi.sse import ServerSentEvent

QUEUE_CAPACITY: Final = 10_000
"""Messages that may wait for one subscriber before it is dropped: room for the burst of a catching-up indexer."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell; `id` grows. `name` is the chain event's, `coins` are the coins it is about (lower case)."""

    id: int
    name: str
    coins: frozenset[str]
    event: ServerSentEvent


class Subscription:
    """The queue of one subscriber; iterating ends when it was dropped or the hub closed."""

    def __init__(self, wanted: Callable[[Message], bool], capacity: int) -> None:
        self._wanted = wanted
        self._capacity = capacity
        self._queue: deque[Message] = deque()
        self._wake = asyncio.Event()
        self.is_open = True

    def offer(self, messages: Sequence[Message]) -> None:
        """Queue what is wanted of `messages`; a subscriber without room for it is dropped."""
        self._queue.extend(message for message in messages if self._wanted(message))
        if len(self._queue) > self._capacity:
            self.close()
        elif self._queue:
            self._wake.set()

    def close(self) -> None:
        """Drop the subscriber: what it has not read yet it gets when it resumes by id."""
        self.is_open = False
        self._queue.clear()
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[Message]:
        while self.is_open:
            while self._queue:
                yield self._queue.popleft()
            self._wake.clear()
            if self.is_open:
                await self._wake.wait()


class Hub:
    """Hands each published message to every subscriber that wants it.

    `position` is the id of the last message published; `ready` is set once it is known, `closed` at the end.
    """

    def __init__(self, queue_capacity: int = QUEUE_CAPACITY) -> None:
        self._queue_capacity = queue_capacity
        self._subscriptions: set[Subscription] = set()
        self.position = 0
        self.ready = asyncio.Event()
        self.closed = asyncio.Event()

    def start(self, position: int) -> None:
        """Say where the messages to come go on; those up to `position` are history."""
        self.position = position
        self.ready.set()

    def publish(self, messages: Sequence[Message]) -> None:
        """Offer `messages`, in order, to all subscribers; none is waited for."""
        self.position = messages[-1].id
        for subscription in self._subscriptions:
            subscription.offer(messages)
        self._subscriptions = {subscription for subscription in self._subscriptions if subscription.is_open}

    @contextmanager
    def subscribe(self, wanted: Callable[[Message], bool]) -> Iterator[Subscription]:
        """Receive every wanted message after `position`."""
        subscription = Subscription(wanted, self._queue_capacity)
        if self.closed.is_set():
            subscription.close()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every subscription, so that a stopping server need not wait for clients that only listen."""
        self.closed.set()
        self.ready.set()
        for subscription in self._subscriptions:
            subscription.close()
