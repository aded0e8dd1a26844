import httpx2
import pytest

from encore.db import Database
from tests.api.paging import walk
from tests.factories import (
    ETHER,
    INITIAL_SUPPLY,
    NOW,
    address,
    checkpoint,
    creator,
    launch,
    opening,
    pool,
    save,
    token,
    trade,
)

COIN = address(0xC01)
DAY = 86_400


async def test_a_coin_shows_its_market_as_of_the_indexed_block(client: httpx2.AsyncClient, database: Database) -> None:
    wallet = address(0xC)
    await save(
        database,
        checkpoint(),
        creator(7, "Nina Simone", wallet),
        token(COIN, creator_wallet=wallet, name="Nina", symbol="NINA", holder_count=3),
        pool(COIN, native=3 * ETHER, tokens=INITIAL_SUPPLY // 2, volume=9 * ETHER, trade_count=4),
        launch(wallet, COIN),
        opening(COIN),
        trade(COIN, block=10, timestamp=NOW - DAY - 1, price=2 * 10**11, native=5 * ETHER),
        trade(COIN, block=11, timestamp=NOW - DAY, price=2 * 10**11, native=7),
        trade(COIN, block=12, timestamp=NOW - DAY + 1, price=4 * 10**11, native=ETHER),
        trade(COIN, block=13, timestamp=NOW, price=3 * 10**11, native=2 * ETHER, side="sell"),
    )
    body = (await client.get(f"/api/v1/coins/{COIN}")).json()
    assert body["creator"] == {"wallet": body["owner"], "id": 7, "name": "Nina Simone"}
    assert body["price"] == str(3 * 10**11)
    assert body["market_cap"] == str(6 * ETHER)
    assert body["volume_24h"] == str(3 * ETHER)
    assert body["change_24h_bps"] == 5_000
    assert body["volume_total"] == str(9 * ETHER)
    assert (body["trade_count"], body["holder_count"]) == (4, 3)
    assert body["indexed_block"] == {"number": 1_000, "hash": f"0x{1_000:064x}", "timestamp": "2027-01-15T08:00:00Z"}


async def test_a_young_coin_has_changed_since_its_pool_opened(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(COIN),
        pool(COIN, native=3 * ETHER),
        opening(COIN, native=4 * ETHER),
        opening(COIN, native=ETHER, block=901),
    )
    assert (await client.get(f"/api/v1/coins/{COIN}")).json()["change_24h_bps"] == -2_500


async def test_a_coin_without_a_pool_has_no_price_and_comes_last(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await save(database, checkpoint(), token(COIN), token(address(1)), pool(address(1)))
    items = (await client.get("/api/v1/coins")).json()["items"]
    assert [int(item["address"], 16) for item in items] == [1, 0xC01]
    assert (items[1]["price"], items[1]["market_cap"], items[1]["change_24h_bps"]) == (None, None, None)
    assert (items[1]["volume_24h"], items[1]["trade_count"]) == ("0", 0)


@pytest.mark.parametrize("sort", ["market_cap", "volume", "created"])
async def test_coins_are_listed_once_each_and_in_order_however_long_the_pages(
    client: httpx2.AsyncClient, database: Database, sort: str
) -> None:
    coins = [address(number) for number in range(1, 24)]
    figures = {coin: (number * 7) % 5 + 1 for number, coin in enumerate(coins)}  # many are equal: the address decides
    await save(
        database,
        checkpoint(),
        *(token(coin, created_at=NOW + figures[coin]) for coin in coins),
        *(pool(coin, native=figures[coin] * ETHER) for coin in coins),
        *(
            trade(coin, block=100, log_index=index, timestamp=NOW, native=figures[coin])
            for index, coin in enumerate(coins)
        ),
    )
    expected = sorted(coins, key=lambda coin: (figures[coin], coin), reverse=True)
    for limit in (1, 5, 23, 100):
        items = await walk(client, "/api/v1/coins", sort=sort, limit=limit)
        assert [item["address"].lower() for item in items] == expected


async def test_a_coin_that_is_added_while_paging_moves_nothing(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), *(token(address(number), created_at=number) for number in range(1, 7)))
    first = (await client.get("/api/v1/coins", params={"sort": "created", "limit": 3})).json()
    await save(database, token(address(7), created_at=7))
    second = (
        await client.get("/api/v1/coins", params={"sort": "created", "limit": 3, "cursor": first["next_cursor"]})
    ).json()
    seen = [int(item["address"], 16) for item in first["items"] + second["items"]]
    assert seen == [6, 5, 4, 3, 2, 1]
    assert second["next_cursor"] is None


async def test_coins_are_found_by_name_symbol_or_address(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(COIN, name="Nina Simone", symbol="NINA"),
        token(address(2), name="100% Funk", symbol="FUNK"),
        token(address(3), name="Nothing", symbol="NOT"),
    )
    for query, expected in [("simone", [0xC01]), ("fun", [2]), ("%", [2]), ("_", []), (COIN, [0xC01])]:
        items = (await client.get("/api/v1/coins", params={"q": query})).json()["items"]
        assert [int(item["address"], 16) for item in items] == expected, query


async def test_an_unknown_coin_is_told(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint())
    for path in ("", "/holders", "/trades", "/candles", "/quote?side=buy&amount=1"):
        response = await client.get(f"/api/v1/coins/{COIN}{path}")
        assert response.status_code == 404
        assert response.json()["type"] == "urn:encore:problem:coin-not-found"
        assert COIN in response.json()["detail"]


async def test_the_address_may_be_given_in_any_case_but_not_with_a_wrong_checksum(
    client: httpx2.AsyncClient, database: Database
) -> None:
    checksummed = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    await save(database, checkpoint(), token(checksummed.lower()))
    for spelling in (checksummed, checksummed.lower(), "0x" + checksummed[2:].upper()):
        assert (await client.get(f"/api/v1/coins/{spelling}")).json()["address"] == checksummed
    response = await client.get(f"/api/v1/coins/{checksummed[:-1]}c")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "address"
    assert "checksum" in response.json()["errors"][0]["message"]
