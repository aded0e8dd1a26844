from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from encore.db import Database
from tests.api.conftest import EXCHANGE
from tests.api.paging import walk
from tests.factories import (
    ETHER,
    INITIAL_SUPPLY,
    NOW,
    address,
    balance,
    balanced,
    checkpoint,
    liquidity,
    pool,
    save,
    stake,
    token,
    trade,
)

WALLET = address(0xA)
CHEAP, DEAR, UNTRADED = address(0xC01), address(0xC02), address(0xC03)
YEAR = 365 * 86_400


async def everything(client: httpx2.AsyncClient) -> dict[str, Any]:
    """The portfolio with its positions."""
    path = f"/api/v1/wallets/{WALLET}"
    body: dict[str, Any] = (await client.get(f"{path}/portfolio")).raise_for_status().json()
    for name, count in (("holdings", "holding_count"), ("stakes", "stake_count"), ("liquidity", "liquidity_count")):
        body[name] = await walk(client, f"{path}/{name}", limit=2)
        assert len(body[name]) == body[count]
    return body


async def test_a_portfolio_adds_up_in_native_wei(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        *(token(coin) for coin in (CHEAP, DEAR, UNTRADED)),
        pool(CHEAP, native=3 * ETHER + 1, tokens=10**25 + 7, shares=10 * ETHER),
        pool(DEAR, native=90 * ETHER, tokens=10**25),
        balance(CHEAP, WALLET, 10**22 + 9),
        balance(DEAR, WALLET, 5 * ETHER),
        balance(UNTRADED, WALLET, 10**24),
        balance(CHEAP, address(0xB), 10**24),
        balance(DEAR, CHEAP, 1),
        stake(DEAR, WALLET, 1_000 * ETHER, last_claimed_at=NOW - YEAR // 2, staked_at=NOW - YEAR, claimed=7),
        stake(CHEAP, WALLET, 0),
        stake(CHEAP, address(0xB), ETHER),
        liquidity(CHEAP, WALLET, 4 * ETHER),
    )
    body = await everything(client)

    cheap_price, dear_price = (3 * ETHER + 1) * ETHER // (10**25 + 7), 90 * ETHER * ETHER // 10**25
    cheap_value, dear_value = (10**22 + 9) * cheap_price // ETHER, 5 * dear_price
    assert [(int(each["coin"]["address"], 16), each["amount"], each["value"]) for each in body["holdings"]] == [
        (0xC01, str(10**22 + 9), str(cheap_value)),
        (0xC02, str(5 * ETHER), str(dear_value)),
        (0xC03, str(10**24), "0"),
    ]
    assert body["holdings"][2]["price"] is None

    (staked,) = body["stakes"]
    rewards = 50 * ETHER  # 10 % a year on 1 000, for half a year
    assert (staked["amount"], staked["pending_rewards"], staked["claimed_rewards"]) == (
        *(str(1_000 * ETHER), str(rewards), "7"),
    )

    (position,) = body["liquidity"]
    native, tokens = (3 * ETHER + 1) * 4 // 10, (10**25 + 7) * 4 // 10
    assert (position["native_amount"], position["token_amount"]) == (str(native), str(tokens))

    totals = {name: int(amount) for name, amount in body["totals"].items()}
    assert totals == {
        "holdings": cheap_value + dear_value,
        "stakes": 1_000 * dear_price,
        "pending_rewards": 50 * dear_price,
        "pending_revenue": 0,
        "liquidity": native + tokens * cheap_price // ETHER,
        "total": sum(totals.values()) - totals["total"],
    }


async def test_positions_in_one_coin_can_be_asked_for(client: httpx2.AsyncClient, database: Database) -> None:
    coins = (CHEAP, DEAR)
    await save(
        database,
        checkpoint(),
        *(row for coin in coins for row in (token(coin), pool(coin), balance(coin, WALLET, 7), stake(coin, WALLET, 5))),
        *(liquidity(coin, WALLET, 3) for coin in coins),
        *(trade(coin, block=block, timestamp=NOW, trader=WALLET) for block, coin in enumerate(coins)),
        *(balanced(coin, exchange=EXCHANGE, cumulative=2**96) for coin in coins),
    )
    for name in ("holdings", "stakes", "liquidity", "revenue", "profits"):
        for coin in coins:
            (item,) = await walk(client, f"/api/v1/wallets/{WALLET}/{name}", limit=1, coin=coin)
            assert item["coin"]["address"].lower() == coin, name
        assert await walk(client, f"/api/v1/wallets/{WALLET}/{name}", limit=1, coin=UNTRADED) == []


async def test_rewards_stop_at_what_may_still_be_minted(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(DEAR, total_supply=2 * INITIAL_SUPPLY - 3),
        stake(DEAR, WALLET, 10**24, last_claimed_at=NOW - YEAR),
    )
    body = await everything(client)
    assert body["stakes"][0]["pending_rewards"] == "3"


async def test_a_wallet_that_has_nothing_has_an_empty_portfolio(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint())
    body = await everything(client)
    assert body["profit"] == {"cost_basis": "0", "value": "0", "realised": "0", "unrealised": "0"}
    assert (body["holdings"], body["stakes"], body["liquidity"]) == ([], [], [])
    assert set(body["totals"].values()) == {"0"}


async def test_positions_of_equal_value_are_paged_each_once(client: httpx2.AsyncClient, database: Database) -> None:
    coins = [address(number) for number in range(1, 8)]
    await save(database, checkpoint(), *(token(coin) for coin in coins), *(balance(coin, WALLET, 5) for coin in coins))
    items = await walk(client, f"/api/v1/wallets/{WALLET}/holdings", limit=3)
    assert [item["coin"]["address"].lower() for item in items] == coins


async def test_a_history_that_is_too_long_is_told_and_leaves_the_rest(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.portfolio.service.LONGEST_HISTORY", 2)
    trades = [trade(CHEAP, block=block, timestamp=NOW, trader=WALLET) for block in range(3)]
    await save(database, checkpoint(), token(CHEAP), pool(CHEAP), balance(CHEAP, WALLET, 3 * ETHER), *trades)
    response = await client.get(f"/api/v1/wallets/{WALLET}/profits")
    assert (response.status_code, response.json()["type"]) == (422, "urn:encore:problem:history-too-long")
    body = await everything(client)
    assert body["profit"] is None
    assert body["holding_count"] == 1


async def test_what_callers_named_their_coin_is_no_formula_in_a_spreadsheet(
    app: FastAPI, client: httpx2.AsyncClient, database: Database
) -> None:
    await save(
        database,
        checkpoint(),
        token(CHEAP, symbol="=1+1"),
        pool(CHEAP),
        trade(CHEAP, block=1, timestamp=NOW, trader=WALLET),
    )
    (entry,) = await walk(client, f"/api/v1/wallets/{WALLET}/history", limit=5)
    assert entry["coin"]["symbol"] == "=1+1"
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as plain:
        answer = await plain.get(f"/api/v1/wallets/{WALLET}/history.csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="encore-{WALLET}.csv"'
    assert answer.headers["x-indexed-block"] == "1000"
    assert ",'=1+1," in answer.text
