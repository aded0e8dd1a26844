"""How a launched coin's supply is divided, and when the creator's parts are minted: the terms of the contract."""

from typing import Final

MAXIMUM_SUPPLY: Final = 100_000_000 * 10**18
"""Token wei."""
POOL_ALLOCATION: Final = MAXIMUM_SUPPLY // 10
VESTING_ALLOCATION: Final = MAXIMUM_SUPPLY // 10
VESTING_SECONDS: Final = 365 * 86_400
RELEASE_ALLOCATION: Final = MAXIMUM_SUPPLY * 7 // 10
RELEASE_PORTION: Final = MAXIMUM_SUPPLY // 50
RELEASE_INTERVAL_SECONDS: Final = 30 * 86_400
RELEASE_GROWTH_BPS: Final = 2_000


def vested(launched_at: int, now: int) -> int:
    """Return the token wei that have vested by `now`, rounded down; both in unix seconds."""
    return VESTING_ALLOCATION * min(now - launched_at, VESTING_SECONDS) // VESTING_SECONDS


def next_portion(released: int) -> int:
    """Return the token wei that a release after `released` token wei mints; 0 where nothing is left."""
    return min(RELEASE_PORTION, RELEASE_ALLOCATION - released)
