"""Deliveries, from the feed to a real HTTP server that verifies their signatures."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web
from fastapi import FastAPI
from sqlalchemy import delete, text

from api.main import create_app
from api.webhooks.dispatcher import MAXIMUM_ATTEMPTS, Dispatcher, retry_seconds
from api.webhooks.sender import Sender
from api.webhooks.telemetry import Telemetry
from encore.chain.local_node import free_port
from encore.db import Database
from encore.db.models.webhooks import Webhook
from encore.settings import Settings
from tests.api.accounts.signing import Signer, bearer
from tests.api.conftest import checked_client
from tests.api.webhooks.receiver import Receiver
from tests.factories import NOW, address, feed_entry, save
from tests.support import eventually, stop_process

COIN, OTHER = address(0xC01), address(0xC02)


class World:
    """An API, a dispatcher and a receiver on one clock that the test turns on."""

    def __init__(self, client: httpx2.AsyncClient, receiver: Receiver, database: Database, settings: Settings) -> None:
        self.now = float(NOW)
        self.client = client
        self.receiver = receiver
        self.sender = Sender(allows_private=True)
        self.telemetry = Telemetry(lambda: self.now)
        key = settings.signing_key("webhooks")
        self.dispatcher = Dispatcher(database, self.sender, key, lambda: self.now, self.telemetry, log_days=30)
        self.headers: dict[str, str] = {}

    async def subscribe(self, **request: Any) -> dict[str, Any]:
        """Make a webhook to the receiver."""
        body = {"url": self.receiver.url, **request}
        response = await self.client.post("/api/v1/webhooks", json=body, headers=self.headers)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    async def dispatch(self) -> None:
        """Queue and send what is due until nothing is."""
        while await self.dispatcher.queue():
            pass
        sent = -1
        while len(self.receiver.requests) != sent:
            sent = len(self.receiver.requests)
            await self.dispatcher.send_due()
            await self.dispatcher.settle()

    async def deliveries(self, webhook: dict[str, Any], **params: str) -> list[dict[str, Any]]:
        path = f"/api/v1/webhooks/{webhook['id']}/deliveries"
        items: list[dict[str, Any]] = (await self.client.get(path, params=params, headers=self.headers)).json()["items"]
        return items


@pytest.fixture
async def world(settings: Settings, database: Database) -> AsyncIterator[World]:
    """Everything, signed in; the dispatcher has begun."""
    holder: list[World] = []
    app: FastAPI = create_app(settings, clock=lambda: holder[0].now if holder else float(NOW))
    async with app.router.lifespan_context(app), checked_client(app) as client, Receiver() as receiver:
        holder.append(World(client, receiver, database, settings))
        holder[0].headers = bearer(await Signer(5).sign_in(client))
        await holder[0].dispatcher.queue()
        yield holder[0]
        await holder[0].sender.close()


async def test_an_event_and_its_reversal_are_delivered_once_signed_with_the_secret(
    world: World, database: Database
) -> None:
    hook = await world.subscribe(coins=[COIN])
    await save(database, feed_entry(args={"token": COIN}), feed_entry(args={"token": OTHER}))
    await save(database, feed_entry(args={"token": COIN}, kind="undone"))
    await world.dispatch()
    await world.dispatch()
    received = world.receiver.requests
    assert [request.event["kind"] for request in received] == ["applied", "undone"]
    assert [request.headers["webhook-id"] for request in received] == ["evt_1", "evt_3"]
    assert received[0].event["block_hash"] == received[1].event["block_hash"]
    for request in received:
        assert request.is_authentic(hook["secret"], world.now)
        assert not replace(request, body=request.body + b" ").is_authentic(hook["secret"], world.now)
        assert not request.is_authentic(
            hook["secret"], world.now + 301
        )  # a replay, to a receiver that looks at the time
        later = {**request.headers, "webhook-timestamp": str(int(world.now) + 1)}
        assert not replace(request, headers=later).is_authentic(hook["secret"], world.now)
    log = await world.deliveries(hook)
    assert [(each["event_id"], each["status"], each["attempts"], each["response_status"]) for each in log] == [
        (3, "delivered", 1, 204),
        (1, "delivered", 1, 204),
    ]


async def test_events_are_filtered_by_name_and_only_those_after_the_subscription_count(
    world: World, database: Database
) -> None:
    await save(database, feed_entry(name="PoolPaused"))
    while await world.dispatcher.queue():
        pass
    hook = await world.subscribe(events=["PoolPaused"])
    await save(database, feed_entry(name="PoolUnpaused"), feed_entry(name="PoolPaused"))
    await world.dispatch()
    assert [each["event_id"] for each in await world.deliveries(hook)] == [3]


async def test_what_is_not_taken_is_sent_again_later_and_later_and_at_last_given_up(
    world: World, database: Database
) -> None:
    hook = await world.subscribe()
    world.receiver.answers = [web.Response(status=500) for _ in range(MAXIMUM_ATTEMPTS)]
    await save(database, feed_entry())
    await world.dispatch()
    for attempt in range(1, MAXIMUM_ATTEMPTS):
        (delivery,) = await world.deliveries(hook, status="pending")
        assert (delivery["attempts"], delivery["response_status"], delivery["error"]) == (attempt, 500, "HTTP 500")
        await world.dispatch()
        assert len(world.receiver.requests) == attempt  # it is not due yet
        world.now += 21_600
        world.headers = bearer(await Signer(5).sign_in(world.client))
        await world.dispatch()
    (delivery,) = await world.deliveries(hook, status="failed")
    assert (delivery["attempts"], delivery["next_attempt_at"]) == (MAXIMUM_ATTEMPTS, None)
    assert len({request.headers["webhook-id"] for request in world.receiver.requests}) == 1

    path = f"/api/v1/webhooks/{hook['id']}/deliveries/{delivery['id']}/retries"
    assert (await world.client.post(path, headers=world.headers)).json() == {"queued": 1}
    await world.dispatch()
    assert (await world.deliveries(hook))[0]["status"] == "delivered"


def test_waits_grow_with_jitter_up_to_six_hours() -> None:
    for attempts, longest in ((1, 5), (2, 15), (3, 45), (9, 21_600)):
        waits = [retry_seconds(attempts) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


async def test_the_log_forgets_what_was_finished_long_ago_and_nothing_that_is_pending(
    world: World, database: Database
) -> None:
    hook = await world.subscribe()
    await save(database, *(feed_entry() for _ in range(3)))
    world.receiver.answers = [web.Response(), web.Response(), web.Response(status=500)]
    await world.dispatcher.queue()
    await world.dispatcher.send_due()
    await world.dispatcher.settle()
    world.now += 30 * 86_400 - 60
    await world.dispatcher.purge()
    world.headers = bearer(await Signer(5).sign_in(world.client))
    assert len(await world.deliveries(hook)) == 3
    world.now += 120
    await world.dispatcher.purge()
    assert len(await world.deliveries(hook)) == 3  # it looks once an hour
    world.now += 3_600
    await world.dispatcher.purge()
    world.headers = bearer(await Signer(5).sign_in(world.client))
    (kept,) = await world.deliveries(hook)
    assert (kept["status"], kept["attempts"]) == ("pending", 1)


async def test_deliveries_are_replayed_from_an_event_on(world: World, database: Database) -> None:
    hook = await world.subscribe()
    await save(database, *(feed_entry(block=number) for number in range(5)))
    await world.dispatch()
    path = f"/api/v1/webhooks/{hook['id']}/replays"
    replayed = await world.client.post(path, json={"after": 2}, headers=world.headers)
    assert replayed.json() == {"queued": 3}
    await world.dispatch()
    ids = [request.headers["webhook-id"] for request in world.receiver.requests]
    assert ids[:5] == [f"evt_{number}" for number in range(1, 6)]
    assert sorted(ids[5:]) == ["evt_3", "evt_4", "evt_5"]


async def test_a_receiver_that_is_away_holds_up_nobody_else(world: World, database: Database) -> None:
    await world.subscribe(url="http://127.0.0.1:9/")
    hook = await world.subscribe()
    await save(database, *(feed_entry(block=number) for number in range(20)))
    await world.dispatch()
    assert {each["status"] for each in await world.deliveries(hook)} == {"delivered"}


async def test_a_paused_webhook_is_queued_nothing_and_a_changed_secret_signs_at_once(
    world: World, database: Database
) -> None:
    hook = await world.subscribe()
    path = f"/api/v1/webhooks/{hook['id']}"
    await world.client.patch(path, json={"is_active": False}, headers=world.headers)
    await save(database, feed_entry())
    await world.dispatch()
    await world.client.patch(path, json={"is_active": True}, headers=world.headers)
    secret = (await world.client.post(f"{path}/secrets", headers=world.headers)).json()["secret"]
    await save(database, feed_entry())
    await world.dispatch()
    (request,) = world.receiver.requests
    assert request.headers["webhook-id"] == "evt_2"
    assert request.is_authentic(secret, world.now)
    assert not request.is_authentic(hook["secret"], world.now)


async def test_dispatchers_at_the_same_time_queue_each_event_once(
    world: World, database: Database, settings: Settings
) -> None:
    hook = await world.subscribe()
    await save(database, *(feed_entry(block=number) for number in range(30)))
    key = settings.signing_key("webhooks")
    other = Dispatcher(database, world.sender, key, lambda: world.now, Telemetry(lambda: world.now), log_days=30)
    await asyncio.gather(*(dispatcher.queue() for dispatcher in (world.dispatcher, other) * 3))
    assert len(await world.deliveries(hook, limit="100")) == 30


async def test_the_command_delivers_until_it_is_told_to_stop(
    world: World, database: Database, settings: Settings, tmp_path: Path
) -> None:
    world.now = NOW - 40_000_000.0  # so that what is queued is due by the command's own clock
    hook = await world.subscribe()
    port = free_port()
    variables = {
        "ENCORE_DATA_DIR": str(tmp_path),
        "ENCORE_DATABASE_URL": settings.database,
        "ENCORE_WEBHOOKS_METRICS_PORT": str(port),
    }
    command = [sys.executable, "-m", "encore", "webhooks", "run"]
    process = subprocess.Popen(command, env={**os.environ, **variables})  # noqa: ASYNC220 - it only starts it
    await save(database, feed_entry())

    async def delivered() -> bool:
        return bool(world.receiver.requests)

    await eventually(delivered)
    assert world.receiver.requests[0].headers["webhook-id"] == "evt_1"
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as supervisor:
        assert "encore_webhooks_leads 1.0" in (await supervisor.get("/metrics")).text.splitlines()
        assert (await supervisor.get("/readyz")).json() == {"status": "ready"}
    stop_process(process)
    assert process.returncode == 0
    assert (await world.deliveries(hook))[0]["status"] == "delivered"


async def test_a_webhook_that_is_deleted_while_events_are_queued_holds_up_nothing(
    world: World, database: Database
) -> None:
    gone, kept = await world.subscribe(), await world.subscribe()
    await save(database, feed_entry())

    async def waits() -> bool:
        if database.is_sqlite:
            return True  # there the one who writes comes after the other in any case
        async with database.read() as session:
            return bool(await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

    async with database.write() as session:
        await session.execute(delete(Webhook).where(Webhook.id == gone["id"]))
        queueing = asyncio.create_task(world.dispatcher.queue())
        await eventually(waits)
    assert await queueing == 1
    assert [each["event_id"] for each in await world.deliveries(kept)] == [1]
