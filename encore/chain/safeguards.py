"""The exchange's safeguards: what its trading_limits module would refuse, in its words and with the same arithmetic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from encore.chain.amm import BASIS_POINTS, MAXIMUM_RESERVE, Reserves

HOUR_SECONDS: Final = 3_600
DAY_SECONDS: Final = 86_400
PRICE_BITS: Final = 76
"""A guard's prices are native wei for one token wei times 2**76."""

_MAXIMUM_PRICE: Final = 2**112 - 1


@dataclass(frozen=True, slots=True)
class Safeguards:
    """The limits of all pools: shares in basis points, times in seconds; the contract's struct of the same name."""

    account_daily_flow_bps: int
    pool_daily_flow_bps: int
    large_trade_bps: int
    large_trade_cooldown: int
    maximum_holding_bps: int
    maximum_impact_bps: int
    breaker_bps: int
    breaker_duration: int

    @classmethod
    def of(cls, fields: Mapping[str, int]) -> Self:
        """Build them from the struct's fields by the contract's names."""
        return cls(
            account_daily_flow_bps=fields["accountDailyFlowBps"],
            pool_daily_flow_bps=fields["poolDailyFlowBps"],
            large_trade_bps=fields["largeTradeBps"],
            large_trade_cooldown=fields["largeTradeCooldown"],
            maximum_holding_bps=fields["maximumHoldingBps"],
            maximum_impact_bps=fields["maximumImpactBps"],
            breaker_bps=fields["breakerBps"],
            breaker_duration=fields["breakerDuration"],
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """What a pool's limits refer to, as of its last change at `changed_at` (unix seconds).

    `reference_reserve` is the native reserve at the day's first trade, scaled with liquidity (wei); `start_price` the
    price at the hour's first trade, or where the breaker left it.
    """

    reference_reserve: int
    start_price: int
    changed_at: int

    @classmethod
    def opened(cls, reserves: Reserves, now: int) -> Self:
        """Return the guard of a pool that opens with `reserves`."""
        return cls(reserves.native, guard_price(reserves), now)

    def at(self, reserves: Reserves, now: int) -> "Guard":
        """Return what limits refer to at `now`, in a pool whose reserves have been `reserves` since its last change."""
        if self.changed_at // HOUR_SECONDS == now // HOUR_SECONDS:
            return replace(self, changed_at=now)
        is_same_day = self.changed_at // DAY_SECONDS == now // DAY_SECONDS
        return Guard(self.reference_reserve if is_same_day else reserves.native, guard_price(reserves), now)

    def scaled(self, native_before: int, native_after: int) -> "Guard":
        """Return the guard after liquidity came or went: flows keep their proportion to the reserve."""
        reserve = (self.reference_reserve * native_after + native_before - 1) // native_before
        return replace(self, reference_reserve=min(reserve, MAXIMUM_RESERVE))


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool at one block: `breaker_until` in unix seconds, `total_supply` of its token in wei."""

    reserves: Reserves
    guard: Guard
    is_paused: bool
    breaker_until: int
    total_supply: int


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account in one pool at one block.

    `net_flow` is native wei that its trades brought into (positive) or took out of the reserve that day, `balance`
    token wei; times in unix seconds.
    """

    net_flow: int
    cooldown_until: int
    exempt_until: int
    balance: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a trade would revert, and the unix second from which that no longer stands by itself; None: not known."""

    reason: str
    passes_at: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one pool, and of one account in it, at a block's time `now` (unix seconds)."""

    safeguards: Safeguards
    pool: PoolState
    account: AccountState | None
    now: int

    @property
    def resets_at(self) -> int:
        """When the day's limits begin anew, in unix seconds."""
        return (self.now // DAY_SECONDS + 1) * DAY_SECONDS

    @property
    def guard(self) -> Guard:
        """What the limits refer to now."""
        return self.pool.guard.at(self.pool.reserves, self.now)

    @property
    def account_daily_limit(self) -> int:
        """How far an account's net flow may go either way, in native wei."""
        return self.guard.reference_reserve * self.safeguards.account_daily_flow_bps // BASIS_POINTS

    @property
    def pool_daily_limit(self) -> int:
        """How far the pool's net flow may go either way, in native wei."""
        return self.guard.reference_reserve * self.safeguards.pool_daily_flow_bps // BASIS_POINTS

    @property
    def pool_net_flow(self) -> int:
        """Native wei that entered (positive) or left the reserve today."""
        return self.pool.reserves.native - self.guard.reference_reserve

    @property
    def tokens_out_per_trade(self) -> int:
        """The most that one purchase may pay out, in token wei."""
        return self.pool.reserves.token * self.safeguards.maximum_impact_bps // BASIS_POINTS

    @property
    def native_out_per_trade(self) -> int:
        """The most that one sale may pay out before the platform's fee, in native wei."""
        return self.pool.reserves.native * self.safeguards.maximum_impact_bps // BASIS_POINTS

    @property
    def large_trade(self) -> int:
        """Native wei from which a trade is large."""
        return -(-self.guard.reference_reserve * self.safeguards.large_trade_bps // BASIS_POINTS)

    @property
    def maximum_holding(self) -> int:
        """Token wei that an account may hold after a purchase."""
        return self.pool.total_supply * self.safeguards.maximum_holding_bps // BASIS_POINTS

    @property
    def is_exempt(self) -> bool:
        """Whether the account's own limits do not apply now."""
        return self.account is not None and self.now < self.account.exempt_until

    @property
    def native_in_left(self) -> int:
        """Native wei that purchases may still bring in today."""
        return self._left(1)

    @property
    def native_out_left(self) -> int:
        """Native wei that sales may still take out of the reserve today."""
        return self._left(-1)

    def _left(self, direction: int) -> int:
        left = self.pool_daily_limit - direction * self.pool_net_flow
        if self.account is not None and not self.is_exempt:
            left = min(left, self.account_daily_limit - direction * self.account.net_flow)
        return max(left, 0)

    @property
    def holding_left(self) -> int | None:
        """Token wei that the account may still buy; None where nothing limits it, or no account is asked about."""
        if self.account is None or self.is_exempt:
            return None
        return max(self.maximum_holding - self.account.balance, 0)

    def standing(self) -> Iterator[Refusal]:
        """Yield what refuses every trade whatever its size, in the contract's order."""
        if self.pool.is_paused:
            yield Refusal("dex: pool paused", None)
        if self.now < self.pool.breaker_until:
            yield Refusal("dex: circuit breaker", self.pool.breaker_until)

    def refusals(self, after: Reserves) -> list[Refusal]:
        """Return all that would refuse the trade that leaves `after`, in the contract's order: the first is its word.

        Without an account only what the pool itself refuses.
        """
        before, tokens_out = self.pool.reserves, self.pool.reserves.token - after.token
        is_purchase = after.native > before.native
        found = list(self.standing())
        paid, reserve = (tokens_out, before.token) if is_purchase else (before.native - after.native, before.native)
        if paid * BASIS_POINTS > reserve * self.safeguards.maximum_impact_bps:
            found.append(Refusal("dex: price impact too high", None))
        # A trade towards zero passes whatever the flow is.
        if self._exceeds(after.native - self.guard.reference_reserve, self.pool_daily_limit, is_purchase=is_purchase):
            share = self.safeguards.pool_daily_flow_bps
            found.append(Refusal("dex: pool daily limit exceeded", self._fits_tomorrow(after, share)))
        if self.account is not None and not self.is_exempt:
            if self.now < self.account.cooldown_until:
                found.append(Refusal("dex: Large trade cooldown", self.account.cooldown_until))
            flow = self.account.net_flow + after.native - before.native
            if self._exceeds(flow, self.account_daily_limit, is_purchase=is_purchase):
                share = self.safeguards.account_daily_flow_bps
                found.append(Refusal("dex: Daily volume limit exceeded", self._fits_tomorrow(after, share)))
            held = self.account.balance + tokens_out
            if is_purchase and held * BASIS_POINTS > self.pool.total_supply * self.safeguards.maximum_holding_bps:
                found.append(Refusal("dex: maximum holding exceeded", None))
        return found

    def _fits_tomorrow(self, after: Reserves, share_bps: int) -> int | None:
        """When a day's flow begins at zero; None where the trade alone is more than such a day lets through."""
        native = self.pool.reserves.native
        return self.resets_at if abs(after.native - native) <= native * share_bps // BASIS_POINTS else None

    @staticmethod
    def _exceeds(flow: int, limit: int, *, is_purchase: bool) -> bool:
        return flow > limit if is_purchase else flow < -limit

    def is_large(self, after: Reserves) -> bool:
        """Whether the trade that leaves `after` starts the account's cooldown."""
        moved = abs(after.native - self.pool.reserves.native)
        return moved * BASIS_POINTS >= self.guard.reference_reserve * self.safeguards.large_trade_bps

    def trips_breaker(self, after: Reserves) -> bool:
        """Whether the trade that leaves `after` goes through and pauses the pool."""
        start = self.guard.start_price
        return abs(guard_price(after) - start) * BASIS_POINTS > start * self.safeguards.breaker_bps


def guard_price(reserves: Reserves) -> int:
    """Return the spot price in a guard's unit, rounded down, at most 2**112 - 1."""
    return min((reserves.native << PRICE_BITS) // reserves.token, _MAXIMUM_PRICE)
