import httpx2

from encore.db import Database
from tests.factories import (
    ETHER,
    INITIAL_SUPPLY,
    NOW,
    address,
    balance,
    checkpoint,
    liquidity,
    pool,
    save,
    stake,
    token,
)

WALLET = address(0xA)
CHEAP, DEAR, UNTRADED = address(0xC01), address(0xC02), address(0xC03)
YEAR = 365 * 86_400


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
    body = (await client.get(f"/api/v1/wallets/{WALLET}/portfolio")).raise_for_status().json()

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
        "liquidity": native + tokens * cheap_price // ETHER,
        "total": sum(totals.values()) - totals["total"],
    }


async def test_rewards_stop_at_what_may_still_be_minted(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(DEAR, total_supply=2 * INITIAL_SUPPLY - 3),
        stake(DEAR, WALLET, 10**24, last_claimed_at=NOW - YEAR),
    )
    body = (await client.get(f"/api/v1/wallets/{WALLET}/portfolio")).json()
    assert body["stakes"][0]["pending_rewards"] == "3"


async def test_a_wallet_that_has_nothing_has_an_empty_portfolio(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint())
    body = (await client.get(f"/api/v1/wallets/{WALLET}/portfolio")).raise_for_status().json()
    assert (body["holdings"], body["stakes"], body["liquidity"]) == ([], [], [])
    assert set(body["totals"].values()) == {"0"}
