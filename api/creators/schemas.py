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
