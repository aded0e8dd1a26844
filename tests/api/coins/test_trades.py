import httpx2

from encore.db import Database
from tests.api.paging import walk
from tests.factories import NOW, address, checkpoint, save, token, trade

COIN = address(0xC01)


async def test_trades_come_newest_first_and_each_once(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(COIN),
        token(address(2)),
        *(trade(COIN, block=block, log_index=index, timestamp=NOW) for block in range(9) for index in range(3)),
        trade(address(2), block=50, timestamp=NOW),
    )
    items = await walk(client, f"/api/v1/coins/{COIN}/trades", limit=4)
    expected = [(block, index) for block in reversed(range(9)) for index in reversed(range(3))]
    assert [(item["block_number"], item["log_index"]) for item in items] == expected


async def test_trades_of_one_trader_can_be_asked_for(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        token(COIN),
        *(trade(COIN, block=block, timestamp=NOW, trader=address(block % 2)) for block in range(9)),
    )
    items = await walk(client, f"/api/v1/coins/{COIN}/trades", limit=2, trader=address(1))
    assert [item["block_number"] for item in items] == [7, 5, 3, 1]
