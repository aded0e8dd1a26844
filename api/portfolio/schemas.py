"""The wire form of a wallet's portfolio."""

from datetime import datetime

from pydantic import Field

from api.mirror.schemas import IndexedBlock
from api.wire import Address, Wei, Wire


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
    liquidity: Wei
    total: Wei = Field(description="the sum of the others")


class Portfolio(Wire):
    """What a wallet has in creators' coins; its native coin itself is not counted."""

    wallet: Address
    holdings: list[Holding] = Field(description="the most valuable first")
    stakes: list[StakingPosition] = Field(description="the most valuable first")
    liquidity: list[LiquidityPosition] = Field(description="the most valuable first")
    totals: Totals
    indexed_block: IndexedBlock
