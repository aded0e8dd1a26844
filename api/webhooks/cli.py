"""`encore webhooks`: delivering events to other people's servers."""

import asyncio
import signal
import time

import click

from api.webhooks.dispatcher import Dispatcher
from api.webhooks.leader import deliver
from api.webhooks.sender import Sender
from api.webhooks.telemetry import Telemetry
from encore.db import Database
from encore.db.migrate import check_schema
from encore.monitor import Listener, monitored
from encore.settings import Settings, load_settings
from encore.telemetry import configure_telemetry


@click.group()
def webhooks() -> None:
    """Deliver events of the chain to webhooks."""


@webhooks.command()
def run() -> None:
    """Deliver until interrupted; where another process does already, wait to take over."""
    settings = load_settings()
    configure_telemetry(settings, "webhooks")
    settings.check_for_api()
    check_schema(settings.database)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    database = Database(settings.database)
    sender = Sender(allows_private=settings.allows_private_webhooks)
    telemetry = Telemetry(time.time)
    key = settings.signing_key("webhooks")
    dispatcher = Dispatcher(database, sender, key, time.time, telemetry, log_days=settings.webhook_log_days)
    listener = Listener(settings.webhooks_metrics_host, settings.webhooks_metrics_port, "ENCORE_WEBHOOKS_METRICS_PORT")
    try:
        async with monitored(telemetry.exposition, telemetry.unready, listener):
            await deliver(database, dispatcher, telemetry, stopping)
    finally:
        await sender.close()
        await database.close()
