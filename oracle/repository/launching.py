"""Who may launch a coin, by what the mirror and the outbox say."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, select, true

from encore.db import ReadSession
from encore.db.models.chain import CreatorMetrics, Launch, LaunchRequirements
from encore.db.models.creators import Creator
from oracle.repository.attempts import Attempts, attempts_at, attempts_columns, attempts_in, none_under_way

LAUNCH_KIND: Final = "launch"


@dataclass(frozen=True, slots=True)
class LaunchCandidate:
    """A creator who meets the requirements according to the mirror and has no coin and no launch on its way."""

    creator_id: int
    wallet: str
    name: str
    description: str
    image_url: str
    attempts: Attempts


async def launch_candidates(session: ReadSession, factory: str, chain_id: int) -> list[LaunchCandidate]:
    """Return who may launch by what the mirror says, in the order of creators; `factory` is lower case."""
    launches = attempts_at(LAUNCH_KIND, chain_id)
    statement = (
        select(
            CreatorMetrics.creator.label("wallet"),
            Creator.name,
            Creator.id.label("creator_id"),
            Creator.description,
            Creator.image_url,
            *attempts_columns(launches),
        )
        .join(Creator, Creator.wallet == CreatorMetrics.creator)
        .join(LaunchRequirements, true())
        .outerjoin(Launch, Launch.creator == CreatorMetrics.creator)
        .outerjoin(launches, and_(launches.c.subject == CreatorMetrics.creator, launches.c.to_address == factory))
        .where(
            CreatorMetrics.monthly_streams >= LaunchRequirements.minimum_monthly_streams,
            CreatorMetrics.followers >= LaunchRequirements.minimum_followers,
            Launch.creator.is_(None),
            none_under_way(launches),
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
            attempts=attempts_in(row),
        )
        for row in await session.all(statement)
    ]
