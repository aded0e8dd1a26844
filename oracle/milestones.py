"""The milestones of monthly streams, as CreatorMetricsManager announces them, and which of them a change crosses."""

from typing import Final

MILESTONES: Final = (1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)


def crosses_milestone(before: int, after: int) -> bool:
    """Whether monthly streams going from `before` to `after` reach a milestone that `before` had not."""
    return any(before < milestone <= after for milestone in MILESTONES)
