"""What the deliverer tells whoever supervises it, and how it outlives a database that is away."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql
from sqlalchemy import delete

from api.webhooks import dispatcher, leader
from api.webhooks.dispatcher import MAXIMUM_ATTEMPTS, Dispatcher
from api.webhooks.leader import deliver
from api.webhooks.sender import Sender
from api.webhooks.telemetry import LONGEST_SILENCE_SECONDS, Telemetry
from encore.db import Database
from encore.db.models.accounts import Account
from encore.db.models.chain import FeedEntry
from encore.db.models.webhooks import Webhook
from tests.api.webhooks.receiver import Receiver
from tests.factories import NOW, feed_entry, save
from tests.support import eventually

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Deliverer:
    """One process' worth, on a clock that the test turns on."""

    def __init__(self, database: Database) -> None:
        self.now = float(NOW)
        self.database = database
        self.sender = Sender(allows_private=True)
        self.telemetry = Telemetry(lambda: self.now)
        self.dispatcher = Dispatcher(database, self.sender, bytes(32), lambda: self.now, self.telemetry, log_days=30)

    @property
    def samples(self) -> dict[str, float]:
        """What it tells, by name and outcome."""
        return {
            sample.name.removeprefix("encore_webhooks_") + "".join(f" {value}" for value in sample.labels.values()): (
                sample.value
            )
            for family in text_string_to_metric_families(self.telemetry.exposition().decode())
            for sample in family.samples
        }

    async def tick(self) -> None:
        """Do what a round does, and wait until nothing is on its way."""
        await self.dispatcher.queue()
        await self.dispatcher.send_due()
        await self.dispatcher.settle()
        await self.dispatcher.count()

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[asyncio.Event]:
        """Deliver while the body runs, or until what it yields is set."""
        stopping = asyncio.Event()
        running = asyncio.create_task(deliver(self.database, self.dispatcher, self.telemetry, stopping))
        try:
            yield stopping
        finally:
            stopping.set()
            await running

    async def subscribe(self, url: str) -> None:
        """Let everything be told to `url`."""
        now = datetime.fromtimestamp(self.now, UTC)
        held = Account(display_name="", source="wallet", external_id=url, created_at=now)
        await save(self.database, held)
        about = {"url": url, "description": "", "events": [], "coins": [], "is_active": True}
        await save(self.database, Webhook(account_id=held.id, generation=0, created_at=now, **about))

    async def leads(self) -> bool:
        return self.samples["leads"] == 1

    async def is_away(self) -> bool:
        return self.telemetry.unready() == "the database is away"


@contextmanager
def away(server: str, name: str | None) -> Iterator[None]:
    """Let nobody into the database while the body runs."""
    may_connect = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL(may_connect).format(sql.Identifier(name or ""), sql.Literal(False)))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        admin.execute(sql.SQL(may_connect).format(sql.Identifier(name or ""), sql.Literal(True)))


@pytest.fixture
async def deliverer(database: Database) -> AsyncIterator[Deliverer]:
    """One that has begun, so that what comes is news."""
    made = Deliverer(database)
    await made.dispatcher.queue()
    yield made
    await made.sender.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """After how many seconds each try for lock or database was to be repeated; here it is at once."""
    tries: list[float] = []

    async def wait(stopping: asyncio.Event, seconds: float) -> None:
        tries.append(seconds)
        await dispatcher.wait(stopping, 0.02)

    monkeypatch.setattr(leader, "wait", wait)
    return tries


async def tried_again(tries: list[float]) -> None:
    """Return once there were five tries more."""
    enough = len(tries) + 5

    async def are_enough() -> bool:
        return len(tries) >= enough

    await eventually(are_enough)


async def test_deliveries_are_counted_by_what_became_of_them(deliverer: Deliverer, receiver: Receiver) -> None:
    await deliverer.subscribe(receiver.url)
    receiver.answers = [web.Response(status=500) for _ in range(MAXIMUM_ATTEMPTS)]
    await save(deliverer.database, feed_entry())
    for _ in range(MAXIMUM_ATTEMPTS):
        await deliverer.tick()
        deliverer.now += 21_600
    await save(deliverer.database, feed_entry(), feed_entry())
    await deliverer.dispatcher.queue()
    await deliverer.dispatcher.count()
    assert deliverer.samples["pending"] == 2
    await deliverer.tick()
    assert deliverer.samples["pending"] == 2  # it is not counted each time
    deliverer.now += dispatcher.COUNT_SECONDS
    await deliverer.tick()
    told = deliverer.samples
    assert told["pending"] == 0
    assert {fate: told[f"deliveries_total {fate}"] for fate in ("delivered", "retried", "given_up")} == {
        "delivered": 2,
        "retried": MAXIMUM_ATTEMPTS - 1,
        "given_up": 1,
    }
    assert told["attempt_seconds_count"] == MAXIMUM_ATTEMPTS + 2
    assert 0 < told["attempt_seconds_sum"] < 10


async def test_it_tells_how_far_it_is_and_what_it_missed_but_numbers_left_out_are_no_events(
    deliverer: Deliverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "BATCH", 2)
    await save(deliverer.database, *(feed_entry(entry_id=number) for number in (1, 2, 5, 6, 7)))
    await deliverer.dispatcher.queue()
    assert (deliverer.samples["feed_position"], deliverer.samples["feed_behind"]) == (2, 5)
    while await deliverer.dispatcher.queue():
        pass
    told = deliverer.samples
    assert (told["feed_position"], told["feed_behind"], told["missed_events_total"]) == (7, 0, 0)
    async with deliverer.database.write() as session:
        await session.execute(delete(FeedEntry))
    await save(deliverer.database, feed_entry(entry_id=11))
    await deliverer.dispatcher.queue()
    await deliverer.dispatcher.queue()
    told = deliverer.samples
    assert (told["feed_position"], told["feed_behind"], told["missed_events_total"]) == (11, 0, 3)


async def test_it_tells_for_how_long_the_oldest_delivery_is_due(deliverer: Deliverer, receiver: Receiver) -> None:
    await deliverer.subscribe(receiver.url)
    await save(deliverer.database, feed_entry())
    await deliverer.dispatcher.queue()
    deliverer.now += 30
    await deliverer.dispatcher.send_due()
    assert deliverer.samples["due_seconds"] == 30
    await deliverer.dispatcher.settle()
    await deliverer.dispatcher.send_due()
    assert deliverer.samples["due_seconds"] == 0


async def test_a_receiver_that_is_stuck_holds_up_nobody_else_however_much_waits_for_it(
    deliverer: Deliverer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "BATCH", 10)
    done = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    stuck = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with stuck:
        await deliverer.subscribe(f"http://127.0.0.1:{stuck.sockets[0].getsockname()[1]}/")
        await save(deliverer.database, *(feed_entry() for _ in range(25)))
        while await deliverer.dispatcher.queue():
            pass
        deliverer.now += 60
        await deliverer.subscribe(receiver.url)
        await save(deliverer.database, feed_entry())
        await deliverer.dispatcher.queue()
        await deliverer.dispatcher.send_due()
        await deliverer.dispatcher.send_due()
        assert deliverer.samples["due_seconds"] == 0  # what waits for its receiver does not wait for us

        async def received() -> bool:
            return bool(receiver.requests)

        await eventually(received, deadline_seconds=5)
        done.set()
        await deliverer.dispatcher.settle()


async def test_a_queue_that_stands_still_is_unready(deliverer: Deliverer) -> None:
    deliverer.telemetry.leads()
    deliverer.now += LONGEST_SILENCE_SECONDS
    assert deliverer.telemetry.unready() is None
    deliverer.now += 1
    assert deliverer.telemetry.unready() == "the queue has not moved on for 61 seconds"
    assert deliverer.samples["silence_seconds"] == 61
    await deliverer.dispatcher.queue()
    assert deliverer.telemetry.unready() is None


async def test_one_of_two_delivers_and_the_other_is_ready_to_take_over(database: Database, tries: list[float]) -> None:
    one, other = Deliverer(database), Deliverer(database)
    async with one.delivering() as stopping:
        await eventually(one.leads)
        async with other.delivering():
            await tried_again(tries)
            told = other.samples
            assert (told["leads"], math.isnan(told["pending"]), math.isnan(told["silence_seconds"])) == (0, True, True)
            other.now += 3_600
            assert other.telemetry.unready() is None
            assert one.samples["leads"] == 1
            stopping.set()
            await eventually(other.leads)


@ON_POSTGRESQL
@pytest.mark.usefixtures("tries")
async def test_one_that_lost_its_lock_lets_the_other_deliver(database: Database, postgres_server: str) -> None:
    one, other = Deliverer(database), Deliverer(database)
    async with one.delivering():
        await eventually(one.leads)
        async with other.delivering():
            with psycopg.connect(postgres_server, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
                    "database = (SELECT oid FROM pg_database WHERE datname = %s)",
                    [database.engine.url.database],
                )
            await eventually(other.leads)

            async def stands_by() -> bool:
                return one.samples["leads"] == 0 and one.telemetry.unready() is None

            await eventually(stands_by)


@ON_POSTGRESQL
async def test_it_outlives_a_database_that_is_away_and_says_so_once(
    deliverer: Deliverer,
    receiver: Receiver,
    postgres_server: str,
    capsys: pytest.CaptureFixture[str],
    tries: list[float],
) -> None:
    database = deliverer.database
    await deliverer.subscribe(receiver.url)
    async with deliverer.delivering():
        await eventually(deliverer.leads)
        with away(postgres_server, database.engine.url.database):
            await eventually(deliverer.is_away)
            assert deliverer.samples["leads"] == 0
            await tried_again(tries)
        await eventually(deliverer.leads)
        assert deliverer.telemetry.unready() is None
        await save(database, feed_entry())

        async def received() -> bool:
            return bool(receiver.requests)

        await eventually(received)
    assert capsys.readouterr().out.count("the database is away") == 1
