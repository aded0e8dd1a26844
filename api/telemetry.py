"""What an API process tells of itself, as Prometheus metrics: requests, connections, and how fresh its answers are."""

import time
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.mirror.follower import TipFollower
from api.realtime import Hub
from encore.monitor import RpcMetrics, process_registry

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NO_OPERATION: Final = "none"
"""What answers are counted under that no operation gave: unknown paths, refusals by the limits, the pages of /docs."""


class Telemetry:
    """The metrics of one process. Ready pages of the newest block are answered before anything is counted."""

    def __init__(self) -> None:
        registry = process_registry()
        self._registry = registry
        prefix = "encore_api_"
        self._requests = Counter(f"{prefix}requests", "Requests answered", ["operation", "status"], registry=registry)
        self._seconds = Histogram(
            f"{prefix}request_seconds", "Until the answer began", ["operation"], buckets=SECONDS, registry=registry
        )
        self.connections = Gauge(f"{prefix}websocket_connections", "Open WebSocket connections", registry=registry)
        self._indexed = Gauge(f"{prefix}indexed_block", "Newest block that answers are of", registry=registry)
        self._position = Gauge(f"{prefix}feed_position", "Id of the newest event told live", registry=registry)
        self.requested = RpcMetrics(registry).requested

    def watch(self, follower: TipFollower, hub: Hub) -> None:
        """Tell how far these are whenever somebody asks."""
        self._indexed.set_function(lambda: -1 if follower.tip is None else follower.tip.number)
        self._position.set_function(lambda: hub.position)

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """Note an answer, `seconds` after its request came."""
        self._requests.labels(operation, status).inc()
        self._seconds.labels(operation).observe(seconds)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class Metered:
    """Notes every answer that the application gives, and every connection."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if scope["type"] == "websocket":
            with self._telemetry.connections.track_inprogress():
                await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                operation = getattr(scope.get("route"), "operation_id", None) or NO_OPERATION
                self._telemetry.answered(operation, int(message["status"]), time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, send_noted)
