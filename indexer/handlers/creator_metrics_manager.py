"""CreatorMetricsManager: creators' metrics on chain, the reports behind them, milestones, what a launch requires."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain import CreatorMetrics, LaunchRequirements, Milestone
from encore.db.models.chain_exchange import MetricsReport
from indexer.check import Check, Reader, flag
from indexer.contract import Contract, Event, Handler, Key
from indexer.roles import authorisation, ownership
from indexer.settings import settings
from indexer.state import State

REQUIREMENTS_ID: Final = 1


def _metrics_row(event: Event) -> Iterator[Key]:
    yield CreatorMetrics, (event.args["creator"],)


def _milestone_row(event: Event) -> Iterator[Key]:
    yield Milestone, (event.args["creator"], event.args["milestone"])


def _requirements_row(_event: Event) -> Iterator[Key]:
    yield LaunchRequirements, (REQUIREMENTS_ID,)


def _metrics_updated(event: Event, state: State) -> None:
    args = event.args
    state.upsert(CreatorMetrics, args["creator"]).update(
        monthly_streams=args["monthlyStreams"],
        followers=args["followers"],
        monthly_revenue=args["monthlyRevenue"],
        engagement_score=args["engagementScore"],
        observed_at=args["observedAt"],
        oracle=args["oracle"],
        block_number=event.block_number,
    )


def _reported(event: Event, state: State) -> None:
    args = event.args
    state.append(
        MetricsReport,
        event.row(
            creator=args["creator"],
            oracle=args["oracle"],
            epoch=args["epoch"],
            monthly_streams=args["monthlyStreams"],
            followers=args["followers"],
            monthly_revenue=args["monthlyRevenue"],
            engagement_score=args["engagementScore"],
            observed_at=args["observedAt"],
        ),
    )


def _milestone_reached(event: Event, state: State) -> None:
    args = event.args
    state.upsert(Milestone, args["creator"], args["milestone"]).update(
        monthly_streams=args["monthlyStreams"],
        block_number=event.block_number,
        transaction_hash=event.transaction_hash,
        timestamp=event.timestamp,
    )


def _requirements_updated(event: Event, state: State) -> None:
    args = event.args
    state.upsert(LaunchRequirements, REQUIREMENTS_ID).update(
        minimum_monthly_streams=args["minMonthlyStreams"],
        minimum_followers=args["minFollowers"],
        maximum_metrics_age_seconds=args["maxMetricsAge"],
    )


async def _checks(reader: Reader) -> list[Check]:
    manager = await reader.address(CONTRACT.name)
    found = []
    for row in await reader.rows(CreatorMetrics):
        figures = (row.monthly_streams, row.followers, row.monthly_revenue, row.engagement_score, row.observed_at)
        found.append(Check(manager, "creatorMetrics(address)", (row.creator,), ("uint256",) * 5, figures))
    found += [
        flag(manager, "milestoneReached(address,uint256)", (row.creator, row.threshold), mirrored=True)
        for row in await reader.rows(Milestone)
    ]
    for row in await reader.rows(LaunchRequirements):
        required = (row.minimum_monthly_streams, row.minimum_followers, row.maximum_metrics_age_seconds)
        found.append(Check(manager, "launchRequirements()", (), ("uint256",) * 3, required))
    return found


CONTRACT: Final = Contract(
    name="CreatorMetricsManager",
    handlers={
        "CreatorMetricsUpdated": Handler(_metrics_updated, _metrics_row),
        "MetricsReported": Handler(_reported),
        "QuorumUpdated": settings(quorum="newQuorum"),
        "EpochLengthUpdated": settings(epochLength="newLength"),
        "MilestoneReached": Handler(_milestone_reached, _milestone_row),
        "LaunchRequirementsUpdated": Handler(_requirements_updated, _requirements_row),
        "OracleAuthorisationChanged": authorisation("oracle"),
        "OwnershipTransferred": ownership(),
    },
    checks=_checks,
)
