"""The exchange's arithmetic: what a swap gives, equal to IntegratedCreatorDEX to the wei."""

from dataclasses import dataclass
from typing import Final

from encore.errors import EncoreError

BASIS_POINTS: Final = 10_000
POOL_FEE_BPS: Final = 30
WEI_PER_TOKEN: Final = 10**18
MAXIMUM_RESERVE: Final = 2**108 - 1

_AFTER_POOL_FEE_BPS: Final = BASIS_POINTS - POOL_FEE_BPS


class SwapError(EncoreError):
    """The exchange would refuse this swap; the message is what it would revert with."""


@dataclass(frozen=True, slots=True)
class Reserves:
    """What a pool holds, in wei of the native coin and of the token."""

    native: int
    token: int

    @property
    def spot_price(self) -> int:
        """Native wei for one whole token (1e18 token wei), rounded down."""
        return self.native * WEI_PER_TOKEN // self.token


def value_at(price: int, tokens: int) -> int:
    """Return what `tokens` token wei are worth at `price` (native wei for one whole token), in native wei."""
    return tokens * price // WEI_PER_TOKEN


@dataclass(frozen=True, slots=True)
class Swap:
    """The outcome of a swap.

    `amount_out` is what the trader receives (token wei for a buy, native wei for a sell) and `platform_fee` what the
    token's fee recipient is owed (native wei, beside the reserves). `pool_fee` stays in the pool, in wei of what came
    in.
    `price_impact_bps` is how much worse than the spot price the trade's own size makes it, fees left out, rounded up.
    """

    amount_out: int
    platform_fee: int
    pool_fee: int
    price_impact_bps: int
    reserves: Reserves


def buy(reserves: Reserves, native_in: int, platform_fee_bps: int) -> Swap:
    """Swap `native_in` wei of the native coin for tokens; raises `SwapError` where the exchange would revert."""
    platform_fee = _ceil_div(native_in * platform_fee_bps, BASIS_POINTS)
    effective = native_in - platform_fee
    amount_out, impact = _constant_product(effective, reserves.native, reserves.token)
    if amount_out == 0:
        raise SwapError("dex: amount too small")
    return Swap(
        amount_out=amount_out,
        platform_fee=platform_fee,
        pool_fee=_ceil_div(effective * POOL_FEE_BPS, BASIS_POINTS),
        price_impact_bps=impact,
        reserves=Reserves(reserves.native + effective, reserves.token - amount_out),
    )


def sell(reserves: Reserves, tokens_in: int, platform_fee_bps: int) -> Swap:
    """Swap `tokens_in` token wei for the native coin; raises `SwapError` where the exchange would revert."""
    gross, impact = _constant_product(tokens_in, reserves.token, reserves.native)
    platform_fee = _ceil_div(gross * platform_fee_bps, BASIS_POINTS)
    if gross == platform_fee:
        raise SwapError("dex: amount too small")
    return Swap(
        amount_out=gross - platform_fee,
        platform_fee=platform_fee,
        pool_fee=_ceil_div(tokens_in * POOL_FEE_BPS, BASIS_POINTS),
        price_impact_bps=impact,
        reserves=Reserves(reserves.native - gross, reserves.token + tokens_in),
    )


def with_slippage(amount: int, slippage_bps: int) -> int:
    """Return the least of `amount` wei that a trader who bears `slippage_bps` accepts, rounded down."""
    return amount * (BASIS_POINTS - slippage_bps) // BASIS_POINTS


def _constant_product(amount_in: int, reserve_in: int, reserve_out: int) -> tuple[int, int]:
    """Return what leaves the pool, rounded down, and the price impact in bps, rounded up."""
    if reserve_in + amount_in > MAXIMUM_RESERVE:
        raise SwapError("dex: reserve too large")
    after_fee = amount_in * _AFTER_POOL_FEE_BPS
    denominator = reserve_in * BASIS_POINTS + after_fee
    return after_fee * reserve_out // denominator, _ceil_div(after_fee * BASIS_POINTS, denominator)


def _ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
