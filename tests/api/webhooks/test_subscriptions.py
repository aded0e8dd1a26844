"""Webhooks over HTTP: whose they are, and what they may be."""

from typing import Any

import httpx2
import pytest

from api.main import create_app
from encore.settings import Settings
from tests.api.accounts.signing import Signer, bearer
from tests.api.conftest import checked_client
from tests.factories import NOW, address

HOOKS = "/api/v1/webhooks"
REQUEST: dict[str, Any] = {
    "url": "https://receiver.example/hook?x=1",
    "description": "trades",
    "events": ["TokensPurchased"],
    "coins": [address(0xC01)],
}


async def test_a_webhook_is_made_read_changed_and_deleted_by_its_owner_alone(client: httpx2.AsyncClient) -> None:
    owner, stranger = bearer(await Signer(5).sign_in(client)), bearer(await Signer(6).sign_in(client))
    made = await client.post(HOOKS, json=REQUEST, headers=owner)
    assert made.status_code == 201
    one = f"{HOOKS}/{made.json()['id']}"
    shown = {name: value for name, value in made.json().items() if name != "secret"}
    assert made.json()["secret"].startswith("whsec_")
    assert (await client.get(one, headers=owner)).json() == shown
    assert (await client.get(HOOKS, headers=owner)).json() == {"items": [shown], "next_cursor": None}
    assert (await client.get(HOOKS, headers=stranger)).json()["items"] == []

    changed = await client.patch(one, json={"events": [], "is_active": False}, headers=owner)
    assert changed.json() == {**shown, "events": [], "is_active": False}
    rotated = await client.post(f"{one}/secrets", headers=owner)
    assert rotated.json()["secret"] != made.json()["secret"]

    foreign = [
        await client.get(one, headers=stranger),
        await client.patch(one, json={"is_active": True}, headers=stranger),
        await client.post(f"{one}/secrets", headers=stranger),
        await client.get(f"{one}/deliveries", headers=stranger),
        await client.post(f"{one}/replays", json={"after": 0}, headers=stranger),
        await client.post(f"{one}/deliveries/1/retries", headers=stranger),
        await client.delete(one, headers=stranger),
    ]
    for answer in foreign:
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:encore:problem:webhook-not-found")
    assert (await client.delete(one, headers=owner)).status_code == 204
    assert (await client.get(one, headers=owner)).status_code == 404


async def test_an_account_has_so_many_webhooks_and_pages_through_them(client: httpx2.AsyncClient) -> None:
    owner = bearer(await Signer(5).sign_in(client))
    ids = [(await client.post(HOOKS, json=REQUEST, headers=owner)).json()["id"] for _ in range(20)]
    refused = await client.post(HOOKS, json=REQUEST, headers=owner)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:encore:problem:too-many-webhooks")
    first = (await client.get(HOOKS, params={"limit": 15}, headers=owner)).json()
    rest = (await client.get(HOOKS, params={"limit": 15, "cursor": first["next_cursor"]}, headers=owner)).json()
    assert [hook["id"] for hook in first["items"] + rest["items"]] == ids[::-1]


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example", "https://", "a.example", "https://user@a.example", "https://:p@a.example", "https://a/#b"],
)
async def test_a_url_that_cannot_be_delivered_to_is_refused(client: httpx2.AsyncClient, url: str) -> None:
    owner = bearer(await Signer(5).sign_in(client))
    answer = await client.post(HOOKS, json={**REQUEST, "url": url}, headers=owner)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")


async def test_plain_http_is_for_local_development(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"webhook_private_targets": False}), clock=lambda: float(NOW))
    async with app.router.lifespan_context(app), checked_client(app) as client:
        owner = bearer(await Signer(5).sign_in(client))
        answer = await client.post(HOOKS, json={**REQUEST, "url": "http://a.example"}, headers=owner)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:encore:problem:insecure-url")
