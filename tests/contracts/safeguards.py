"""The exchange's safeguards written a second time, from their description: what a trade is refused for."""

from dataclasses import dataclass, field
from typing import NamedTuple

HOUR = 3_600
DAY = 86_400
MAXIMUM_RESERVE = 2**108 - 1


class Settings(NamedTuple):
    """Shares in basis points, times in seconds; by default those of a new exchange."""

    account_daily: int = 500
    pool_daily: int = 3_000
    large_trade: int = 200
    cooldown: int = 4 * HOUR
    holding: int = 500
    impact: int = 1_000
    breaker: int = 2_500
    breaker_pause: int = HOUR


NARROWEST = Settings(100, 500, 10, 0, 50, 100, 500, 300)
WIDEST = Settings(10_000, 10_000, 5_000, DAY, 10_000, 5_000, 9_000, DAY)
OUT_OF_RANGE = (
    "dex: account limit out of range",
    "dex: pool limit out of range",
    "dex: large trade out of range",
    "dex: cooldown out of range",
    "dex: holding out of range",
    "dex: impact out of range",
    "dex: breaker out of range",
    "dex: breaker pause out of range",
)


@dataclass
class Account:
    """An account in one pool."""

    day: int = 0
    flow: int = 0
    cooldown_until: int = 0
    exempt_until: int = 0


@dataclass
class Pool:
    """What the limits of one pool refer to."""

    day: int
    day_reserve: int
    hour: int
    start_price: int
    halted_until: int = 0
    paused: bool = False
    accounts: dict[str, Account] = field(default_factory=dict)


class Trade(NamedTuple):
    """A trade about to be made: reserves before and after it, and what it brings the trader's holding to."""

    native: int
    tokens: int
    native_after: int
    tokens_after: int
    holding: int
    supply: int


def price(native: int, tokens: int) -> int:
    """Return the price as the exchange keeps it: native wei for a token wei, times 2**76, in 112 bits."""
    return min(native * 2**76 // tokens, 2**112 - 1)


def opened(native: int, tokens: int, now: int) -> Pool:
    """Return the books of a new pool."""
    return Pool(now // DAY, native, now // HOUR, price(native, tokens))


def turn(pool: Pool, native: int, tokens: int, now: int) -> None:
    """Begin a new hour, and a new day, with the reserves as they are."""
    if now // HOUR != pool.hour:
        pool.hour, pool.start_price = now // HOUR, price(native, tokens)
    if now // DAY != pool.day:
        pool.day, pool.day_reserve = now // DAY, native


def scale(pool: Pool, native: int, native_after: int) -> None:
    """Let the day's reserve follow liquidity that came or went; rounded up."""
    pool.day_reserve = min(-(-pool.day_reserve * native_after // native), MAXIMUM_RESERVE)


def closed(pool: Pool, now: int) -> str | None:
    """Return why no trade goes through at all, or None."""
    if pool.paused:
        return "dex: pool paused"
    return "dex: circuit breaker" if now < pool.halted_until else None


def refusal(settings: Settings, pool: Pool, account: Account, trade: Trade, now: int) -> str | None:
    """Return why an open pool, whose books are of this hour, refuses a trade; None if it goes through."""
    bought = trade.native_after - trade.native
    paid, of_reserve = (-bought, trade.native) if bought < 0 else (trade.tokens - trade.tokens_after, trade.tokens)
    flow = (account.flow if account.day == now // DAY else 0) + bought
    direction = 1 if bought > 0 else -1
    if paid * 10_000 > of_reserve * settings.impact:
        return "dex: price impact too high"
    if direction * (trade.native_after - pool.day_reserve) > pool.day_reserve * settings.pool_daily // 10_000:
        return "dex: pool daily limit exceeded"
    own_limits = (
        ("dex: Large trade cooldown", now < account.cooldown_until),
        (
            "dex: Daily volume limit exceeded",
            direction * flow > pool.day_reserve * settings.account_daily // 10_000,
        ),
        (
            "dex: maximum holding exceeded",
            bought > 0 and trade.holding * 10_000 > trade.supply * settings.holding,
        ),
    )
    if now < account.exempt_until:
        return None
    return next((reason for reason, refused in own_limits if refused), None)


def record(settings: Settings, pool: Pool, account: Account, trade: Trade, now: int) -> tuple[bool, bool]:
    """Enter a trade that went through; return whether it was large and whether it trips the breaker."""
    bought = trade.native_after - trade.native
    account.flow = (account.flow if account.day == now // DAY else 0) + bought
    account.day = now // DAY
    large = abs(bought) * 10_000 >= pool.day_reserve * settings.large_trade
    if large:
        account.cooldown_until = now + settings.cooldown
    after = price(trade.native_after, trade.tokens_after)
    tripped = abs(after - pool.start_price) * 10_000 > pool.start_price * settings.breaker
    if tripped:
        pool.start_price, pool.halted_until = after, now + settings.breaker_pause
    return large, tripped
