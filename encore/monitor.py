"""What every process serves to whoever supervises it: /metrics, /healthz and /readyz."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, ProcessCollector

from encore.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to serve; nothing where the port is 0. `setting` is the variable that chose the port."""

    host: str
    port: int
    setting: str


def process_registry() -> CollectorRegistry:
    """Return a registry with what is known of any process: its memory, CPU time and open files (`process_…`)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


class RpcMetrics:
    """Counts HTTP requests to nodes, as `RpcClient` observes them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter("encore_rpc_requests", "HTTP requests sent", ["endpoint"], registry=registry)
        self._errors = Counter(
            "encore_rpc_errors", "HTTP requests without a good answer", ["endpoint", "reason"], registry=registry
        )

    def requested(self, endpoint: str, outcome: str) -> None:
        """Note a request."""
        self._requests.labels(endpoint).inc()
        if outcome != "answered":
            self._errors.labels(endpoint, outcome).inc()


@asynccontextmanager
async def monitored(
    exposition: Callable[[], bytes], unready: Callable[[], str | None], listener: Listener
) -> AsyncIterator[None]:
    """Serve metrics (Prometheus' text format) and why the process is not ready, if it is not, while the body runs.

    Raises `SettingsError` where the port is taken.
    """
    if listener.port == 0:
        yield
        return

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readiness(_request: web.Request) -> web.Response:
        if reason := unready():
            return web.json_response({"status": "unready", "reason": reason}, status=503)
        return web.json_response({"status": "ready"})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", health), web.get("/readyz", readiness)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, listener.host, listener.port).start()
        except OSError as error:
            where = f"{listener.host}:{listener.port}"
            raise SettingsError(f"{listener.setting}: cannot listen on {where}: {error}") from error
        yield
    finally:
        await runner.cleanup()
