"""EIP-1559 fees: what to offer for a first transaction and for the one that replaces it when it is stuck."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from encore.chain.outbox.budget import GasBudget

GWEI: Final = 10**9
GAS_MARGIN_PERCENT: Final = 125

# Nodes take a replacement only when both of its fees are at least 10 % higher.
_BUMP_NUMERATOR: Final = 9
_BUMP_DENOMINATOR: Final = 8


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers, in wei per gas."""

    max_fee_per_gas: int
    max_priority_fee_per_gas: int


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """`cap` is the most that is ever offered, in wei per gas; `budget` what a day's gas may cost.

    `gas_margins` is the gas to send entries of a kind with, in percent of the estimate: for kinds whose gas depends on
    what others do meanwhile. What is not used is not paid.
    """

    cap: int
    budget: GasBudget = field(default_factory=GasBudget)
    gas_margins: Mapping[str, int] = field(default_factory=dict)

    def gas_limit(self, kind: str, estimate: int) -> int:
        """Return the gas to send an entry of `kind` with."""
        return estimate * self.gas_margins.get(kind, GAS_MARGIN_PERCENT) // 100

    def first(self, base_fee: int, tip: int) -> Fees | None:
        """Return an offer that stays good while the base fee doubles; None while the base fee is above the cap."""
        if base_fee > self.cap:
            return None
        max_fee = min(2 * base_fee + tip, self.cap)
        return Fees(max_fee, min(tip, max_fee))

    def replacement(self, previous: Fees, base_fee: int, tip: int) -> Fees | None:
        """Return an offer that nodes accept instead of `previous`; None where that would exceed the cap."""
        bumped = Fees(_bump(previous.max_fee_per_gas), _bump(previous.max_priority_fee_per_gas))
        if bumped.max_fee_per_gas > self.cap:
            return None
        fresh = self.first(base_fee, tip) or bumped
        return Fees(
            max(bumped.max_fee_per_gas, fresh.max_fee_per_gas),
            max(bumped.max_priority_fee_per_gas, fresh.max_priority_fee_per_gas),
        )


def _bump(fee: int) -> int:
    return fee * _BUMP_NUMERATOR // _BUMP_DENOMINATOR + 1
