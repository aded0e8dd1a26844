"""What of creators' revenue is to be shared out, by what was recorded and what the outbox has carried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, literal, select

from encore.chain.outbox import Status
from encore.db import ReadSession, Row
from encore.db.models.chain import CreatorMetrics, Launch
from encore.db.models.creators import Creator
from encore.db.models.outbox import OutboxEntry
from encore.db.models.revenue import Revenue
from encore.db.types import Uint256, wei_sum
from oracle.repository.activity import unix_seconds
from oracle.repository.attempts import Attempts, attempts_at, attempts_columns, attempts_in, none_under_way

DISTRIBUTION_KIND: Final = "distribution"
MINIMUM_MONTHLY_REVENUE: Final = 10**18
"""CreatorTokenFactory.minimumMonthlyRevenue, in wei: below it revenue backing is not enabled."""
LEAST_DISTRIBUTION: Final = 10**16
"""Wei; of less, a tenth for the holders would be below what a coin distributes. It waits for the next month."""


@dataclass(frozen=True, slots=True)
class OwedRevenue:
    """What a creator earned since its coin was launched and before a month began, less what was distributed, in wei."""

    wallet: str
    subject: str
    amount: int
    attempts: Attempts


async def owed_revenue(session: ReadSession, factory: str, chain_id: int, before: datetime) -> list[OwedRevenue]:
    """Return what is owed of revenue earned before `before`, the first of a month, by creators whose revenue suffices.

    Invariant: of a creator's revenue no wei goes out twice, as what is owed is the sum of what was recorded less the
    sum of what the outbox carries, failed entries left out. What is recorded late is owed the next month.
    """
    sent_now = attempts_at(DISTRIBUTION_KIND, chain_id)
    subject = Launch.creator + "@" + literal(f"{before:%Y-%m}")
    earned = (
        select(Revenue.creator_id, Launch.creator.label("wallet"), wei_sum(Revenue.amount_wei).label("amount"))
        .join(Creator, Creator.id == Revenue.creator_id)
        .join(Launch, Launch.creator == Creator.wallet)
        .where(Revenue.earned_at < before, unix_seconds(Revenue.earned_at) >= Launch.timestamp)
        .group_by(Revenue.creator_id, Launch.creator)
        .cte("earned")
    )
    statement = (
        select(Launch.creator.label("wallet"), subject.label("subject"), earned.c.amount, *attempts_columns(sent_now))
        .join(earned, earned.c.wallet == Launch.creator)
        .join(CreatorMetrics, CreatorMetrics.creator == Launch.creator)
        .outerjoin(sent_now, and_(sent_now.c.subject == subject, sent_now.c.to_address == factory))
        .where(
            CreatorMetrics.monthly_revenue >= literal(MINIMUM_MONTHLY_REVENUE, Uint256()),
            none_under_way(sent_now),
        )
        .order_by(Launch.creator)
    )
    distributed = _by_wallet(await _distributed(session, factory, chain_id))
    owed = [
        OwedRevenue(row.wallet, row.subject, row.amount - distributed.get(row.wallet, 0), attempts_in(row))
        for row in await session.all(statement)
    ]
    return [each for each in owed if each.amount >= LEAST_DISTRIBUTION]


async def _distributed(session: ReadSession, factory: str, chain_id: int) -> Sequence[Row]:
    return await session.all(
        select(OutboxEntry.subject, wei_sum(OutboxEntry.value).label("amount"))
        .where(
            OutboxEntry.kind == DISTRIBUTION_KIND,
            OutboxEntry.chain_id == chain_id,
            OutboxEntry.to_address == factory,
            OutboxEntry.status != Status.FAILED,
        )
        .group_by(OutboxEntry.subject)
    )


def _by_wallet(rows: Sequence[Row]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        wallet = row.subject.partition("@")[0]
        sums[wallet] = sums.get(wallet, 0) + row.amount
    return sums
