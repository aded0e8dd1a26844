"""`encore api`: serving the API."""

import errno
import gc
import signal
import socket
import sys
from typing import Any

import click
import uvicorn
from fastapi import FastAPI

from api.deps import Resources
from api.events.connections import HttpConnection, WebSocketConnection
from api.main import create_app
from encore.db.migrate import check_schema
from encore.errors import SettingsError
from encore.monitor import Listener, monitored
from encore.settings import Settings, load_settings
from encore.telemetry import configure_telemetry

KEEP_ALIVE_SECONDS = 75
LARGEST_REQUEST_BYTES = 16_384
"""Of a WebSocket message from a client."""
STUCK_MILLISECONDS = 60_000
"""How long the peer of a connection may leave what it was sent unread; then the kernel ends it."""
GRACEFUL_SHUTDOWN_SECONDS = 10
COLLECTOR_THRESHOLDS = (10_000, 20, 100)
"""Objects made before the young are looked at, and how often that is done before the older ones are, twice over."""


class Server(uvicorn.Server):
    """A server that is monitored, and that ends live streams first when it stops: clients would keep it waiting."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop; raises `SettingsError` where the port for metrics is taken."""
        held = self._resources
        settings = held.settings
        listener = Listener(settings.api_metrics_host, settings.api_metrics_port, "ENCORE_API_METRICS_PORT")
        async with monitored(held.telemetry.exposition, lambda: _unready(held), listener):
            await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, end streams, let requests finish."""
        self._resources.hub.close()
        await super().shutdown(sockets)

    @property
    def _resources(self) -> Resources:
        application: Any = self.config.app
        held: Resources = application.state.resources
        return held


def _unready(held: Resources) -> str | None:
    return "nothing is indexed, or the database is away" if held.follower.tip is None else None


@click.group()
def api() -> None:
    """Serve creators, coins, portfolios and live events over HTTP."""


@api.command()
@click.option("--host", help="address to listen on [ENCORE_API_HOST, 127.0.0.1]")
@click.option("--port", type=int, help="port to listen on [ENCORE_API_PORT, 8000]")
def run(host: str | None, port: int | None) -> None:
    """Serve until interrupted."""
    settings = load_settings(api_host=host, api_port=port)
    configure_telemetry(settings, "api")
    check_schema(settings.database)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: sys.exit(0))  # uvicorn hands the signal on once it has stopped gracefully
    listener = listen(settings.api_host, settings.api_port)
    config = server_config(create_app(settings), settings)
    collect_garbage_seldom()
    click.echo(f"API on http://{settings.api_host}:{settings.api_port} (documentation at /docs)", err=True)
    Server(config).run([listener])


def collect_garbage_seldom() -> None:
    """Spare what is there now, which stays, and look for cycles among all that lives long once in many minutes.

    With 5 000 connections such a look stops the process for a quarter of a second, and Python takes one every five.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return how the API is served."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpConnection,
        ws=WebSocketConnection,
        ws_max_size=LARGEST_REQUEST_BYTES,
        ws_per_message_deflate=False,  # what is the same for everybody would be compressed for each
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        forwarded_allow_ips=settings.trusted_proxies,
        access_log=False,  # ours carries the request id
        log_config=None,
    )


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything starts, so that a port that is taken is one clear line (`SettingsError`)."""
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        reason = "something else listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise SettingsError(f"cannot serve on {host}:{port}: {reason}; choose another ENCORE_API_PORT") from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_MILLISECONDS)  # its connections inherit it
    return listener
