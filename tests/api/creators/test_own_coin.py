"""A creator's own coin against the real contracts: launched, vested, and its revenue shared and withdrawn."""

from typing import Any

import httpx2
import pytest

from api.wire import utc
from encore.db import Database
from encore.settings import local_account_address
from tests.api.mirrored import Market
from tests.contracts_on_anvil import MINIMUM_SEED, Contract
from tests.factories import ETHER, address, checkpoint, creator, save

CREATOR, STRANGER, LAUNCHER = 3, 5, 1
PATH = "/api/v1/creators/1"
LAUNCH = {
    "kind": "launch",
    "name": "Nína",
    "symbol": "NINA",
    "description": "Songs",
    "image_url": "https://x.example/n",
}


async def ask(market: Market, account: int, **body: Any) -> httpx2.Response:
    """Ask for a transaction of the account's wallet."""
    return await market.client.post(f"{PATH}/transactions", json={"wallet": local_account_address(account), **body})


async def refusal(market: Market, account: int, **body: Any) -> str:
    problem = (await ask(market, account, **body)).json()
    assert problem["type"] == "urn:encore:problem:transaction-refused"
    return str(problem["detail"].removeprefix("it would be refused now: "))


async def act(market: Market, account: int, **body: Any) -> None:
    """Sign and send what the API prepares, and have it mirrored."""
    (receipt,) = await market.execute((await ask(market, account, **body)).raise_for_status().json(), trader=account)
    assert receipt["status"] == "0x1"
    await market.mirror()


async def test_a_creator_launches_a_coin_by_what_the_api_tells_and_prepares(market: Market) -> None:
    await save(market.database, creator(1, wallet=local_account_address(CREATOR).lower()))
    told = await market.get(f"{PATH}/metrics")
    terms = told["launch_terms"]
    assert terms["minimum_seed"] == str(MINIMUM_SEED)
    assert terms["launchers"] == [local_account_address(LAUNCHER)]
    assert told["launch"]["status"] == "not_ready"
    seed = {"native_seed": str(2 * MINIMUM_SEED)}
    assert await refusal(market, CREATOR, **LAUNCH, **seed) == "factory: launch requirements not met"
    figures = (60_000, 6_000, 10**19, 5_000)
    metrics = market.economy.contracts["CreatorMetricsManager"]
    await metrics.send("updateCreatorMetrics", local_account_address(CREATOR), *figures, sender=LAUNCHER)
    await market.mirror()
    assert (await market.get(f"{PATH}/metrics"))["launch"]["status"] == "ready"
    assert await refusal(market, STRANGER, **LAUNCH, **seed) == "factory: caller may not launch"
    little = {"native_seed": str(MINIMUM_SEED - 1)}
    assert await refusal(market, CREATOR, **LAUNCH, **little) == "factory: seed below minimum"

    await act(market, CREATOR, **LAUNCH, **seed)
    launched = (await market.get(f"{PATH}/metrics"))["launch"]
    assert launched["status"] == "launched"
    assert await refusal(market, LAUNCHER, **LAUNCH, **seed) == "factory: coin already launched"
    coin = await market.get(f"/api/v1/coins/{launched['coin']}")
    assert {name: coin[name] for name in ("name", "symbol", "description", "image_url")} == {
        name: LAUNCH[name] for name in ("name", "symbol", "description", "image_url")
    }
    assert (coin["native_reserve"], coin["token_reserve"]) == (seed["native_seed"], terms["token_seed"])

    contract = Contract(market.chain, "BalancedCreatorToken", launched["coin"])
    await assert_vesting(market, contract)
    await assert_revenue(market)


async def assert_vesting(market: Market, coin: Contract) -> None:
    await market.chain.wait(40 * 86_400)
    block = await market.mirror()
    told = await market.get(f"{PATH}/allocation")
    assert int(told["vesting"]["claimable"]) == await coin.call("claimableVestedTokens", block=block) > 0
    assert int(told["vesting"]["total"]) == await coin.call("vestingAllocation")
    assert int(told["release"]["total"]) == await coin.call("releaseReserve")
    assert int(told["release"]["portion"]) == await coin.call("releasePortion")
    assert told["release"]["growth_bps"] == await coin.call("minimumReleaseGrowth")
    next_at = await coin.call("lastReleaseAt") + await coin.call("releaseInterval")
    assert told["release"]["next_at"] == utc(next_at).isoformat().replace("+00:00", "Z")
    assert await refusal(market, STRANGER, kind="claim_vested") == "vesting: caller is not the creator"
    await act(market, CREATOR, kind="claim_vested")
    claimed = (await market.get(f"{PATH}/allocation"))["vesting"]
    assert int(claimed["claimed"]) == await coin.call("balanceOf", local_account_address(CREATOR))
    await market.chain.wait(365 * 86_400)
    await market.mirror()
    vesting = (await market.get(f"{PATH}/allocation"))["vesting"]
    assert int(vesting["vested"]) == int(vesting["total"]) == int(vesting["claimable"]) + int(vesting["claimed"])


async def assert_revenue(market: Market) -> None:
    assert await refusal(market, STRANGER, kind="withdraw_revenue") == "factory: no revenue due"
    await act(market, STRANGER, kind="distribute_revenue", amount=str(ETHER))
    revenue = await market.get(f"{PATH}/revenue")
    assert int(revenue["distributed_total"]) == ETHER
    assert int(revenue["withdrawable"]) == int(revenue["creator_total"]) > 0
    before = await market.native(CREATOR)
    await act(market, STRANGER, kind="withdraw_revenue")
    assert await market.native(CREATOR) - before == int(revenue["creator_total"])
    assert (await market.get(f"{PATH}/revenue"))["withdrawable"] == "0"


@pytest.mark.parametrize(
    ("field", "value"), [("name", "é" * 26), ("symbol", ""), ("symbol", "a\0"), ("description", "é" * 251)]
)
async def test_what_the_contract_could_not_hold_is_told(
    client: httpx2.AsyncClient, database: Database, field: str, value: str
) -> None:
    await save(database, checkpoint(), creator(1, wallet=address(1)))
    body = {**LAUNCH, "wallet": address(1), "native_seed": "1", field: value}
    problem = (await client.post(f"{PATH}/transactions", json=body)).json()
    assert problem["type"] == "urn:encore:problem:validation"
    assert problem["errors"][0]["field"].endswith(field)


async def test_without_wallet_or_coin_there_is_nothing_to_sign(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), creator(1), creator(2, wallet=address(2)))
    body = {"kind": "claim_vested", "wallet": address(2)}
    for number, slug in ((1, "no-wallet"), (2, "no-coin"), (3, "creator-not-found")):
        answer = await client.post(f"/api/v1/creators/{number}/transactions", json=body)
        assert answer.json()["type"] == f"urn:encore:problem:{slug}"
    assert (await client.get("/api/v1/creators/2/allocation")).json()["type"] == "urn:encore:problem:no-coin"
    assert (await client.get("/api/v1/creators/2/metrics")).json()["launch_terms"] is None
