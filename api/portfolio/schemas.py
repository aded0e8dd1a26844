"""The wire form of a wallet's portfolio."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from api.coins.schemas import Coin
from api.mirror.schemas import IndexedBlock
from api.pagination import Page
from api.wire import Address, Hash, SignedWei, Wei, Wire


class ActivityKind(StrEnum):
    """buy, sell: trades; added, removed: liquidity; staked, claimed, unstaked: stakes; revenue: claimed; transfers."""

    BUY = "buy"
    SELL = "sell"
    ADDED = "added"
    REMOVED = "removed"
    STAKED = "staked"
    CLAIMED = "claimed"
    UNSTAKED = "unstaked"
    REVENUE = "revenue"
    SENT = "sent"
    RECEIVED = "received"


class CoinLabel(Wire):
    """Which coin."""

    address: Address
    name: str = Field(examples=["Nina Simone"])
    symbol: str = Field(examples=["NINA"])


class Holding(Wire):
    """Coins in the wallet."""

    coin: CoinLabel
    amount: Wei = Field(description="coin wei")
    price: Wei | None = Field(description="native wei for one whole coin; null while the coin has no pool")
    value: Wei = Field(description="native wei at the spot price; 0 without a pool")


class StakingPosition(Wire):
    """Coins that the wallet staked."""

    coin: CoinLabel
    amount: Wei = Field(description="coin wei")
    value: Wei = Field(description="native wei at the spot price; 0 without a pool")
    pending_rewards: Wei = Field(description="coin wei that a claim in the indexed block would have paid")
    pending_rewards_value: Wei = Field(description="native wei at the spot price")
    claimed_rewards: Wei = Field(description="coin wei paid out so far")
    staked_at: datetime
    last_claimed_at: datetime
    unlocks_at: datetime


class RevenueDue(Wire):
    """The wallet's share of the revenue that a coin's creator distributed."""

    coin: CoinLabel
    pending: Wei = Field(description="native wei that a claim in the indexed block would have paid")
    claimed: Wei = Field(description="native wei claimed so far")

    @property
    def value(self) -> int:
        """What lists are in order of: native wei."""
        return self.pending


class LiquidityPosition(Wire):
    """What the wallet's shares of a pool would return."""

    coin: CoinLabel
    shares: Wei
    native_amount: Wei = Field(description="native wei")
    token_amount: Wei = Field(description="coin wei")
    value: Wei = Field(description="native wei: both sides at the spot price")


class Totals(Wire):
    """Native wei at spot prices."""

    holdings: Wei
    stakes: Wei
    pending_rewards: Wei
    pending_revenue: Wei
    liquidity: Wei
    total: Wei = Field(description="the sum of the others")


class Profit(Wire):
    """Cost and gain in native wei, first in first out.

    What was paid for coins, fees included, is their cost; coins that came otherwise cost nothing, coins given away
    leave with their cost. Staked coins count as held.
    """

    cost_basis: Wei = Field(description="what is held, staked or provided as liquidity cost")
    value: Wei = Field(description="what it is worth at spot prices")
    realised: SignedWei = Field(description="gained by what was sold or taken out of a pool")
    unrealised: SignedWei = Field(description="the value less the cost basis")


class CoinProfit(Profit):
    """Cost and gain in one coin."""

    coin: CoinLabel
    amount: Wei = Field(description="coin wei held or staked")
    shares: Wei = Field(description="of the pool's liquidity")


class Portfolio(Wire):
    """What a wallet has in creators' coins; its native coin itself is not counted."""

    wallet: Address
    holding_count: int = Field(description="coins in the wallet: see its holdings", examples=[3])
    stake_count: int = Field(description="open stakes: see its stakes", examples=[1])
    liquidity_count: int = Field(description="pools that it has shares of: see its liquidity", examples=[0])
    totals: Totals
    profit: Profit | None = Field(description="null for a wallet whose history is too long to go through")
    indexed_block: IndexedBlock


class HoldingPage(Page[Holding]):
    """Coins in the wallet, the most valuable first."""


class StakingPage(Page[StakingPosition]):
    """Open stakes, the most valuable first."""


class RevenueDuePage(Page[RevenueDue]):
    """Shares of revenue, the largest pending one first."""


class LiquidityPage(Page[LiquidityPosition]):
    """Shares of pools, the most valuable first."""


class ProfitPage(Page[CoinProfit]):
    """Every coin that the wallet ever had, by value, the greatest first."""


class Activity(Wire):
    """One thing that the wallet did, or that was done to it."""

    kind: ActivityKind
    coin: CoinLabel
    token_amount: Wei = Field(description="coin wei")
    native_amount: Wei = Field(description="native wei paid or received; 0 where there was none")
    shares: Wei = Field(description="of the pool's liquidity; 0 but for added and removed")
    reward: Wei = Field(description="coin wei minted for a stake; 0 but for claimed and unstaked")
    counterparty: Address | None = Field(description="who sent or received a transfer; null for other kinds")
    block_number: int = Field(examples=[1024])
    log_index: int = Field(examples=[3])
    transaction_hash: Hash
    timestamp: datetime


class ActivityPage(Page[Activity]):
    """What the wallet did, the newest first."""


class RecommendationBasis(StrEnum):
    """holders: those who hold the wallet's coins hold it; buyers: many bought it lately, for want of the other."""

    HOLDERS = "holders"
    BUYERS = "buyers"


class SharedHolders(Wire):
    """Holders of one of the wallet's coins who have the recommended one too."""

    coin: CoinLabel = Field(description="one that the wallet has")
    holders: int = Field(description="how many of them bought the recommended coin and still have it", examples=[17])
    sampled: int = Field(description="of how many of the coin's largest holders", examples=[64])


class Recommendation(Wire):
    """A coin that the wallet does not have, and why it may like it."""

    coin: Coin
    basis: RecommendationBasis
    score: int = Field(
        ge=0,
        description="what the list is in order of; comparable within the list alone. holders: shares of holders in "
        "common over the square root of the coin's holders, in millionths; buyers: how many wallets bought it in the "
        "7 days before the indexed block, by the exchange's last 5 000 trades",
        examples=[48_210],
    )
    shared_with: list[SharedHolders] = Field(description="most in common first; empty where the basis is buyers")


class RecommendationPage(Page[Recommendation]):
    """Recommended coins, the highest score first."""
