"""`encore webhooks`: delivering events to other people's servers."""

import asyncio
import signal
import time

import click

from api.webhooks.dispatcher import Dispatcher
from api.webhooks.sender import Sender
from encore.db import Database
from encore.db.lock import process_lock
from encore.db.migrate import check_schema
from encore.settings import Settings, load_settings
from encore.telemetry import configure_telemetry

LOCK_POLL_SECONDS = 1.0


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
    lock = process_lock(database, "webhooks")
    key = settings.signing_key("webhooks")
    dispatcher = Dispatcher(database, sender, key, time.time, log_days=settings.webhook_log_days)
    try:
        while not stopping.is_set() and not await lock.try_take():
            waiting = asyncio.ensure_future(stopping.wait())
            await asyncio.wait({waiting}, timeout=LOCK_POLL_SECONDS)
            waiting.cancel()
        click.echo("delivering webhooks", err=True)
        await dispatcher.run(stopping)
    finally:
        await lock.release()
        await sender.close()
        await database.close()
