"""Whatever goes wrong, the answer is a problem of a stable type; `client` checks each against OpenAPI."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from api.main import create_app
from encore.db import Database
from encore.settings import Settings
from tests.api.conftest import EXCHANGE, checked_client
from tests.factories import address, checkpoint, pool, pool_guard, safeguards, save, token

COIN = address(0xC01)


async def test_an_unknown_path_is_a_problem(client: httpx2.AsyncClient) -> None:
    for path in ("/api/v1/nothing", "/api/v2/coins", "/api/v1/coins/x/y/z"):
        response = await client.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json() == {
            "type": "urn:encore:problem:not-found",
            "title": "Not Found",
            "status": 404,
            "detail": f"there is nothing at {path}; /openapi.json lists what there is",
            "instance": path,
            "request_id": response.headers["x-request-id"],
        }


async def test_a_method_that_is_not_possible_is_a_problem_that_tells_which_are(client: httpx2.AsyncClient) -> None:
    response = await client.delete("/api/v1/coins")
    assert (response.status_code, response.json()["type"]) == (405, "urn:encore:problem:method-not-allowed")
    assert response.headers["allow"] == "GET"


async def test_a_body_that_is_no_json_is_a_problem(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), token(COIN), pool(COIN))
    for content in (b"{", b"\xff\xfe", b""):
        response = await client.post(
            f"/api/v1/coins/{COIN}/transactions", content=content, headers={"content-type": "application/json"}
        )
        assert (response.status_code, response.json()["type"]) == (422, "urn:encore:problem:validation")


async def test_before_the_first_indexed_block_lists_say_so(client: httpx2.AsyncClient) -> None:
    for path in ("coins", "creators", "creators/1/metrics", f"coins/{COIN}", f"wallets/{COIN}/portfolio"):
        response = await client.get(f"/api/v1/{path}")
        assert (response.status_code, response.json()["type"]) == (503, "urn:encore:problem:mirror-empty")
        assert response.headers["retry-after"] == "1"


async def test_a_node_that_is_away_stops_only_what_needs_it(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), token(COIN), pool(COIN), pool_guard(COIN), *safeguards(EXCHANGE))
    assert (await client.get(f"/api/v1/coins/{COIN}")).status_code == 200
    body = {"side": "buy", "amount": "1000000000", "wallet": address(0xA)}
    response = await client.post(f"/api/v1/coins/{COIN}/transactions", json=body)
    assert (response.status_code, response.json()["type"]) == (503, "urn:encore:problem:chain-unavailable")


async def test_contracts_that_are_not_deployed_are_told(
    client: httpx2.AsyncClient, database: Database, settings: Settings
) -> None:
    settings.deployment_path.unlink()
    await save(database, checkpoint(), token(COIN))
    response = await client.get(f"/api/v1/coins/{COIN}/holders")
    assert (response.status_code, response.json()["type"]) == (503, "urn:encore:problem:not-deployed")


@pytest.fixture
async def broken_app(settings: Settings) -> AsyncIterator[FastAPI]:
    """An application with a bug."""
    app = create_app(settings)

    @app.get("/api/v1/bug")
    async def bug() -> None:
        raise RuntimeError("the secret of the house")

    yield app
    await app.state.resources.close()


async def test_a_bug_shows_the_client_nothing_but_the_request_id(
    broken_app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    async with checked_client(broken_app) as client:
        response = await client.get("/api/v1/bug", headers={"x-request-id": "trace-me.1"})
    assert (response.status_code, response.json()["type"]) == (500, "urn:encore:problem:internal")
    assert response.headers["x-request-id"] == response.json()["request_id"] == "trace-me.1"
    assert "secret" not in response.text
    log = capsys.readouterr().out
    assert "the secret of the house" in log
    assert "trace-me.1" in log


async def test_a_database_that_is_away_is_a_problem_not_a_crash(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:9/nothing"}))
    async with asyncio.timeout(20), app.router.lifespan_context(app), checked_client(app) as client:
        response = await client.get("/api/v1/coins")
    assert (response.status_code, response.json()["type"]) == (503, "urn:encore:problem:database-unavailable")


async def test_a_request_id_that_is_not_well_formed_is_replaced(client: httpx2.AsyncClient) -> None:
    for given in ("", "a" * 65, "über", "two words", "new\tline"):
        response = await client.get("/healthz", headers={b"x-request-id": given.encode()})
        assert len(response.headers["x-request-id"]) == 32


async def test_a_page_of_any_site_may_read(client: httpx2.AsyncClient) -> None:
    response = await client.get("/healthz", headers={"origin": "https://example.org"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "X-Indexed-Block" in response.headers["access-control-expose-headers"]
