"""Creators by name, and their counted figures beside those on chain."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, or_, select

from encore.chain.outbox import Status
from encore.db import ReadSession
from encore.db.models.chain import Checkpoint, CreatorMetrics
from encore.db.models.creators import Creator
from encore.db.models.oracle import BlockchainMetrics
from encore.db.models.outbox import OutboxEntry
from oracle.metrics import Metrics
from oracle.repository.sql import figures, metrics_in


class ReportState(StrEnum):
    """How far this oracle's last report of a creator has got."""

    NONE = "not reported yet"
    ON_ITS_WAY = "on its way"
    FAILED = "failed"
    MINED = "waits for the mirror"
    WAITS_FOR_QUORUM = "reported, waits for quorum"
    PUBLISHED = "published, changed since"
    OUTVOTED = "published, with another median"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of `oracle diff`."""

    creator_id: int
    name: str
    wallet: str
    counted: Metrics
    on_chain: Metrics | None
    state: ReportState


async def find_creator(session: ReadSession, slug_or_id: str) -> int | None:
    """Return the id of the creator with this slug or id."""
    matches = Creator.slug == slug_or_id
    if slug_or_id.isdecimal():
        matches = or_(matches, Creator.id == int(slug_or_id))
    found: int | None = await session.scalar(select(Creator.id).where(matches).order_by(Creator.slug != slug_or_id))
    return found


async def comparisons(session: ReadSession, counted: dict[int, Metrics], first_milestone: int) -> list[Comparison]:
    """Return counted figures beside mirrored ones for the creators that belong on chain, by name."""
    written = BlockchainMetrics
    statement = (
        select(
            Creator.id,
            Creator.name,
            Creator.wallet,
            CreatorMetrics.creator,
            *figures(CreatorMetrics, "mirrored"),
            CreatorMetrics.observed_at.label("mirrored_observed_at"),
            *figures(written, "written"),
            written.observed_at.label("written_observed_at"),
            OutboxEntry.status,
            OutboxEntry.block_number.label("written_block"),
            select(func.max(Checkpoint.block_number))
            .where(Checkpoint.chain_id == OutboxEntry.chain_id)
            .scalar_subquery()
            .label("indexed_block"),
        )
        .outerjoin(CreatorMetrics, CreatorMetrics.creator == Creator.wallet)
        .outerjoin(written, and_(written.creator_id == Creator.id, written.wallet == Creator.wallet))
        .outerjoin(OutboxEntry, OutboxEntry.id == written.outbox_id)
        .where(Creator.wallet.is_not(None))
        .order_by(Creator.name, Creator.id)
    )
    return [
        Comparison(
            row.id,
            row.name,
            row.wallet,
            counted[row.id],
            None if row.creator is None else metrics_in(row, "mirrored"),
            _state(row, counted[row.id]),
        )
        for row in await session.all(statement)
        if row.id in counted and (row.creator is not None or counted[row.id].monthly_streams >= first_milestone)
    ]


def _state(row: Any, counted: Metrics) -> ReportState:
    match row.status:
        case None:
            return ReportState.NONE
        case Status.FAILED:
            return ReportState.FAILED
        case Status.CONFIRMED:
            if row.creator is not None and row.mirrored_observed_at >= row.written_observed_at:
                said = metrics_in(row, "written")
                return ReportState.OUTVOTED if said == counted else ReportState.PUBLISHED
            is_mirrored = row.indexed_block is not None and row.indexed_block >= row.written_block
            return ReportState.WAITS_FOR_QUORUM if is_mirrored else ReportState.MINED
        case _:
            return ReportState.ON_ITS_WAY
