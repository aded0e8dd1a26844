"""What of the counted figures has been written to the chain, or is on its way there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.chain.outbox import Status
from encore.db import ReadSession, Row
from encore.db.models.chain import Checkpoint, CreatorMetrics, Launch, LaunchRequirements
from encore.db.models.creators import Creator
from encore.db.models.oracle import ActivityMetrics, BlockchainMetrics
from encore.db.models.outbox import OutboxEntry
from oracle.metrics import Metrics
from oracle.repository.sql import CreatorIds, among, figures, insert_into, metrics_in


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the metrics contract demands before a launch; the age in seconds."""

    monthly_streams: int
    followers: int
    maximum_age_seconds: int


@dataclass(frozen=True, slots=True)
class Published:
    """Figures that the chain has or was told, and when they were observed (unix seconds)."""

    metrics: Metrics
    observed_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A creator with a wallet: the figures counted, those that this oracle last reported, those that the mirror has.

    `reported` is None where that write failed: `write_failed`, and `write_failed_alone` where it was this creator's
    alone. `is_mirrored` tells that the mirror has figures of the report's block or a later one.
    """

    creator_id: int
    wallet: str
    counted: Metrics
    mirrored: Published | None
    reported: Published | None
    is_mirrored: bool
    has_coin: bool
    write_failed: bool
    write_failed_alone: bool

    @property
    def expected(self) -> Published | None:
        """What the chain will show once the outbox is through, where one oracle's word is enough."""
        return self.mirrored if self.reported is None or self.is_mirrored else self.reported


def standings_of(creator_ids: CreatorIds = None) -> Select[Any]:
    """Select the creators whose figures may concern the chain, those with a wallet; `standing` reads the rows."""
    written = BlockchainMetrics
    writes = select(written.outbox_id, func.count().label("creators")).group_by(written.outbox_id).cte("writes")
    columns: list[ColumnElement[Any]] = [
        Creator.__table__.c.id,
        Creator.__table__.c.wallet,
        *figures(ActivityMetrics, "counted"),
        *figures(CreatorMetrics, "mirrored"),
        CreatorMetrics.observed_at.label("mirrored_observed_at"),
        CreatorMetrics.block_number.label("mirrored_block"),
        *figures(written, "written"),
        written.observed_at.label("written_observed_at"),
        OutboxEntry.__table__.c.status,
        OutboxEntry.block_number.label("written_block"),
        writes.c.creators.label("written_together"),
        Launch.__table__.c.token,
    ]
    return (
        select(*columns)
        .join(ActivityMetrics, ActivityMetrics.creator_id == Creator.id)
        .outerjoin(CreatorMetrics, CreatorMetrics.creator == Creator.wallet)
        .outerjoin(written, and_(written.creator_id == Creator.id, written.wallet == Creator.wallet))
        .outerjoin(OutboxEntry, OutboxEntry.id == written.outbox_id)
        .outerjoin(writes, writes.c.outbox_id == written.outbox_id)
        .outerjoin(Launch, Launch.creator == Creator.wallet)
        .where(Creator.wallet.is_not(None), among(Creator.id, creator_ids))
        .order_by(Creator.id)
    )


def standing(row: Row) -> Standing:
    """Read a row of `standings_of`."""
    failed = row.status == Status.FAILED
    has_figures = row.mirrored_block is not None
    return Standing(
        creator_id=row.id,
        wallet=row.wallet,
        counted=metrics_in(row, "counted"),
        mirrored=_published(row, "mirrored") if has_figures else None,
        reported=_published(row, "written") if row.status is not None and not failed else None,
        is_mirrored=has_figures and row.written_block is not None and row.mirrored_block >= row.written_block,
        has_coin=row.token is not None,
        write_failed=failed,
        write_failed_alone=failed and row.written_together == 1,
    )


def _published(row: Any, prefix: str) -> Published:
    return Published(metrics_in(row, prefix), getattr(row, f"{prefix}_observed_at"))


async def save_published(
    connection: AsyncConnection, written: Iterable[tuple[Standing, int]], observed_at: int
) -> None:
    """Remember for each standing that its counted figures went into the outbox entry given with it."""
    rows = [
        {
            "creator_id": written_of.creator_id,
            "wallet": written_of.wallet,
            "monthly_streams": written_of.counted.monthly_streams,
            "followers": written_of.counted.followers,
            "monthly_revenue": written_of.counted.monthly_revenue,
            "engagement_score": written_of.counted.engagement_score,
            "observed_at": observed_at,
            "outbox_id": outbox_id,
        }
        for written_of, outbox_id in written
    ]
    if not rows:
        return
    statement = insert_into(connection, BlockchainMetrics)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["creator_id"],
            set_={name: statement.excluded[name] for name in rows[0] if name != "creator_id"},
        ),
        rows,
    )


async def lock_published(connection: AsyncConnection) -> None:
    """Let one process at a time decide what to write; SQLite's write transactions do so by themselves."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE blockchain_metrics IN EXCLUSIVE MODE"))


async def requirements(session: ReadSession) -> Requirements | None:
    """Return the mirrored launch requirements; None until the indexer has seen them."""
    row = await session.first(select(*LaunchRequirements.__table__.columns))
    if row is None:
        return None
    return Requirements(row.minimum_monthly_streams, row.minimum_followers, row.maximum_metrics_age_seconds)


async def indexed_block(session: ReadSession, chain_id: int) -> int | None:
    """Return the last block that the mirror holds; None before the first."""
    number: int | None = await session.scalar(select(Checkpoint.block_number).where(Checkpoint.chain_id == chain_id))
    return number
