"""The indexer's own small HTTP server for whoever supervises it: /metrics, /healthz and /readyz."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from encore.chain.networks import Network
from encore.errors import SettingsError
from indexer.telemetry import Telemetry


@asynccontextmanager
async def monitored(telemetry: Telemetry, network: Network, host: str, port: int) -> AsyncIterator[None]:
    """Serve on `port`, or nothing where it is 0; raises `SettingsError` where the port is taken."""
    if port == 0:
        yield
        return

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=telemetry.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readiness(_request: web.Request) -> web.Response:
        if reason := telemetry.unready(network):
            return web.json_response({"status": "unready", "reason": reason}, status=503)
        return web.json_response({"status": "ready"})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", health), web.get("/readyz", readiness)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise SettingsError(f"ENCORE_INDEXER_METRICS_PORT: cannot listen on {host}:{port}: {error}") from error
        yield
    finally:
        await runner.cleanup()
