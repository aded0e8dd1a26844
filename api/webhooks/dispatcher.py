"""Queues a delivery for each webhook that wants an event, once, and sends what is due until it is taken."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.events.messages import coins_of, feed_event
from api.webhooks import repository, signing
from api.webhooks.schemas import DeliveryStatus
from api.webhooks.sender import Sender
from api.webhooks.telemetry import Fate, Telemetry
from encore.db import Database, Row
from encore.db.lock import ProcessLock
from encore.db.models.chain import FeedEntry
from encore.db.models.webhooks import Webhook

POLL_SECONDS: Final = 0.25
BATCH: Final = 500
MAXIMUM_IN_FLIGHT: Final = 64
MAXIMUM_IN_FLIGHT_PER_WEBHOOK: Final = 4
"""So that one receiver that does not answer holds up nobody else's."""
MAXIMUM_ATTEMPTS: Final = 10
FIRST_RETRY_SECONDS: Final = 5.0
RETRY_FACTOR: Final = 3
LONGEST_RETRY_SECONDS: Final = 21_600.0
PURGE_SECONDS: Final = 3_600.0
"""How often the log loses what is too old."""
COUNT_SECONDS: Final = 15.0
"""How often what is pending is counted, to be told."""
DATABASE_AWAY: Final = (SQLAlchemyError, asyncpg.InternalClientError, OSError)
"""asyncpg's own where the server has said why it closes the connection, and not closed it yet."""

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Carries the feed to webhooks. One of a database works at a time; `clock` in unix seconds.

    An event is queued for a webhook exactly once, and sent at least once: after a crash amid a request it is sent
    again, with the same id. Finished deliveries are kept for `log_days`.
    """

    def __init__(  # noqa: PLR0913 - its parts
        self,
        database: Database,
        sender: Sender,
        signing_key: bytes,
        clock: Callable[[], float],
        telemetry: Telemetry,
        *,
        log_days: int,
    ) -> None:
        self._database = database
        self._sender = sender
        self._signing_key = signing_key
        self._clock = clock
        self._telemetry = telemetry
        self._kept = timedelta(days=log_days)
        self._purge_at = 0.0
        self._count_at = 0.0
        self._in_flight: dict[int, tuple[int, asyncio.Task[None]]] = {}

    async def run(self, stopping: asyncio.Event, lock: ProcessLock) -> None:
        """Work until `stopping` is set, then let what is on its way end; raises `DatabaseError` once `lock` is lost."""
        while not stopping.is_set():
            await lock.check()
            queued = await self.queue()
            await self.send_due()
            await self.count()
            await self.purge()
            if not queued:
                await wait(stopping, POLL_SECONDS)
        await self.settle()

    async def queue(self) -> int:
        """Queue deliveries of the next entries of the feed, and move on from them; returns how many entries."""
        async with self._database.write() as session:
            cursor = await repository.cursor(session)
            before = cursor.position
            entries = await repository.feed_after(session, before, BATCH)
            oldest, newest = await repository.feed_bounds(session)
            if entries:
                now = self._now()
                await repository.add_deliveries(
                    session,
                    [
                        _delivery(webhook, entry, now)
                        for webhook in await repository.active(session)
                        for entry in entries
                        if _wants(webhook, entry)
                    ],
                )
                cursor.position = entries[-1].id
        if oldest > before + 1:
            _log.warning("webhooks missed events", after=before, until=oldest)
            self._telemetry.missed(oldest - before - 1)
        self._telemetry.queued(cursor.position, max(newest, cursor.position))
        return len(entries)

    async def send_due(self) -> None:
        """Start sending what is due, as much as may be on its way at once."""
        self._in_flight = {key: value for key, value in self._in_flight.items() if not value[1].done()}
        per_webhook = Counter(webhook_id for webhook_id, _ in self._in_flight.values())
        busy = [webhook_id for webhook_id, number in per_webhook.items() if number >= MAXIMUM_IN_FLIGHT_PER_WEBHOOK]
        async with self._database.read() as session:
            rows = await repository.due(session, self._now(), busy, BATCH)
        waiting = [row for row in rows if row.id not in self._in_flight]
        self._telemetry.waits(waiting[0].next_attempt_at if waiting else None)
        for row in waiting:
            is_free = per_webhook[row.webhook_id] < MAXIMUM_IN_FLIGHT_PER_WEBHOOK
            if is_free and len(self._in_flight) < MAXIMUM_IN_FLIGHT:
                per_webhook[row.webhook_id] += 1
                self._in_flight[row.id] = row.webhook_id, asyncio.create_task(self._send(row))

    async def count(self) -> None:
        """Tell how many deliveries are pending, every quarter of a minute."""
        if self._clock() >= self._count_at:
            async with self._database.read() as session:
                self._telemetry.counted(await repository.pending(session))
            self._count_at = self._clock() + COUNT_SECONDS

    async def purge(self) -> None:
        """Delete finished deliveries that are too old, once an hour; in parts, so that nobody waits for the lock."""
        if self._clock() < self._purge_at:
            return
        self._purge_at = self._clock() + PURGE_SECONDS
        deleted = BATCH
        while deleted == BATCH:
            async with self._database.write() as session:
                deleted = await repository.purge(session, self._now() - self._kept, BATCH)

    async def settle(self) -> None:
        """Wait until nothing is on its way."""
        await asyncio.gather(*(task for _, task in self._in_flight.values()))

    async def _send(self, row: Row) -> None:
        body = row.payload.encode()
        key = signing.secret_key(self._signing_key, row.webhook_id, row.generation)
        headers = signing.headers(key, f"evt_{row.event_id}", int(self._clock()), body)
        started = time.perf_counter()
        outcome = await self._sender.post(row.url, body, headers)
        seconds = time.perf_counter() - started
        attempts = row.attempts + 1
        now = self._now()
        values: dict[str, Any] = {"attempts": attempts, "response_status": outcome.status, "error": outcome.error}
        fate: Fate = "retried"
        if outcome.is_delivered:
            fate = "delivered"
            values |= {"status": DeliveryStatus.DELIVERED, "finished_at": now}
        elif attempts >= MAXIMUM_ATTEMPTS:
            fate = "given_up"
            values |= {"status": DeliveryStatus.FAILED, "finished_at": now}
            _log.warning("gave up a webhook delivery", webhook_id=row.webhook_id, event_id=row.event_id)
        else:
            values |= {"next_attempt_at": now + timedelta(seconds=retry_seconds(attempts))}
        self._telemetry.attempted(fate, seconds)
        try:
            async with self._database.write() as session:
                await repository.record(session, row.id, values)
        except DATABASE_AWAY:
            _log.warning("an attempt could not be noted", webhook_id=row.webhook_id, event_id=row.event_id, fate=fate)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


async def wait(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until `stopping` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


def retry_seconds(attempts: int) -> float:
    """Return how long to wait after so many attempts: exponential, with jitter between a half and the whole."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * RETRY_FACTOR ** (attempts - 1))
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


def _wants(webhook: Webhook, entry: FeedEntry) -> bool:
    return (not webhook.events or entry.name in webhook.events) and (
        not webhook.coins or not coins_of(entry).isdisjoint(webhook.coins)
    )


def _delivery(webhook: Webhook, entry: FeedEntry, now: datetime) -> dict[str, Any]:
    return {
        "webhook_id": webhook.id,
        "event_id": entry.id,
        "payload": feed_event(entry).model_dump_json(),
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
        "next_attempt_at": now,
        "created_at": now,
    }
