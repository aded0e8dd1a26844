"""What the oracle tells of itself as Prometheus metrics: how late it is, what waits or failed, what it may spend."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import Gauge, generate_latest

from encore.chain.outbox import Spending
from encore.monitor import RpcMetrics, process_registry
from oracle.gas import GasOutlook
from oracle.repository.overview import Open
from oracle.repository.state import State

LONGEST_SILENCE_SECONDS: Final = 300.0
WEI_PER_COIN: Final = 10**18


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at an oracle that leads. Wei; `block_time` is the newest block's."""

    at: datetime
    block_time: datetime
    state: State
    entries: dict[str, int]
    open: Open
    balance: int
    spending: Spending
    gas: GasOutlook
    is_authorised: bool


class Telemetry:
    """The metrics of one oracle process; those in seconds go on while nobody looks. Coins are native coins."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._registry = process_registry()
        self._clock = clock
        self._seen: Observation | None = None
        self._leads_since: datetime | None = None
        self.requested = RpcMetrics(self._registry).requested
        self._leads = self._gauge("leads", "Whether this process leads")
        self._leads.set(0)
        self._paused = self._gauge("paused", "Whether the oracle is paused")
        self._authorised = self._gauge("authorised", "Whether the chain takes reports from this key")
        self._transactions = Gauge(
            "encore_oracle_transactions", "Entries of the outbox", ["status"], registry=self._registry
        )
        self._failures = self._gauge("recent_failures", "Transactions that failed in the last hour")
        self._balance = self._gauge("balance_coins", "What the key holds")
        self._low_balance = self._gauge("low_balance_coins", "The balance below which it should be funded")
        self._spent = self._gauge("gas_spent_coins", "Gas paid for today (UTC)")
        self._committed = self._gauge("gas_committed_coins", "The most that signed transactions may still cost")
        self._budget = self._gauge("gas_budget_coins", "The budget for gas a day; NaN without one")
        self._left = self._gauge("gas_left_coins", "What is left of today's budget; NaN without one")
        self._price = self._gauge("gas_price_wei", "What a unit of gas costs")
        self._typical = self._gauge("gas_price_typical_wei", "What it usually costs; NaN before that is known")
        self._patience = self._gauge("patience_seconds", "How long figures may wait for cheaper gas")
        self._gauge("lag_seconds", "Since everything was last written").set_function(self._lag)
        self._gauge("silence_seconds", "Since the oracle last could look at chain and database").set_function(
            self._silence
        )
        self._gauge("chain_age_seconds", "Age of the newest block").set_function(self._chain_age)
        self._gauge("oldest_open_seconds", "Age of the oldest transaction that is not mined").set_function(self._oldest)

    def allows(self, *, budget: int | None, low_balance: int, patience_seconds: float) -> None:
        """Tell the limits that it works within, in wei and seconds."""
        self._budget.set(math.nan if budget is None else budget / WEI_PER_COIN)
        self._low_balance.set(low_balance / WEI_PER_COIN)
        self._patience.set(patience_seconds)

    def leads(self) -> None:
        """This process leads from now on; until then it stands by, which is no fault."""
        self._leads.set(1)
        self._leads_since = self._clock()

    def saw(self, seen: Observation, left: int | None) -> None:
        """Take a look in; `left` is the wei that today's budget has left."""
        self._seen = seen
        self._paused.set(seen.state.pause is not None)
        self._authorised.set(seen.is_authorised)
        for status, count in seen.entries.items():
            self._transactions.labels(status).set(count)
        self._failures.set(seen.open.recent_failures)
        self._balance.set(seen.balance / WEI_PER_COIN)
        self._spent.set(seen.spending.paid / WEI_PER_COIN)
        self._committed.set(seen.spending.committed / WEI_PER_COIN)
        self._left.set(math.nan if left is None else left / WEI_PER_COIN)
        self._price.set(seen.gas.price)
        self._typical.set(math.nan if seen.gas.typical is None else seen.gas.typical)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def unready(self) -> str | None:
        """Why the oracle should not be relied on now; one that stands by is as it should be."""
        silence = self._silence()
        if silence > LONGEST_SILENCE_SECONDS:
            return f"chain or database could not be looked at for {silence:.0f} seconds"
        return None

    def _gauge(self, name: str, text: str) -> Gauge:
        gauge = Gauge(f"encore_oracle_{name}", text, registry=self._registry)
        gauge.set(math.nan)  # until it is known: no comparison with it holds
        return gauge

    def _since(self, moment: datetime | None) -> float:
        return math.nan if moment is None else (self._clock() - moment).total_seconds()

    def _lag(self) -> float:
        return self._since(self._seen.state.synced_at or self._leads_since if self._seen else None)

    def _silence(self) -> float:
        return self._since(self._seen.at if self._seen else self._leads_since)

    def _chain_age(self) -> float:
        return self._since(self._seen.block_time if self._seen else None)

    def _oldest(self) -> float:
        return self._since(self._seen.open.oldest if self._seen else None)
