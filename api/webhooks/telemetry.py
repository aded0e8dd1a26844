"""What the deliverer of webhooks tells of itself, as Prometheus metrics: what becomes of deliveries, how late it is."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, get_args

from prometheus_client import Counter, Gauge, Histogram, generate_latest

from encore.monitor import process_registry

Fate = Literal["delivered", "retried", "given_up"]
"""What becomes of a delivery by one attempt."""

LONGEST_SILENCE_SECONDS: Final = 60.0
SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Telemetry:
    """The metrics of one process; `clock` in unix seconds. What only the one that leads can know is NaN elsewhere."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._registry = process_registry()
        self._clock = clock
        self._looked_at = math.nan
        self._due_since = math.nan
        self.is_database_away = False
        prefix = "encore_webhooks_"
        self._deliveries = Counter(
            f"{prefix}deliveries", "Attempts, by what became of the delivery", ["outcome"], registry=self._registry
        )
        for fate in get_args(Fate):
            self._deliveries.labels(fate)
        self._seconds = Histogram(
            f"{prefix}attempt_seconds", "How long receivers took", buckets=SECONDS, registry=self._registry
        )
        self._missed = Counter(
            f"{prefix}missed_events", "Events that were no longer kept when their turn came", registry=self._registry
        )
        self._leads = self._gauge("leads", "Whether this process delivers; others stand by")
        self._pending = self._gauge("pending", "Deliveries that are neither taken nor given up")
        self._position = self._gauge("feed_position", "Id of the newest event that deliveries were queued of")
        self._behind = self._gauge("feed_behind", "Events between that one and the newest")
        self._gauge("due_seconds", "Since the oldest delivery fell due that a receiver is free for").set_function(
            lambda: self._since(self._due_since)
        )
        self._gauge("silence_seconds", "Since feed and queue were last looked at").set_function(
            lambda: self._since(self._looked_at)
        )
        self.stands_by()

    def leads(self) -> None:
        """This process delivers from now on."""
        self._leads.set(1)
        self.is_database_away = False

    def stands_by(self) -> None:
        """Another process delivers, which is no fault."""
        self._leads.set(0)
        self.is_database_away = False
        self._looked_at = self._due_since = math.nan
        for gauge in (self._pending, self._position, self._behind):
            gauge.set(math.nan)

    def lost_database(self) -> None:
        """The database is away, and with it whatever this process led."""
        self.stands_by()
        self.is_database_away = True

    def queued(self, position: int, newest: int) -> None:
        """Deliveries are queued of the feed up to `position`, where `newest` is its newest entry."""
        self._looked_at = self._clock()
        self._position.set(position)
        self._behind.set(newest - position)

    def missed(self, events: int) -> None:
        """So many events left the feed before deliveries were queued of them."""
        self._missed.inc(events)

    def waits(self, due_since: datetime | None) -> None:
        """The oldest delivery that may be sent now fell due then; None where there is none."""
        self._due_since = self._clock() if due_since is None else due_since.timestamp()

    def counted(self, pending: int) -> None:
        """So many deliveries are neither taken nor given up."""
        self._pending.set(pending)

    def attempted(self, fate: Fate, seconds: float) -> None:
        """An attempt ended, `seconds` after it began."""
        self._deliveries.labels(fate).inc()
        self._seconds.observe(seconds)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def unready(self) -> str | None:
        """Why this process should not be relied on now; one that stands by is as it should be."""
        if self.is_database_away:
            return "the database is away"
        silence = self._since(self._looked_at)
        if silence > LONGEST_SILENCE_SECONDS:
            return f"the queue has not moved on for {silence:.0f} seconds"
        return None

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"encore_webhooks_{name}", text, registry=self._registry)

    def _since(self, moment: float) -> float:
        return self._clock() - moment
