"""When several oracles must agree (docs/contracts/creator-metrics-manager.md): which epoch a report is for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """The chain's clock in unix seconds, and the rules by which it takes reports: `quorum` oracles for an epoch."""

    chain_time: int
    quorum: int
    epoch_seconds: int

    @property
    def needs_agreement(self) -> bool:
        """Whether a report is published only once others report for the same epoch."""
        return self.quorum > 1

    @property
    def observed_at(self) -> int:
        """Return the time that a report bears: now, or the start of the running epoch where oracles must agree.

        The epoch's start, so that whoever reports in it says the same time, and the median of the times tells whether
        a report's epoch was published: reports from oracles in a hurry or with a slow node cannot be told apart.
        """
        return self.chain_time - self.chain_time % self.epoch_seconds if self.needs_agreement else self.chain_time
