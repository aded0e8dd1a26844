"""What holders may claim of a coin's revenue: the arithmetic of the contracts' dividends module, to the wei."""

from dataclasses import dataclass
from typing import Final

SCALE_BITS: Final = 96
"""Revenue is kept in native wei times 2**96, so that nothing is rounded before it is paid."""


@dataclass(frozen=True, slots=True)
class Books:
    """A coin's revenue as its last division left it.

    `cumulative` is native wei times 2**96 for one token wei held since the beginning; `undivided` native wei came in
    the second `undivided_since` (unix seconds), and are divided with the `remainder` of the last division.
    """

    cumulative: int
    undivided: int
    undivided_since: int
    remainder: int

    def cumulative_at(self, now: int, eligible_supply: int) -> int:
        """Return what `cumulative` is in the second `now`, counting a division among `eligible_supply` token wei."""
        if self.undivided == 0 or self.undivided_since == now or eligible_supply == 0:
            return self.cumulative
        return self.cumulative + ((self.undivided << SCALE_BITS) + self.remainder) // eligible_supply


def pending_revenue(units: int, settled: int, settled_at: int, cumulative: int) -> int:
    """Return the native wei that a claim would pay, rounded down.

    `units` are the token wei held and staked since the coin's cumulative revenue was `settled_at`; `settled` is what
    was due then, in wei times 2**96.
    """
    return (settled + units * (cumulative - settled_at)) >> SCALE_BITS
