import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx2
import pytest

from api.events import router
from api.main import create_app
from api.realtime import Hub
from encore.db import Database
from encore.settings import Settings
from tests.api.openapi import OpenApi
from tests.api.server import LiveEvent, connected_without_reading, listening, serving, subscribers
from tests.factories import address, feed_entry, save
from tests.support import eventually

COIN = address(0xC01)
OTHER = address(0xC02)


@pytest.fixture
async def base(settings: Settings, database: Database) -> AsyncIterator[str]:
    """The URL of a real server over the database."""
    async with serving(create_app(settings)) as url:
        yield url


async def take(events: AsyncIterator[LiveEvent], count: int) -> list[LiveEvent]:
    return [await asyncio.wait_for(anext(events), 20) for _ in range(count)]


async def test_events_arrive_as_they_are_committed(base: str, database: Database, settings: Settings) -> None:
    await save(database, feed_entry(name="Old"))
    async with listening(base, headers={"Last-Event-ID": "1"}) as events:
        args = {"token": COIN, "nativeIn": "5", "name": address(0xDEAD)}
        await save(database, feed_entry(args=args, block=1_001, log_index=2))
        (event,) = await take(events, 1)
        await save(database, feed_entry(args=args, block=1_001, log_index=2, kind="undone"))
        (undone,) = await take(events, 1)
    assert (event.event, event.id, undone.event, undone.id) == ("applied", 2, "undone", 3)
    body = json.loads(event.data)
    OpenApi(create_app(settings).openapi()).check(body, {"$ref": "#/components/schemas/FeedEvent"})
    assert (body["block_number"], body["log_index"], body["name"]) == (1_001, 2, "PoolPaused")
    checksummed = "0x0000000000000000000000000000000000000C01"
    assert body["args"] == {**args, "token": checksummed}  # and somebody's words stay as they are


async def test_a_client_resumes_without_gap_or_repetition(base: str, database: Database) -> None:
    await save(database, *(feed_entry(block=number) for number in range(1, 1_201)))
    async with listening(base, params={"after": 0}) as events:
        first = await take(events, 700)
    async with listening(base, headers={"Last-Event-ID": str(first[-1].id)}) as events:
        await save(database, *(feed_entry(block=number) for number in range(1_201, 1_301)))
        rest = await take(events, 600)
    assert [event.id for event in first + rest] == list(range(1, 1_301))


async def test_the_header_of_a_reconnecting_browser_wins_over_the_url(base: str, database: Database) -> None:
    await save(database, *(feed_entry() for _ in range(3)))
    async with listening(base, params={"after": 0}, headers={"Last-Event-ID": "2"}) as events:
        assert [event.id for event in await take(events, 1)] == [3]


async def test_events_are_filtered_by_coin_and_name(base: str, database: Database) -> None:
    await save(
        database,
        feed_entry(args={"token": COIN}),
        feed_entry(args={"token": OTHER}),
        feed_entry(contract="CreatorToken", name="Transfer", emitter=COIN),
        feed_entry(contract="CreatorToken", name="Transfer", emitter=OTHER),
        feed_entry(name="PoolUnpaused", args={"token": COIN}),
    )
    async with listening(base, params={"after": 0, "coin": COIN}) as events:
        assert [event.id for event in await take(events, 3)] == [1, 3, 5]
    async with listening(base, params={"after": 0, "coin": COIN, "name": ["PoolUnpaused", "Transfer"]}) as events:
        assert [event.id for event in await take(events, 2)] == [3, 5]
        await save(database, feed_entry(args={"token": COIN}), feed_entry(name="PoolUnpaused", args={"token": COIN}))
        assert [event.id for event in await take(events, 1)] == [7]


async def test_without_an_id_only_what_is_new_is_sent(base: str, database: Database) -> None:
    await save(database, feed_entry())
    async with listening(base, params={"after": 0}) as before:
        await take(before, 1)  # the server has seen entry 1
        async with listening(base) as events:
            await save(database, feed_entry())
            assert [event.id for event in await take(events, 1)] == [2]


@pytest.mark.parametrize("after", [3, 50])
async def test_a_client_whose_events_are_gone_is_told_to_start_anew(base: str, database: Database, after: int) -> None:
    await save(database, feed_entry(entry_id=10), feed_entry(entry_id=11))
    async with listening(base, params={"after": after}) as events:
        (reset,) = await take(events, 1)
        await save(database, feed_entry(entry_id=12))
        (next_one,) = await take(events, 1)
    assert (reset.event, reset.id, next_one.id) == ("reset", 11, 12)
    assert str(after) in json.loads(reset.data)["reason"]


async def test_a_wrong_id_or_filter_is_a_problem_not_a_stream(client: httpx2.AsyncClient) -> None:
    for params in ({"after": "-1"}, {"after": "x"}, {"coin": "0x12"}):
        response = await client.get("/api/v1/events", params=params)
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"].split(".")[0] in params


async def test_a_server_that_stops_does_not_wait_for_listeners(settings: Settings, database: Database) -> None:
    async with asyncio.timeout(20):
        async with serving(create_app(settings)) as url:
            stream = listening(url)
            events = await stream.__aenter__()
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        await stream.__aexit__(None, None, None)


async def test_a_stuck_client_is_dropped_without_slowing_the_others(settings: Settings, database: Database) -> None:
    app = create_app(settings)
    hub = app.state.resources.hub = Hub(queue_bytes=1_000_000)

    async def both_listen() -> bool:
        return subscribers(hub) == 2

    async with serving(app) as base, listening(base) as events:
        stuck = await connected_without_reading(base, b"GET /api/v1/events HTTP/1.1\r\nHost: test\r\n\r\n")
        await eventually(both_listen)
        received = 0
        long = {"description": "x" * 50_000}
        while subscribers(hub) == 2:
            await save(database, *(feed_entry(args=long) for _ in range(20)))
            received += len(await take(events, 20))
            assert received < 20_000, "the stuck client was never dropped"
        await save(database, feed_entry())
        assert [event.id for event in await take(events, 1)] == [received + 1]
        tail = b"the beginning"
        with suppress(ConnectionResetError):
            while some := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(stuck, 65_536), 20):
                tail = some
        assert not tail.endswith(b"\r\n0\r\n\r\n")  # broken off, so that it does not take this for all
        stuck.close()


async def test_a_comment_keeps_a_quiet_connection_alive(
    base: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "PING_SECONDS", 0.01)
    async with httpx2.AsyncClient(base_url=base) as client, client.stream("GET", "/api/v1/events?after=0") as response:
        lines = response.aiter_lines()
        assert [await anext(lines) for _ in range(4)] == [": ping", ""] * 2
        await save(database, feed_entry())
        while (line := await anext(lines)) in {": ping", ""}:
            pass
        assert line == "event: applied"
