"""Creators by name, and their counted figures beside those on chain."""

from dataclasses import dataclass

from sqlalchemy import or_, select

from encore.db import ReadSession
from encore.db.models.chain import CreatorMetrics
from encore.db.models.creators import Creator
from oracle.metrics import Metrics
from oracle.repository.sql import figures, metrics_in


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of `oracle diff`."""

    creator_id: int
    name: str
    wallet: str
    counted: Metrics
    on_chain: Metrics | None


async def find_creator(session: ReadSession, slug_or_id: str) -> int | None:
    """Return the id of the creator with this slug or id."""
    matches = Creator.slug == slug_or_id
    if slug_or_id.isdecimal():
        matches = or_(matches, Creator.id == int(slug_or_id))
    found: int | None = await session.scalar(select(Creator.id).where(matches).order_by(Creator.slug != slug_or_id))
    return found


async def comparisons(session: ReadSession, counted: dict[int, Metrics], first_milestone: int) -> list[Comparison]:
    """Return counted figures beside mirrored ones for the creators that belong on chain, by name."""
    statement = (
        select(Creator.id, Creator.name, Creator.wallet, CreatorMetrics.creator, *figures(CreatorMetrics, "mirrored"))
        .outerjoin(CreatorMetrics, CreatorMetrics.creator == Creator.wallet)
        .where(Creator.wallet.is_not(None))
        .order_by(Creator.name, Creator.id)
    )
    return [
        Comparison(
            row.id, row.name, row.wallet, counted[row.id], None if row.creator is None else metrics_in(row, "mirrored")
        )
        for row in await session.all(statement)
        if row.id in counted and (row.creator is not None or counted[row.id].monthly_streams >= first_milestone)
    ]
