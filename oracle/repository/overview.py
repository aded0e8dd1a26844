"""What `oracle status` sums up."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from encore.chain.outbox import Status
from encore.db import ReadSession
from encore.db.models.oracle import ActivityMetrics
from encore.db.models.outbox import OutboxEntry


@dataclass(frozen=True, slots=True)
class Counted:
    """How many creators have counted figures, and when any of them last changed."""

    creators: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Failure:
    """An outbox entry that failed."""

    outbox_id: int
    kind: str
    subject: str
    reason: str


async def counted(session: ReadSession) -> Counted:
    """Sum up the counted figures."""
    row = await session.first(
        select(func.count().label("creators"), func.max(ActivityMetrics.updated_at).label("changed_at")).select_from(
            ActivityMetrics
        )
    )
    return Counted(0, None) if row is None else Counted(row.creators, row.changed_at)


async def outbox(session: ReadSession, chain_id: int, sender: str) -> dict[str, int]:
    """Count a sender's entries by status, every status in its order."""
    rows = await session.all(
        select(OutboxEntry.status, func.count().label("entries"))
        .where(OutboxEntry.chain_id == chain_id, OutboxEntry.sender == sender)
        .group_by(OutboxEntry.status)
    )
    counts = {row.status: row.entries for row in rows}
    return {status: counts.get(status, 0) for status in Status}


@dataclass(frozen=True, slots=True)
class Open:
    """When the oldest entry that is not decided was queued, and how many failed lately."""

    oldest: datetime | None
    recent_failures: int


async def open_entries(session: ReadSession, chain_id: int, sender: str, since: datetime) -> Open:
    """Sum up a sender's undecided entries, and those that failed after `since`."""
    mine = (OutboxEntry.chain_id == chain_id, OutboxEntry.sender == sender)
    undecided = OutboxEntry.status.in_([Status.PENDING, Status.SENT])
    oldest = await session.scalar(
        select(func.min(OutboxEntry.created_at)).where(*mine, ~OutboxEntry.is_final, undecided)
    )
    failed = (OutboxEntry.status == Status.FAILED, OutboxEntry.updated_at > since)
    return Open(oldest, await session.scalar(select(func.count()).select_from(OutboxEntry).where(*mine, *failed)))


async def last_failures(session: ReadSession, chain_id: int, sender: str, limit: int) -> list[Failure]:
    """Return a sender's last failed entries, the newest first."""
    rows = await session.all(
        select(OutboxEntry.id, OutboxEntry.kind, OutboxEntry.subject, OutboxEntry.error)
        .where(OutboxEntry.chain_id == chain_id, OutboxEntry.sender == sender, OutboxEntry.status == Status.FAILED)
        .order_by(OutboxEntry.id.desc())
        .limit(limit)
    )
    return [Failure(row.id, row.kind, row.subject, row.error) for row in rows]
