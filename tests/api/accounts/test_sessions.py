"""Tokens, sessions and the wallets of an account."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import jwt
import pytest

from api.main import create_app
from encore.db import Database
from encore.settings import Settings
from tests.api.accounts.signing import Signer, bearer
from tests.api.conftest import checked_client
from tests.factories import NOW

FAN, OTHER = Signer(5), Signer(6)


class Time:
    """A clock that a test turns on."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    """The application's clock."""
    return Time()


@pytest.fixture
async def client(settings: Settings, database: Database, time: Time) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application whose clock the test turns on."""
    app = create_app(settings, clock=time)
    async with app.router.lifespan_context(app), checked_client(app) as opened:
        yield opened


async def status_of(client: httpx2.AsyncClient, pair: dict[str, Any]) -> int:
    """What the account that signed in is answered."""
    response = await client.get("/api/v1/me", headers=bearer(pair))
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["type"] == "urn:encore:problem:unauthenticated"
    return response.status_code


async def renewed(client: httpx2.AsyncClient, pair: dict[str, Any]) -> httpx2.Response:
    return await client.post("/api/v1/auth/tokens", json={"refresh_token": pair["refresh_token"]})


async def test_an_access_token_is_good_for_fifteen_minutes_and_a_refresh_token_for_seven_days(
    client: httpx2.AsyncClient, time: Time
) -> None:
    pair = await FAN.sign_in(client)
    assert (pair["expires_in"], pair["refresh_expires_in"]) == (15 * 60, 7 * 86_400)
    time.now += 15 * 60 - 1
    assert await status_of(client, pair) == 200
    time.now += 1
    assert await status_of(client, pair) == 401
    time.now = NOW + 7 * 86_400 - 1.0
    second = (await renewed(client, pair)).json()
    assert await status_of(client, second) == 200
    time.now += 7 * 86_400
    assert (await renewed(client, second)).status_code == 401


async def test_a_refresh_token_that_comes_twice_ends_the_session_for_both_who_have_it(
    client: httpx2.AsyncClient,
) -> None:
    first = await FAN.sign_in(client)
    elsewhere = await FAN.sign_in(client)
    second = (await renewed(client, first)).json()
    third = (await renewed(client, second)).json()
    assert await status_of(client, third) == 200
    assert (await renewed(client, first)).status_code == 401
    assert await status_of(client, third) == 401
    assert (await renewed(client, third)).status_code == 401
    assert await status_of(client, elsewhere) == 200


async def test_of_many_renewals_at_the_same_time_one_succeeds_and_the_session_ends(
    client: httpx2.AsyncClient,
) -> None:
    pair = await FAN.sign_in(client)
    answers = await asyncio.gather(*(renewed(client, pair) for _ in range(6)))
    won = [answer.json() for answer in answers if answer.status_code == 201]
    assert len(won) == 1
    assert await status_of(client, won[0]) == 401


async def test_signing_out_takes_effect_at_once(client: httpx2.AsyncClient) -> None:
    pair = await FAN.sign_in(client)
    assert (await client.delete("/api/v1/auth/session", headers=bearer(pair))).status_code == 204
    assert await status_of(client, pair) == 401
    assert (await renewed(client, pair)).status_code == 401


async def test_sessions_are_listed_page_by_page_and_ended_one_by_one(client: httpx2.AsyncClient, time: Time) -> None:
    pairs = []
    for browser in ("Firefox", "Chromium", "a phone"):
        body = FAN.sign(await FAN.challenge(client))
        response = await client.post("/api/v1/auth/sessions", json=body, headers={"User-Agent": browser * 60})
        pairs.append(response.json())
        time.now += 1
    stranger = await OTHER.sign_in(client)
    listed: list[dict[str, Any]] = []
    cursor: str | None = None
    while cursor is not None or not listed:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/v1/me/sessions", headers=bearer(pairs[1]), params=params)).json()
        listed += page["items"]
        cursor = page["next_cursor"]
    by_browser = {session["user_agent"][:7]: session for session in listed}
    assert set(by_browser) == {"Firefox", "Chromiu", "a phone"}
    assert [name for name, session in by_browser.items() if session["is_current"]] == ["Chromiu"]
    assert len(by_browser["Firefox"]["user_agent"]) == 200

    path = f"/api/v1/me/sessions/{by_browser['Firefox']['id']}"
    assert (await client.delete(path, headers=bearer(stranger))).status_code == 404
    assert (await client.delete(path, headers=bearer(pairs[1]))).status_code == 204
    assert (await client.delete(path, headers=bearer(pairs[1]))).status_code == 404
    assert [await status_of(client, pair) for pair in pairs] == [401, 200, 200]


async def test_wallets_are_linked_sign_in_and_are_unlinked(client: httpx2.AsyncClient, time: Time) -> None:
    pair = await FAN.sign_in(client)
    time.now += 1
    assert (await OTHER.link(client, pair)).status_code == 200
    again = await OTHER.link(client, pair)
    assert [wallet["address"] for wallet in again.json()["wallets"]] == [FAN.address, OTHER.address]
    through_other = await OTHER.sign_in(client)
    assert through_other["account_id"] == pair["account_id"]

    path = f"/api/v1/me/wallets/{OTHER.address}"
    assert (await client.delete(path, headers=bearer(pair))).status_code == 204
    assert [await status_of(client, each) for each in (pair, through_other)] == [200, 401]
    assert (await client.delete(path, headers=bearer(pair))).status_code == 404
    last = await client.delete(f"/api/v1/me/wallets/{FAN.address}", headers=bearer(pair))
    assert (last.status_code, last.json()["type"]) == (409, "urn:encore:problem:last-wallet")
    assert (await OTHER.sign_in(client))["account_id"] != pair["account_id"]
    taken = await OTHER.link(client, pair)
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:encore:problem:wallet-taken")


async def test_of_two_wallets_unlinked_at_the_same_time_one_stays(client: httpx2.AsyncClient) -> None:
    pair = await FAN.sign_in(client)
    await OTHER.link(client, pair)
    third = await Signer(7).link(client, pair)
    assert len(third.json()["wallets"]) == 3
    paths = [f"/api/v1/me/wallets/{wallet.address}" for wallet in (OTHER, Signer(7), FAN)]
    answers = await asyncio.gather(*(client.delete(path, headers=bearer(pair)) for path in paths))
    assert sum(answer.status_code == 204 for answer in answers) <= 2
    signer = next(
        signer for signer, answer in zip((OTHER, Signer(7), FAN), answers, strict=True) if answer.status_code != 204
    )
    assert (await signer.sign_in(client))["account_id"] == pair["account_id"]


async def test_a_challenge_for_linking_signs_nobody_in_and_one_for_signing_in_links_nothing(
    client: httpx2.AsyncClient,
) -> None:
    pair, stranger = await FAN.sign_in(client), await Signer(7).sign_in(client)
    for_linking = await OTHER.challenge(client, "me/wallets/challenges", headers=bearer(pair))
    response = await client.post("/api/v1/auth/sessions", json=OTHER.sign(for_linking))
    assert (response.status_code, response.json()["type"]) == (401, "urn:encore:problem:sign-in-refused")
    for_linking = await OTHER.challenge(client, "me/wallets/challenges", headers=bearer(pair))
    for message, asks in ((for_linking, stranger), (await OTHER.challenge(client), pair)):
        response = await client.post("/api/v1/me/wallets", json=OTHER.sign(message), headers=bearer(asks))
        assert (response.status_code, response.json()["type"]) == (401, "urn:encore:problem:sign-in-refused")


async def test_tokens_that_this_api_did_not_issue_for_this_are_refused(
    client: httpx2.AsyncClient, settings: Settings
) -> None:
    pair = await FAN.sign_in(client)
    claims = jwt.decode(pair["access_token"], options={"verify_signature": False})
    key = settings.signing_key("tokens")
    other_key = settings.signing_key("something else")
    forged = [
        jwt.encode(claims, other_key, algorithm="HS256"),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode({**claims, "iss": "other"}, key, algorithm="HS256"),
        jwt.encode({name: value for name, value in claims.items() if name != "exp"}, key, algorithm="HS256"),
        pair["refresh_token"],
        pair["access_token"][:-2],
        "x",
    ]
    for token in forged:
        assert await status_of(client, {"access_token": token}) == 401
    assert (await renewed(client, {"refresh_token": pair["access_token"]})).status_code == 401
    assert await status_of(client, pair) == 200


async def test_no_token_or_signature_reaches_the_logs(
    client: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    body = FAN.sign(await FAN.challenge(client))
    pair = (await client.post("/api/v1/auth/sessions", json=body)).json()
    await renewed(client, pair)
    await renewed(client, pair)
    log = "".join(capsys.readouterr())
    assert "a refresh token came twice" in log
    for secret in (body["signature"], pair["access_token"], pair["refresh_token"]):
        assert secret not in log
