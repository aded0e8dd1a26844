"""Who may launch a coin, by what the mirror and the outbox say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import case, func, select, true

from encore.chain.outbox import Status
from encore.db import ReadSession
from encore.db.models.chain import CreatorMetrics, Launch, LaunchRequirements
from encore.db.models.creators import Creator
from encore.db.models.outbox import OutboxEntry

LAUNCH_KIND: Final = "launch"


@dataclass(frozen=True, slots=True)
class LaunchCandidate:
    """A creator who meets the requirements according to the mirror and has no coin and no launch on its way."""

    creator_id: int
    wallet: str
    name: str
    description: str
    image_url: str
    observed_at: int
    failures: int
    last_failure: datetime | None


async def launch_candidates(session: ReadSession, factory: str, chain_id: int) -> list[LaunchCandidate]:
    """Return who may launch by what the mirror says, in the order of creators; `factory` is lower case."""
    launches = (
        select(
            OutboxEntry.subject,
            func.count().label("failures"),
            func.max(OutboxEntry.updated_at).label("last_failure"),
            func.sum(case((OutboxEntry.status != Status.FAILED, 1), else_=0)).label("under_way"),
        )
        .where(OutboxEntry.kind == LAUNCH_KIND, OutboxEntry.chain_id == chain_id, OutboxEntry.to_address == factory)
        .group_by(OutboxEntry.subject)
        .cte("launches_sent")
    )
    statement = (
        select(
            CreatorMetrics.creator.label("wallet"),
            Creator.name,
            Creator.id.label("creator_id"),
            Creator.description,
            Creator.image_url,
            CreatorMetrics.observed_at,
            func.coalesce(launches.c.failures, 0).label("failures"),
            launches.c.last_failure,
        )
        .join(Creator, Creator.wallet == CreatorMetrics.creator)
        .join(LaunchRequirements, true())
        .outerjoin(Launch, Launch.creator == CreatorMetrics.creator)
        .outerjoin(launches, launches.c.subject == CreatorMetrics.creator)
        .where(
            CreatorMetrics.monthly_streams >= LaunchRequirements.minimum_monthly_streams,
            CreatorMetrics.followers >= LaunchRequirements.minimum_followers,
            Launch.creator.is_(None),
            func.coalesce(launches.c.under_way, 0) == 0,
        )
        .order_by(Creator.id)
    )
    return [
        LaunchCandidate(
            creator_id=row.creator_id,
            wallet=row.wallet,
            name=row.name,
            description=row.description,
            image_url=row.image_url,
            observed_at=row.observed_at,
            failures=row.failures,
            last_failure=row.last_failure,
        )
        for row in await session.all(statement)
    ]
