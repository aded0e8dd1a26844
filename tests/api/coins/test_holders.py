import httpx2

from encore.db import Database
from tests.api.conftest import EXCHANGE
from tests.api.paging import walk
from tests.factories import INITIAL_SUPPLY, address, balance, checkpoint, save, token

COIN = address(0xC01)


async def test_holders_come_largest_first_with_what_each_is(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(COIN),
        token(address(2)),
        balance(COIN, EXCHANGE, INITIAL_SUPPLY // 2),
        balance(COIN, COIN, INITIAL_SUPPLY // 4),
        balance(COIN, address(0xA), INITIAL_SUPPLY // 3 - 1),
        balance(COIN, address(0xB), 0),
        balance(address(2), address(0xD), 5),
    )
    items = (await client.get(f"/api/v1/coins/{COIN}/holders")).json()["items"]
    assert [(item["kind"], item["share_bps"]) for item in items] == [
        ("exchange", 5_000),
        ("wallet", 3_333),
        ("staking", 2_500),
    ]
    assert items[1]["balance"] == str(INITIAL_SUPPLY // 3 - 1)


async def test_holders_of_equal_balance_are_each_listed_once(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(COIN),
        *(balance(COIN, address(number), 10 ** (number % 4) * 2**70) for number in range(100, 140)),
    )
    items = await walk(client, f"/api/v1/coins/{COIN}/holders", limit=7)
    keys = [(int(item["balance"]), int(item["address"], 16)) for item in items]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == 40
