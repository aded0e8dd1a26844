"""What a key may spend on gas in a day (UTC): asked before anything is signed, so that it holds whatever happens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spending:
    """Wei of gas: `paid` by what was mined today, and the most that what was signed and is not mined may still cost."""

    paid: int
    committed: int

    @property
    def worst(self) -> int:
        """What the day will have cost if all that was signed costs as much as it may."""
        return self.paid + self.committed

    def changed(self, difference: int) -> "Spending":
        """Return the same with `difference` wei more committed."""
        return Spending(self.paid, self.committed + difference)


@dataclass(frozen=True, slots=True)
class GasBudget:
    """`daily` wei, of which `reserve` is kept for entries of the `urgent` kinds; without `daily` there is no limit.

    What a transaction sends along (a launch's seed, revenue shared out) is no gas and does not count.
    """

    daily: int | None = None
    reserve: int = 0
    urgent: frozenset[str] = frozenset()

    def left(self, spending: Spending, kind: str) -> int | None:
        """Return the wei that entries of `kind` may still commit today; None for no limit."""
        if self.daily is None:
            return None
        return max(self.daily - (0 if kind in self.urgent else self.reserve) - spending.worst, 0)

    def objection(self, spending: Spending, cost: int, kind: str) -> str | None:
        """Return why `cost` more wei may not be committed for an entry of `kind`; None where it may."""
        left = self.left(spending, kind)
        if left is None or cost <= left:
            return None
        return f"it may cost {cost} wei of gas, and {left} are left of the day's budget (UTC) for {kind}"
