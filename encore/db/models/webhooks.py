"""Webhooks: who is told of what, and each delivery."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Base


class Webhook(Base):
    """A subscription: events with any of `events` (names) about any of `coins` (lower case); empty means all.

    The secret is derived from the API's and from `generation`, which grows when it is changed: it is stored nowhere.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    url: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(String(200))
    events: Mapped[list[str]] = mapped_column(JSON)
    coins: Mapped[list[str]] = mapped_column(JSON)
    is_active: Mapped[bool]
    generation: Mapped[int]
    created_at: Mapped[datetime]


class WebhookCursor(Base):
    """Up to which entry of the feed deliveries were queued; the only row has id 1."""

    __tablename__ = "webhook_cursor"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]


class WebhookDelivery(Base):
    """One event for one webhook, queued once. `status` is pending, delivered or failed (given up).

    `response_status` and `error` are of the last attempt; a pending one is due at `next_attempt_at`.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        Index(None, "webhook_id", "id"),
        Index(None, "finished_at"),
        Index(
            "ix_webhook_deliveries_due",
            "next_attempt_at",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[int]
    payload: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(9))
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime]
    response_status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
