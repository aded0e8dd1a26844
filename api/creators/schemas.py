"""The wire form of creators, their metrics and how far they are from a launch."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from api.mirror.schemas import IndexedBlock
from api.pagination import Page
from api.wire import Address, Hash, Wei, Wire


class CreatorSort(StrEnum):
    """name: A to Z; streams: most streams of the last 30 days first; created: the newest first."""

    NAME = "name"
    STREAMS = "streams"
    CREATED = "created"


class Creator(Wire):
    """A musician, streamer or writer."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["Nina Simone"])
    slug: str = Field(examples=["nina-simone"])
    description: str
    image_url: str
    wallet: Address | None = Field(description="what the chain knows the creator by; null until there is one")
    coin: Address | None = Field(description="the launched coin; null until then")
    monthly_streams: int | None = Field(
        description="of the last 30 days, off-chain, as the oracle last counted; null before it did", examples=[61_250]
    )
    followers: int | None = Field(description="off-chain, as the oracle last counted", examples=[5_400])
    created_at: datetime


class CreatorDetail(Creator):
    """One creator."""

    indexed_block: IndexedBlock


class CreatorPage(Page[Creator]):
    """Creators in the order asked for."""


class OffChainMetrics(Wire):
    """What the platform counted over the last 30 days."""

    monthly_streams: int = Field(examples=[61_250])
    followers: int = Field(examples=[5_400])
    monthly_revenue: Wei = Field(description="native wei")
    engagement_score: int = Field(description="basis points, 0 to 10 000", examples=[6_120])
    unique_listeners: int = Field(examples=[4_310])
    computed_at: datetime


class OnChainMetrics(Wire):
    """What the metrics contract holds: the oracle's last report."""

    monthly_streams: int = Field(examples=[61_250])
    followers: int = Field(examples=[5_400])
    monthly_revenue: Wei = Field(description="native wei")
    engagement_score: int = Field(description="basis points, 0 to 10 000", examples=[6_120])
    observed_at: datetime
    oracle: Address
    block_number: int = Field(examples=[1024])


class Milestone(Wire):
    """A number of monthly streams that the chain saw reached."""

    threshold: int = Field(examples=[50_000])
    monthly_streams: int = Field(description="the figure that reached it", examples=[50_310])
    block_number: int = Field(examples=[1024])
    transaction_hash: Hash
    timestamp: datetime


class RequirementName(StrEnum):
    """What a launch asks for."""

    MONTHLY_STREAMS = "monthly_streams"
    FOLLOWERS = "followers"
    METRICS_AGE = "metrics_age_seconds"


class Requirement(Wire):
    """One thing a launch asks for, by what the chain knows. Counts need at least `need`, an age at most."""

    name: RequirementName
    have: int | None = Field(description="null where the chain knows nothing yet", examples=[40_000])
    need: int = Field(examples=[50_000])
    fraction: float = Field(
        ge=0,
        le=1,
        description="how much of the way is done, in steps of 0.0001; 1 exactly when met",
        examples=[0.8],
    )
    met: bool


class LaunchStatus(StrEnum):
    """launched: there is a coin; ready: the chain would let one be launched now; not_ready: see `missing`."""

    LAUNCHED = "launched"
    READY = "ready"
    NOT_READY = "not_ready"


class LaunchReadiness(Wire):
    """How far the creator is from a coin of their own, as the contracts would decide at the indexed block."""

    status: LaunchStatus
    coin: Address | None
    fraction: float = Field(ge=0, le=1, description="the mean of the requirements'; 1 exactly when all are met")
    requirements: list[Requirement]
    missing: list[str] = Field(
        description="what stands in the way, in words", examples=[["10000 more monthly streams on chain"]]
    )


class CreatorMetrics(Wire):
    """Off-chain beside on-chain metrics."""

    creator_id: int = Field(examples=[7])
    wallet: Address | None
    off_chain: OffChainMetrics | None = Field(description="null before the oracle's first count")
    on_chain: OnChainMetrics | None = Field(description="null before the oracle's first report")
    in_sync: bool = Field(description="whether the four figures are the same on both sides")
    milestones: list[Milestone] = Field(description="those reached, the smallest first")
    launch: LaunchReadiness
    indexed_block: IndexedBlock


class NextDistribution(Wire):
    """What the turn of the month shares out, in native wei; a forecast takes the month to go on as it began."""

    due_at: datetime = Field(description="the turn of the month (UTC) after the indexed block")
    outstanding: Wei = Field(description="earned in months that are over and not distributed yet")
    earned_this_month: Wei
    forecast: Wei = Field(description="what will be distributed then: outstanding and the whole month")
    forecast_holders: Wei = Field(description="the holders' part of the forecast")


class CreatorRevenue(Wire):
    """A creator's revenue, in native wei: earned off-chain, shared on chain with the coin's holders."""

    creator_id: int = Field(examples=[7])
    coin: Address | None = Field(description="null before the launch: there is nobody to share with")
    holders_share_bps: int = Field(description="the holders' part of a distribution", examples=[3_000])
    earned_total: Wei
    distributed_total: Wei
    holders_total: Wei = Field(description="of that, to holders")
    creator_total: Wei = Field(description="of that, to the creator")
    withdrawable: Wei = Field(description="what the factory holds for the creator")
    next_distribution: NextDistribution
    indexed_block: IndexedBlock


class Distribution(Wire):
    """Revenue that was shared, in native wei."""

    coin: Address
    distributor: Address
    amount: Wei
    holders_share: Wei
    creator_share: Wei
    block_number: int = Field(examples=[1024])
    log_index: int = Field(examples=[3])
    transaction_hash: Hash
    timestamp: datetime


class DistributionPage(Page[Distribution]):
    """Distributions, the newest first."""


class RevenueShare(Wire):
    """What one holder would get of a distribution."""

    account: Address
    units: Wei = Field(description="coin wei held and staked")
    share_bps: int = Field(description="of what takes part, in basis points rounded down", examples=[5_000])
    amount: Wei = Field(description="native wei, rounded down")


class RevenueSharePage(Page[RevenueShare]):
    """Holders by what they would get, the most first."""
