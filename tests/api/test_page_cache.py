"""Pages of the mirror: validators, and the micro-cache that keeps them as long as their block is the newest."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.deps import FARTHEST_BLOCK
from api.main import create_app
from api.mirror.follower import TipFollower
from api.mirror.service import Tip
from api.page_cache import LIFETIME_SECONDS, PageCache
from encore.db import Database
from encore.settings import Settings
from tests.api.conftest import checked_client
from tests.factories import address, checkpoint, hash_of, save, token
from tests.support import eventually


class Counted:
    """An application whose every answer from the mirror says how many it has given."""

    def __init__(self, follower: TipFollower) -> None:
        self.follower = follower
        self.answers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.answers += 1
        tip = self.follower.tip
        headers = tip.headers() if tip and scope["path"] != "/plain" else {}
        response: Response = JSONResponse(self.answers, headers={**headers, "X-Rate": "1", "X-Request-ID": "theirs"})
        if scope["path"] == "/stream":
            response = StreamingResponse(self._parts(), headers=headers)
        if scope["path"] == "/missing":
            response = JSONResponse(self.answers, 404, headers)
        await response(scope, receive, send)

    async def _parts(self) -> AsyncIterator[str]:
        yield "one"
        yield "two"


class Cached:
    """A cache over it, with a clock and a block that a test sets."""

    def __init__(self, database: Database, capacity_bytes: int = 1_000) -> None:
        self.now = 0.0
        self.follower = TipFollower(database, 1)
        self.app = Counted(self.follower)
        self.cache = PageCache(self.app, follower=self.follower, capacity_bytes=capacity_bytes, clock=lambda: self.now)
        self.block(1)

    def block(self, number: int, branch: int = 0) -> None:
        self.follower.tip = Tip(number, hash_of(100 * branch + number), number)

    async def get(self, path: str = "/", **headers: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self.cache)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
async def cached(tmp_path: Any) -> AsyncIterator[Cached]:
    database = Database(f"sqlite:///{tmp_path}/nothing.db")
    yield Cached(database)
    await database.close()


async def test_a_page_is_kept_as_long_as_its_block_is_the_newest(cached: Cached) -> None:
    assert [(await cached.get()).json() for _ in range(3)] == [1, 1, 1]
    cached.block(2)
    assert [(await cached.get()).json() for _ in range(2)] == [2, 2]
    cached.block(2, branch=1)
    assert (await cached.get()).json() == 3


async def test_a_page_that_many_ask_for_at_once_is_made_once(cached: Cached) -> None:
    going_on = asyncio.Event()
    original = cached.app.__call__

    async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
        await going_on.wait()
        await original(scope, receive, send)

    cached.cache._app = slowly
    asking = [asyncio.create_task(cached.get(path)) for path in ("/", "/other") for _ in range(5)]
    await asyncio.sleep(0)
    going_on.set()
    answers = [(await answer).json() for answer in asking]
    assert sorted(answers) == [1] * 5 + [2] * 5
    assert cached.cache._coming == {}


async def test_nobody_waits_for_the_end_of_a_stream_or_for_an_answer_that_is_not_kept(cached: Cached) -> None:
    """Each gets an answer of its own, also where the first one failed."""
    for path in ("/plain", "/stream", "/missing"):
        before = cached.app.answers
        await asyncio.gather(*(cached.get(path) for _ in range(3)))
        assert cached.app.answers == before + 3

    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(0)
        raise ValueError

    cached.cache._app = failing
    outcomes = await asyncio.gather(*(cached.get() for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, ValueError) for outcome in outcomes)
    assert cached.cache._coming == {}


async def test_a_kept_page_ages_for_a_second_at_most(cached: Cached) -> None:
    await cached.get()
    cached.now = LIFETIME_SECONDS
    assert (await cached.get()).json() == 2


async def test_pages_differ_by_path_query_and_origin(cached: Cached) -> None:
    asked: list[tuple[str, dict[str, str]]] = [("/a", {}), ("/a?x=1", {}), ("/b", {}), ("/b", {"origin": "https://x"})]
    answers = [(await cached.get(path, **headers)).json() for path, headers in asked * 2]
    assert answers == [1, 2, 3, 4] * 2


async def test_what_is_asked_with_credentials_is_never_kept(cached: Cached) -> None:
    await cached.get()
    for name in ("authorization", "cookie"):
        answer = await cached.get(**{name: "secret"})
        assert answer.json() > 1
        assert answer.headers["cache-control"] == "private, no-cache"
    assert (await cached.get()).json() == 1


async def test_only_whole_good_pages_of_the_mirror_are_kept(cached: Cached) -> None:
    for path in ("/plain", "/missing"):
        assert (await cached.get(path)).json() != (await cached.get(path)).json()
        assert "etag" not in (await cached.get(path)).headers
    assert (await cached.get("/stream")).text == "onetwo"
    before = cached.app.answers
    assert (await cached.get("/stream")).text == "onetwo"
    assert cached.app.answers == before + 1


async def test_every_kept_answer_has_a_request_id_of_its_own_and_nothing_of_another_requests(cached: Cached) -> None:
    await cached.get()
    first, second = await cached.get(), await cached.get()
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert "x-rate" not in first.headers
    assert first.headers["x-indexed-block"] == "1"
    assert (await cached.get(x_request_id="mine")).json() == 2, "it is the application that checks a given one"


async def test_a_client_that_has_the_page_is_told_so(cached: Cached) -> None:
    page = await cached.get()
    assert page.headers["cache-control"] == "public, no-cache"
    tag = page.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await cached.get(if_none_match=known)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert answer.headers["x-indexed-block"] == "1"
    assert (await cached.get(if_none_match='"other"')).status_code == 200
    cached.block(2)
    assert (await cached.get(if_none_match=tag)).status_code == 200


async def test_a_block_that_is_not_the_newest_is_not_kept(cached: Cached) -> None:
    """The mirror went on between the answer and its keeping."""
    original = cached.app.__call__

    async def overtaken(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_late(message: Any) -> None:
            cached.block(2)
            await send(message)

        await original(scope, receive, send_late)

    cached.cache._app = overtaken
    await cached.get()
    cached.cache._app = cached.app
    assert (await cached.get()).json() == 2


async def test_there_is_room_for_so_many_bytes(cached: Cached) -> None:
    small = Cached(cached.follower._database, capacity_bytes=2)
    answers = [(await small.get(path)).json() for path in ("/a", "/b", "/c") * 2]
    assert answers == [1, 2, 3, 1, 2, 4]
    small.block(2)
    assert [(await small.get("/c")).json() for _ in range(2)] == [5, 5]


@pytest.fixture
async def hot(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The application with its cache."""
    await save(database, checkpoint(1_000), token(address(1)))
    app = create_app(settings.model_copy(update={"api_cache_megabytes": 1}))
    async with app.router.lifespan_context(app):
        await eventually(lambda: _is_at(app, 1_000))
        yield app


async def test_a_hot_page_tells_browsers_to_be_careful_as_the_first_answer_did(hot: FastAPI) -> None:
    async with checked_client(hot) as client:
        first, again = [(await client.get("/api/v1/coins")).headers for _ in range(2)]
    assert again["x-content-type-options"] == "nosniff"
    assert dict(first) | {"x-request-id": ""} == dict(again) | {"x-request-id": ""}


async def _is_at(app: FastAPI, number: int) -> bool:
    tip = app.state.resources.follower.tip
    return tip is not None and tip.number == number


async def advance(database: Database, number: int) -> None:
    async with database.write() as session:
        row = await session.get_one(type(checkpoint()), checkpoint().chain_id)
        row.block_number, row.block_hash = number, hash_of(number)


async def test_a_page_of_the_application_follows_the_indexer(hot: FastAPI, database: Database) -> None:
    async with checked_client(hot) as client:
        path = f"/api/v1/coins/{address(1)}"
        first = await client.get(path)
        assert first.json()["indexed_block"]["number"] == 1_000
        assert (await client.get(path, headers={"if-none-match": first.headers["etag"]})).status_code == 304
        await advance(database, 1_001)
        await eventually(lambda: _is_at(hot, 1_001))
        second = await client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert second.json()["indexed_block"]["number"] == 1_001


async def test_a_request_waits_for_the_block_that_it_asks_for(hot: FastAPI, database: Database) -> None:
    async with checked_client(hot) as client:
        assert (await client.get("/api/v1/coins", params={"min_block": 1_000})).status_code == 200
        waiting = asyncio.create_task(client.get("/api/v1/coins", params={"min_block": 1_002}))
        await advance(database, 1_001)
        await eventually(lambda: _is_at(hot, 1_001))
        assert not waiting.done()
        await advance(database, 1_002)
        assert (await waiting).json()["indexed_block"]["number"] == 1_002


async def test_it_does_not_wait_for_ever(hot: FastAPI) -> None:
    hot.state.resources.block_wait_seconds = 0.05
    async with checked_client(hot) as client:
        answer = await client.get("/api/v1/coins", params={"min_block": 2_000})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:encore:problem:block-not-indexed")
    assert answer.headers["retry-after"] == "1"


async def test_it_does_not_wait_for_a_block_that_cannot_come_in_time(hot: FastAPI) -> None:
    hot.state.resources.block_wait_seconds = 3_600
    async with checked_client(hot) as client:
        answer = await client.get("/api/v1/coins", params={"min_block": 1_001 + FARTHEST_BLOCK})
    assert answer.status_code == 409


async def test_the_follower_survives_a_database_that_is_away(tmp_path: Any) -> None:
    database = Database(f"sqlite:///{tmp_path}/later/encore.db")
    follower = TipFollower(database, 31337)
    running = asyncio.create_task(follower.run())
    assert not await follower.reaches(0, 0.05)
    follower.close()
    await running
    await database.close()
