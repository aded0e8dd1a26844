import httpx2

from encore.db import Database
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
    assert body["market"] == {
        "price": str(3 * 10**11),
        "market_cap": str(6 * ETHER),
        "volume_24h": str(3 * ETHER),
        "change_24h_bps": 5_000,
        "native_reserve": str(3 * ETHER),
        "token_reserve": str(INITIAL_SUPPLY // 2),
        "trade_count": 4,
        "volume_total": str(9 * ETHER),
    }
    assert body["indexed_block"] == {"number": 1_000, "hash": f"0x{1_000:064x}", "timestamp": "2027-01-15T08:00:00Z"}
