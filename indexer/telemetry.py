"""What the indexer tells of itself: how far it is, how fast, and what went wrong with whom, as Prometheus metrics."""

from time import monotonic
from typing import Final

from prometheus_client import Counter, Gauge, generate_latest

from encore.chain.networks import Network
from encore.monitor import RpcMetrics, process_registry
from indexer.source import Head

READY_LAG_SECONDS: Final = 60
READY_LAG_BLOCKS: Final = 5
"""What a mirror that is ready may be behind, whichever is more on the network."""
LONGEST_SILENCE_SECONDS: Final = 60.0
"""A head that was read longer ago says nothing of how far behind the mirror is."""


class Telemetry:
    """The metrics of one indexer; block times and lags in seconds, as of the head that was read last."""

    def __init__(self) -> None:
        registry = process_registry()
        self._registry = registry
        prefix = "encore_indexer_"
        self._head = Gauge(f"{prefix}head_block", "Newest block of the chain", registry=registry)
        self._finalized = Gauge(f"{prefix}finalized_block", "Newest final block of the chain", registry=registry)
        self._indexed = Gauge(f"{prefix}indexed_block", "Newest block of the mirror", registry=registry)
        self._lag_blocks = Gauge(f"{prefix}lag_blocks", "Blocks between mirror and head", registry=registry)
        self._lag_seconds = Gauge(f"{prefix}lag_seconds", "Block time between mirror and head", registry=registry)
        self._events = Counter(f"{prefix}events", "Events applied", registry=registry)
        self._rate = Gauge(f"{prefix}events_per_second", "Events a second in the last segment", registry=registry)
        self._segments = Counter(f"{prefix}segments", "Runs of blocks committed", registry=registry)
        self._reorgs = Counter(f"{prefix}reorgs", "Reorgs followed", registry=registry)
        self._undone = Counter(f"{prefix}undone_blocks", "Blocks undone by reorgs", registry=registry)
        self._faults = Counter(f"{prefix}faults", "Looks at the chain that failed", ["reason"], registry=registry)
        self.requested = RpcMetrics(registry).requested
        self._position: tuple[int, int] | None = None
        self._newest: Head | None = None
        self._read_at = 0.0

    def saw_head(self, head: Head) -> None:
        """The chain's head was read."""
        self._newest = head
        self._read_at = monotonic()
        self._head.set(head.header.number)
        self._finalized.set(head.finalized)
        self._measure_lag()

    def stands_at(self, number: int, timestamp: int) -> None:
        """The mirror's last block is this one."""
        self._position = number, timestamp
        self._indexed.set(number)
        self._measure_lag()

    def applied(self, events: int, seconds: float) -> None:
        """A segment was committed."""
        self._segments.inc()
        self._events.inc(events)
        self._rate.set(events / seconds)

    def undid(self, blocks: int) -> None:
        """A reorg was followed."""
        self._reorgs.inc()
        self._undone.inc(blocks)

    def failed(self, error: Exception) -> None:
        """A look at the chain failed and will be tried again."""
        self._faults.labels(type(error).__name__).inc()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def unready(self, network: Network) -> str | None:
        """Why the mirror should not be relied on now; None where it may."""
        if self._newest is None or self._position is None:
            return "the mirror is not open yet"
        lag = self._newest.header.number - self._position[0]
        if lag > max(READY_LAG_BLOCKS, READY_LAG_SECONDS / network.block_seconds):
            return f"the mirror is {lag} blocks behind the chain"
        silence = monotonic() - self._read_at
        if silence > LONGEST_SILENCE_SECONDS:
            return f"the chain could not be read for {silence:.0f} seconds"
        return None

    def _measure_lag(self) -> None:
        if self._newest is not None and self._position is not None:
            number, timestamp = self._position
            self._lag_blocks.set(max(0, self._newest.header.number - number))
            self._lag_seconds.set(max(0, self._newest.header.timestamp - timestamp))
