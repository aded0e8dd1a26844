"""Which launched coins may release supply, by what the mirror and the outbox say."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import String, and_, cast, select

from encore.db import ReadSession
from encore.db.models.chain import Checkpoint, CreatorMetrics, Launch
from encore.db.models.chain_tokens import BalancedToken
from oracle.repository.attempts import Attempts, attempts_at, attempts_columns, attempts_in, none_under_way

RELEASE_KIND: Final = "release"
RELEASE_INTERVAL_SECONDS: Final = 30 * 86_400
"""BalancedCreatorToken.releaseInterval."""
METRICS_MAXIMUM_AGE_SECONDS: Final = 7 * 86_400
"""BalancedCreatorToken.releaseMetricsMaximumAge."""


@dataclass(frozen=True, slots=True)
class ReleaseCandidate:
    """A coin whose last release is long enough ago; `subject` names this release in the outbox.

    Whether its creator grew enough is for the coin to say; it says the same until `metrics_block` changes.
    """

    token: str
    subject: str
    metrics_block: int
    attempts: Attempts


async def release_candidates(session: ReadSession, chain_id: int) -> list[ReleaseCandidate]:
    """Return the coins that time and the age of the figures let release at the mirror's last block, by address."""
    releases = attempts_at(RELEASE_KIND, chain_id)
    subject = BalancedToken.token + "@" + cast(BalancedToken.last_release_at, String)
    statement = (
        select(
            BalancedToken.token,
            subject.label("subject"),
            CreatorMetrics.block_number.label("metrics_block"),
            *attempts_columns(releases),
        )
        .join(Launch, Launch.token == BalancedToken.token)
        .join(Checkpoint, Checkpoint.chain_id == chain_id)
        .join(CreatorMetrics, CreatorMetrics.creator == Launch.creator)
        .outerjoin(releases, and_(releases.c.subject == subject, releases.c.to_address == BalancedToken.token))
        .where(
            BalancedToken.last_release_at <= Checkpoint.timestamp - RELEASE_INTERVAL_SECONDS,
            CreatorMetrics.observed_at >= Checkpoint.timestamp - METRICS_MAXIMUM_AGE_SECONDS,
            none_under_way(releases),
        )
        .order_by(BalancedToken.token)
    )
    return [
        ReleaseCandidate(row.token, row.subject, row.metrics_block, attempts_in(row))
        for row in await session.all(statement)
    ]
