"""The exchange's prices in exact fractions, written from the formula and not from the contract."""

from fractions import Fraction
from math import ceil, floor

POOL_FEE = Fraction(30, 10_000)


def platform_fee(native: int, rate_bps: int) -> int:
    """Return the platform's part of `native` wei, rounded up."""
    return ceil(Fraction(native * rate_bps, 10_000))


def tokens_out(native_in: int, native_reserve: int, token_reserve: int, rate_bps: int) -> int:
    """Return the token wei bought for `native_in` wei, rounded down."""
    effective = (native_in - platform_fee(native_in, rate_bps)) * (1 - POOL_FEE)
    return floor(effective * token_reserve / (native_reserve + effective))


def native_out(tokens_in: int, native_reserve: int, token_reserve: int, rate_bps: int) -> tuple[int, int]:
    """Return the wei paid for `tokens_in` token wei after all fees, rounded down, and the platform's fee."""
    effective = tokens_in * (1 - POOL_FEE)
    gross = floor(effective * native_reserve / (token_reserve + effective))
    fee = platform_fee(gross, rate_bps)
    return gross - fee, fee
