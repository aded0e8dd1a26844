"""The wire form of coins, their holders, trades and candles."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import Field

from api.mirror.schemas import IndexedBlock
from api.pagination import Page
from api.wire import Address, Hash, Wei, Wire


class CoinSort(StrEnum):
    """Orders of the list of coins; each descending."""

    MARKET_CAP = "market_cap"
    VOLUME = "volume"
    CREATED = "created"


class Side(StrEnum):
    """buy: native coin in, tokens out; sell: tokens in, native coin out."""

    BUY = "buy"
    SELL = "sell"


class HolderKind(StrEnum):
    """wallet: anybody; exchange: the pool's reserve; staking: what is staked, held by the coin's own contract."""

    WALLET = "wallet"
    EXCHANGE = "exchange"
    STAKING = "staking"


class CandleInterval(StrEnum):
    """Length of a candle."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return _INTERVAL_SECONDS[self]


_INTERVAL_SECONDS: Final = {
    CandleInterval.MINUTE: 60,
    CandleInterval.FIVE_MINUTES: 300,
    CandleInterval.HOUR: 3_600,
    CandleInterval.DAY: 86_400,
}


class CoinCreator(Wire):
    """Whose coin it is; `id` and `name` are null where the wallet is not a known creator's."""

    wallet: Address
    id: int | None = Field(examples=[7])
    name: str | None = Field(examples=["Nina Simone"])


class Coin(Wire):
    """A creator's coin. Supplies are in its wei (18 decimals), prices native wei for one whole coin (1e18 of its wei).

    What is of the market is null while the coin has no pool on the exchange.
    """

    address: Address
    name: str = Field(examples=["Nina Simone"])
    symbol: str = Field(examples=["NINA"])
    description: str = Field(examples=["Songs for everybody"])
    image_url: str = Field(description="as the creator gave it: anything", examples=["https://media.example/nina.png"])
    is_active: bool = Field(
        description="whether the creator still stands behind it, as the creator says", examples=[True]
    )
    creator: CoinCreator
    owner: Address = Field(description="who may change what the coin says of itself; the creator at first")
    created_at: datetime
    total_supply: Wei = Field(examples=["10250000000000000000000000"])
    maximum_supply: Wei = Field(examples=["100000000000000000000000000"])
    total_staked: Wei = Field(examples=["250000000000000000000000"])
    holder_count: int = Field(
        description="accounts with a balance; the exchange and staking are one each", examples=[120]
    )
    platform_fee_bps: int = Field(description="of a trade's native side", examples=[250])
    platform_fee_recipient: Address
    price: Wei | None = Field(description="spot price", examples=["500000000000"])
    market_cap: Wei | None = Field(
        description="native wei: the total supply at the spot price", examples=["5125000000000000000"]
    )
    volume_24h: Wei = Field(
        description="native wei that traders paid or received in the last 24 hours, fees included",
        examples=["1200000000000000000"],
    )
    change_24h_bps: int | None = Field(
        description="change of the price over the last 24 hours (since the pool opened, if that is less), "
        "in basis points rounded down",
        examples=[250],
    )
    volume_total: Wei = Field(description="native wei since the pool opened", examples=["48000000000000000000"])
    trade_count: int = Field(description="trades since the pool opened", examples=[42])
    native_reserve: Wei | None = Field(description="native wei in the pool", examples=["5000000000000000000"])
    token_reserve: Wei | None = Field(description="coin wei in the pool", examples=["10000000000000000000000000"])
    tvl: Wei = Field(
        description="native wei: both sides of the pool and what is staked, at the spot price",
        examples=["10125000000000000000"],
    )
    liquidity_apy_bps: int | None = Field(
        description="a year of the pool's fee on the volume of the last 24 hours, over the value of the pool; simple, "
        "in basis points rounded down",
        examples=[1_314],
    )
    staking_apy_bps: int = Field(
        description="simple yearly reward of a stake; 0 once the maximum supply leaves nothing to mint",
        examples=[1_000],
    )


class CoinDetail(Coin):
    """One coin."""

    indexed_block: IndexedBlock


class CoinPage(Page[Coin]):
    """Coins, the greatest first in the order asked for."""


class Market(Wire):
    """All coins together, in native wei."""

    coin_count: int = Field(examples=[120])
    pool_count: int = Field(examples=[80])
    market_cap: Wei
    tvl: Wei = Field(description="both sides of all pools and what is staked, at spot prices")
    volume_24h: Wei
    volume_total: Wei
    trade_count: int = Field(examples=[4_200])
    indexed_block: IndexedBlock


class Holder(Wire):
    """An account with a balance."""

    address: Address
    kind: HolderKind
    balance: Wei
    share_bps: int = Field(description="of the total supply, in basis points rounded down", examples=[5_000])


class HolderPage(Page[Holder]):
    """Holders, the largest first."""


class Trade(Wire):
    """A swap on the exchange."""

    side: Side
    trader: Address
    native_amount: Wei = Field(
        description="native wei paid or received in all, fees included or deducted", examples=["10000000000000000"]
    )
    token_amount: Wei = Field(description="coin wei that came out or went in", examples=["19403776148600697953074"])
    platform_fee: Wei = Field(description="native wei", examples=["250000000000000"])
    price: Wei = Field(description="spot price after it: native wei for one whole coin", examples=["501948970546"])
    block_number: int = Field(examples=[1024])
    log_index: int = Field(examples=[3])
    transaction_hash: Hash
    timestamp: datetime


class TradePage(Page[Trade]):
    """Trades, the newest first."""


class Candle(Wire):
    """Prices (native wei for one whole coin) and volumes of one interval; one without trades repeats the last close."""

    opened_at: datetime = Field(description="start of the interval, which lasts until the next one's")
    open: Wei = Field(
        description="price before its first trade, where the candle before closed", examples=["500000000000"]
    )
    high: Wei = Field(examples=["512000000000"])
    low: Wei = Field(examples=["498000000000"])
    close: Wei = Field(description="price after its last trade", examples=["501948970546"])
    volume_native: Wei = Field(description="native wei, fees included", examples=["120000000000000000"])
    volume_token: Wei = Field(description="coin wei", examples=["239000000000000000000000"])
    trade_count: int = Field(examples=[4])


class CandlePage(Page[Candle]):
    """Candles without gaps, the oldest first; `next_cursor` leads to the page before this one in time."""
