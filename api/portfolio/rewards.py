"""What a stake has earned: the arithmetic of the contracts' staking module, to the wei."""

from typing import Final

from encore.chain.amm import BASIS_POINTS

REWARD_RATE_BPS: Final = 1_000
"""Basis points a year."""
YEAR_SECONDS: Final = 365 * 86_400
RESERVED_AT_LAUNCH: Final = 80_000_000 * 10**18
"""Token wei of a launched coin's maximum supply that are kept for vesting (10 %) and release (70 %)."""


def mintable_rewards(total_supply: int, maximum_supply: int, minted_of_reserved: int | None) -> int:
    """Return the token wei that may still be minted as rewards.

    `minted_of_reserved` is what vesting and release have minted of a launched coin; None for a coin without either.
    """
    reserved = 0 if minted_of_reserved is None else RESERVED_AT_LAUNCH - minted_of_reserved
    return max(maximum_supply - total_supply - reserved, 0)


def pending_rewards(amount: int, last_claimed_at: int, now: int, *, mintable: int) -> int:
    """Return the token wei that a claim at `now` would pay on a stake of `amount` token wei, rounded down.

    Linear by the second since `last_claimed_at`; never more than `mintable`, the token wei that may still be minted as
    rewards. Times in unix seconds.
    """
    earned = amount * REWARD_RATE_BPS * (now - last_claimed_at) // (BASIS_POINTS * YEAR_SECONDS)
    return min(earned, mintable)
