"""Signing in with wallets, on a real database and a real chain."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from eth_abi.abi import encode
from fastapi import FastAPI
from sqlalchemy import func, select

from api.accounts import siwe
from api.main import create_app
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.accounts import Account, SignInNonce
from encore.settings import Settings, local_account_address
from tests.api.accounts.signing import Signer, bearer
from tests.api.conftest import checked_client
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain, creation_code
from tests.factories import NOW, address

FAN = Signer(5)


async def refused(client: httpx2.AsyncClient, body: dict[str, Any]) -> str:
    """Sign in, expecting to be refused; returns why."""
    response = await client.post("/api/v1/auth/sessions", json=body)
    assert (response.status_code, response.json()["type"]) == (401, "urn:encore:problem:sign-in-refused")
    reason: str = response.json()["detail"]
    return reason


async def test_a_wallet_signs_in_and_is_the_same_account_the_next_time(client: httpx2.AsyncClient) -> None:
    first, second = await FAN.sign_in(client), await FAN.sign_in(client)
    assert first["account_id"] == second["account_id"]
    assert first["access_token"] != second["access_token"]
    account = (await client.get("/api/v1/me", headers=bearer(first))).json()
    assert [wallet["address"] for wallet in account["wallets"]] == [FAN.address]
    assert account["display_name"] == f"{FAN.address[:6]}…{FAN.address[-4:]}"
    assert (await Signer(6).sign_in(client))["account_id"] != first["account_id"]


async def test_a_nonce_is_good_once_even_for_many_at_the_same_time(client: httpx2.AsyncClient) -> None:
    body = FAN.sign(await FAN.challenge(client))
    answers = await asyncio.gather(*(client.post("/api/v1/auth/sessions", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 7
    assert "used" in await refused(client, body)


async def test_a_wallets_first_sign_ins_at_the_same_time_make_one_account(
    client: httpx2.AsyncClient, database: Database
) -> None:
    bodies = [FAN.sign(await FAN.challenge(client)) for _ in range(6)]
    answers = await asyncio.gather(*(client.post("/api/v1/auth/sessions", json=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["account_id"] for answer in answers}) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Account)) == 1


async def test_a_failed_attempt_uses_the_nonce_up(client: httpx2.AsyncClient, anvil: LocalChain) -> None:
    message = await FAN.challenge(client)
    right, wrong = FAN.sign(message), Signer(6).sign(message)
    response = await client.post("/api/v1/auth/sessions", json=wrong)
    assert response.status_code == 503  # no key gives the wallet, and no node is there to ask for a contract
    assert "nonce" in await refused(client, right)


OBJECTIONS: dict[str, dict[str, Any]] = {
    "not a frontend": {"domain": "evil.example", "uri": "http://evil.example"},
    "URI is not on": {"uri": "http://evil.example"},
    "chain 1": {"chain_id": 1},
    "version": {"version": "2"},
    "nonce": {"nonce": "0123456789abcdef"},
    "future": {"issued_at": datetime.fromtimestamp(NOW, UTC) + timedelta(minutes=5)},
    "expired": {"expiration_time": datetime.fromtimestamp(NOW, UTC)},
    "not valid yet": {"not_before": datetime.fromtimestamp(NOW + 60, UTC)},
}
"""What is wrong with a message, by words of the answer."""


async def test_a_message_for_something_else_is_refused_though_it_is_signed(client: httpx2.AsyncClient) -> None:
    for words, change in OBJECTIONS.items():
        message = replace(siwe.parse(await FAN.challenge(client)), **change)
        assert words in await refused(client, FAN.sign(message.text()))


async def test_an_altered_message_or_signature_is_refused(sqlite_url: str, anvil: LocalChain, tmp_path: Any) -> None:
    settings = Settings(data_dir=tmp_path, database_url=sqlite_url, rpc_urls=(anvil.url,), _env_file=None)
    app = create_app(settings)
    async with app.router.lifespan_context(app), checked_client(app) as client:
        signed = FAN.sign(await FAN.challenge(client))
        altered = {**signed, "message": signed["message"].replace(FAN.address, local_account_address(6))}
        assert "signature" in await refused(client, altered)
        for cut in (signed["signature"][:-2], "0x" + "00" * 65, "0x" + "ff" * 65, "0x00"):
            message = await FAN.challenge(client)
            assert "signature" in await refused(client, {"message": message, "signature": cut})


async def test_a_nonce_runs_out(settings: Settings, database: Database) -> None:
    now = float(NOW)
    app = create_app(settings, clock=lambda: now)
    async with app.router.lifespan_context(app), checked_client(app) as client:
        message = siwe.parse(await FAN.challenge(client))
        now += 300
        assert "nonce" in await refused(client, FAN.sign(replace(message, expiration_time=None).text()))
        await FAN.challenge(client)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SignInNonce)) == 1  # the one that ran out is gone


@pytest.fixture
async def contract_wallet(anvil: LocalChain) -> str:
    """A contract wallet of the local account 5."""
    async with RpcClient([anvil.url]) as rpc:
        arguments = encode(["address"], [local_account_address(5)])
        receipt = await Chain(rpc).send("0x" + (creation_code("OwnedWallet") + arguments).hex())
    contract: str = receipt["contractAddress"]
    return contract


async def test_a_contract_wallet_answers_for_itself(
    contract_wallet: str, sqlite_url: str, anvil: LocalChain, tmp_path: Any
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=sqlite_url, rpc_urls=(anvil.url,), _env_file=None)
    app: FastAPI = create_app(settings)
    async with app.router.lifespan_context(app), checked_client(app) as client:
        pair = await Signer(5, contract_wallet).sign_in(client)
        account = (await client.get("/api/v1/me", headers=bearer(pair))).json()
        assert [wallet["address"].lower() for wallet in account["wallets"]] == [contract_wallet.lower()]
        stranger = Signer(6, contract_wallet)
        assert "signature" in await refused(client, stranger.sign(await stranger.challenge(client)))
        reverting = stranger.sign(await stranger.challenge(client))
        assert "signature" in await refused(client, {**reverting, "signature": "0x1234"})


async def test_only_frontends_that_are_known_get_a_challenge(client: httpx2.AsyncClient) -> None:
    body = {"wallet": address(1), "domain": "evil.example"}
    response = await client.post("/api/v1/auth/challenges", json=body)
    assert (response.status_code, response.json()["type"]) == (422, "urn:encore:problem:unknown-domain")
    response = await client.post("/api/v1/auth/challenges", json={**body, "domain": "localhost:5173"})
    assert siwe.parse(response.json()["message"]).uri == "http://localhost:5173"
