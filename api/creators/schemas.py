"""The wire form of creators, their metrics and how far they are from a launch."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from api.mirror.schemas import IndexedBlock
from api.pagination import Page
from api.wire import Address, AddressInput, Hash, SearchText, Wei, WeiInput, Wire


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
    description: str = Field(examples=["High priestess of soul"])
    image_url: str = Field(examples=["https://media.example/nina.png"])
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
    fraction: float = Field(
        ge=0, le=1, description="the mean of the requirements'; 1 exactly when all are met", examples=[0.8]
    )
    requirements: list[Requirement]
    missing: list[str] = Field(
        description="what stands in the way, in words", examples=[["10000 more monthly streams on chain"]]
    )


class LaunchTerms(Wire):
    """What a launch takes beside the requirements. The creator's own wallet may sign it, or any launcher."""

    minimum_seed: Wei = Field(description="native wei to bring at least; the whole seed goes into the pool for good")
    token_seed: Wei = Field(description="coin wei that the pool opens with against the seed, which makes the price")
    launchers: list[Address] = Field(description="who may launch for any creator; the oracle among them does by itself")


class CreatorMetrics(Wire):
    """Off-chain beside on-chain metrics."""

    creator_id: int = Field(examples=[7])
    wallet: Address | None
    off_chain: OffChainMetrics | None = Field(description="null before the oracle's first count")
    on_chain: OnChainMetrics | None = Field(description="null before the oracle's first report")
    in_sync: bool = Field(description="whether the four figures are the same on both sides")
    milestones: list[Milestone] = Field(description="those reached, the smallest first")
    launch: LaunchReadiness
    launch_terms: LaunchTerms | None = Field(description="null before the factory is indexed")
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


class Vesting(Wire):
    """Coins that become the creator's by the second over a year from the launch, in coin wei."""

    total: Wei
    vested: Wei = Field(description="by the indexed block, claimed or not")
    claimed: Wei
    claimable: Wei = Field(description="what a claim in the indexed block would have minted")
    starts_at: datetime
    ends_at: datetime


class Release(Wire):
    """Coins that are minted to the creator as the monthly streams grow, in coin wei. The oracle asks for them."""

    total: Wei
    released: Wei
    portion: Wei = Field(description="what the next one mints")
    growth_bps: int = Field(
        description="how much the monthly streams must have grown since the last one, or the launch", examples=[2_000]
    )
    last_at: datetime = Field(description="when the last one was; the launch counts as one")
    next_at: datetime | None = Field(description="not before; null where nothing is left")


class CreatorAllocation(Wire):
    """What of the coin's supply is the creator's, or will be."""

    creator_id: int = Field(examples=[7])
    coin: Address
    vesting: Vesting
    release: Release
    indexed_block: IndexedBlock


def _fits(maximum_bytes: int) -> AfterValidator:
    """Check what contracts count: bytes of UTF-8."""

    def check(value: str) -> str:
        if len(value.encode()) > maximum_bytes:
            raise ValueError(f"should be at most {maximum_bytes} bytes of UTF-8")
        return value

    return AfterValidator(check)


class _CreatorRequest(Wire):
    """What every request names."""

    wallet: AddressInput = Field(description="who will sign")


class LaunchRequest(_CreatorRequest):
    """Launch the creator's one coin with its pool; the wallet is the creator's or a launcher's."""

    kind: Literal["launch"]
    name: Annotated[SearchText, _fits(50)] = Field(
        min_length=1, max_length=50, description="at most 50 bytes of UTF-8", examples=["Nina Simone"]
    )
    symbol: Annotated[SearchText, _fits(10)] = Field(
        min_length=1, max_length=10, description="at most 10 bytes of UTF-8", examples=["NINA"]
    )
    description: Annotated[str, _fits(500)] = Field(
        "", max_length=500, description="at most 500 bytes of UTF-8", examples=["Songs for everybody"]
    )
    image_url: Annotated[SearchText, _fits(200)] = Field(
        "", max_length=200, description="at most 200 bytes of UTF-8", examples=["https://media.example/nina.png"]
    )
    native_seed: WeiInput = Field(description="native wei for the pool, for good: at least `minimum_seed`")


class DistributeRevenueRequest(_CreatorRequest):
    """Share revenue between the creator and the holders of the coin; anybody may."""

    kind: Literal["distribute_revenue"]
    amount: WeiInput = Field(description="native wei, of which holders get `holders_share_bps`")


class WithdrawRevenueRequest(_CreatorRequest):
    """Pay the creator's wallet what the factory holds for it (`withdrawable`); anybody may sign."""

    kind: Literal["withdraw_revenue"]


class ClaimVestedRequest(_CreatorRequest):
    """Claim vested coins (`claimable`); the creator's wallet alone may."""

    kind: Literal["claim_vested"]


CreatorRequest = Annotated[
    LaunchRequest | DistributeRevenueRequest | WithdrawRevenueRequest | ClaimVestedRequest,
    Field(discriminator="kind"),
]
