"""SQL of webhooks and their deliveries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, text, update

from api.pagination import LIMIT, Window, before
from encore.db import ReadSession, Row, WriteSession
from encore.db.models.chain import FeedEntry
from encore.db.models.webhooks import Webhook, WebhookCursor, WebhookDelivery

PENDING = "pending"
IS_PENDING: Final = text("webhook_deliveries.status = 'pending'")
"""As the index has it: with a parameter for the word, PostgreSQL may plan without the index."""

_DUE: Final = (
    select(
        WebhookDelivery.id,
        WebhookDelivery.webhook_id,
        WebhookDelivery.event_id,
        WebhookDelivery.payload,
        WebhookDelivery.attempts,
        WebhookDelivery.next_attempt_at,
        Webhook.url,
        Webhook.generation,
    )
    .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    .where(
        IS_PENDING,
        WebhookDelivery.next_attempt_at <= bindparam("now"),
        WebhookDelivery.webhook_id.not_in(bindparam("except_for", expanding=True)),
    )
    .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.id)
    .limit(LIMIT)
)
_PENDING: Final = select(func.count()).select_from(WebhookDelivery).where(IS_PENDING)


async def owned(session: WriteSession, account_id: int, webhook_id: int) -> Webhook | None:
    """Return a webhook of the account."""
    return await session.scalar(select(Webhook).where(Webhook.id == webhook_id, Webhook.account_id == account_id))


async def count(session: WriteSession, account_id: int) -> int:
    """Return how many webhooks an account has."""
    number = await session.scalar(select(func.count()).select_from(Webhook).where(Webhook.account_id == account_id))
    return number or 0


async def remove(session: WriteSession, account_id: int, webhook_id: int) -> bool:
    """Delete a webhook of the account with its deliveries; returns whether there was one."""
    gone: Any = await session.execute(delete(Webhook).where(Webhook.id == webhook_id, Webhook.account_id == account_id))
    return bool(gone.rowcount)


async def webhooks(session: ReadSession, account_id: int, window: Window) -> Sequence[Row]:
    """Return the account's webhooks, the newest first."""
    statement = select(*Webhook.__table__.columns).where(Webhook.account_id == account_id)
    if window.continues:
        statement = statement.where(before(Webhook.id))
    return await session.all(statement.order_by(Webhook.id.desc()).limit(LIMIT), window.parameters())


async def webhook(session: ReadSession, account_id: int, webhook_id: int) -> Row | None:
    """Return a webhook of the account."""
    return await session.first(
        select(*Webhook.__table__.columns).where(Webhook.id == webhook_id, Webhook.account_id == account_id)
    )


async def deliveries(session: ReadSession, webhook_id: int, status: str | None, window: Window) -> Sequence[Row]:
    """Return a webhook's deliveries, the newest first."""
    statement = select(*WebhookDelivery.__table__.columns).where(WebhookDelivery.webhook_id == webhook_id)
    if status is not None:
        statement = statement.where(WebhookDelivery.status == status)
    if window.continues:
        statement = statement.where(before(WebhookDelivery.id))
    return await session.all(statement.order_by(WebhookDelivery.id.desc()).limit(LIMIT), window.parameters())


async def queue_again(
    session: WriteSession, webhook_id: int, now: datetime, *, after: int | None = None, delivery_id: int | None = None
) -> int:
    """Make deliveries due that are no longer pending: all after an event's id, or the one; returns how many."""
    statement = update(WebhookDelivery).where(
        WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.status != PENDING
    )
    if after is not None:
        statement = statement.where(WebhookDelivery.event_id > after)
    if delivery_id is not None:
        statement = statement.where(WebhookDelivery.id == delivery_id)
    changed: Any = await session.execute(
        statement.values(status=PENDING, attempts=0, next_attempt_at=now, finished_at=None)
    )
    return int(changed.rowcount)


async def cursor(session: WriteSession) -> WebhookCursor:
    """Return how far deliveries were queued; at first, all that is in the feed is history."""
    known = await session.get(WebhookCursor, 1, with_for_update=True)
    if known is None:
        newest = await session.scalar(select(func.max(FeedEntry.id)))
        known = WebhookCursor(id=1, position=newest or 0)
        session.add(known)
    return known


async def feed_after(session: WriteSession, position: int, limit: int) -> Sequence[FeedEntry]:
    """Return entries of the feed after an id."""
    return (
        await session.scalars(select(FeedEntry).where(FeedEntry.id > position).order_by(FeedEntry.id).limit(limit))
    ).all()


async def feed_bounds(session: WriteSession) -> tuple[int, int]:
    """Return the ids of the oldest and the newest entry that is kept; 0 where there is none."""
    oldest = await session.scalar(select(func.min(FeedEntry.id)))
    newest = await session.scalar(select(func.max(FeedEntry.id)))
    return oldest or 0, newest or 0


async def active(session: WriteSession) -> Sequence[Webhook]:
    """Return the webhooks that something is queued for; until that is done, nobody deletes them."""
    found = await session.scalars(select(Webhook).where(Webhook.is_active).with_for_update(read=True, key_share=True))
    return found.all()


async def add_deliveries(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue deliveries."""
    if rows:
        await session.execute(insert(WebhookDelivery), [dict(row) for row in rows])


async def due(session: ReadSession, now: datetime, except_for: Sequence[int], limit: int) -> Sequence[Row]:
    """Return pending deliveries that are due, with where they go, the longest due first.

    Webhooks of `except_for` are left out: those of one that is stuck would fill every answer.
    """
    return await session.all(_DUE, {"now": now, "except_for": except_for, "limit": limit})


async def pending(session: ReadSession) -> int:
    """Return how many deliveries are neither taken nor given up; counted in the index of what is due."""
    number: int = await session.scalar(_PENDING)
    return number


async def purge(session: WriteSession, before_time: datetime, limit: int) -> int:
    """Delete `limit` deliveries that were finished before a time; returns how many there were."""
    old = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.finished_at < before_time)
        .order_by(WebhookDelivery.finished_at)
        .limit(limit)
    )
    gone: Any = await session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)))
    return int(gone.rowcount)


async def record(session: WriteSession, delivery_id: int, values: Mapping[str, Any]) -> None:
    """Write down what became of an attempt."""
    await session.execute(update(WebhookDelivery).where(WebhookDelivery.id == delivery_id).values(**values))
