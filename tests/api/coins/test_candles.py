from datetime import datetime
from typing import Any

import httpx2
import pytest

from encore.db import Database
from tests.api.paging import walk
from tests.factories import NOW, address, candle, checkpoint, save, token

COIN = address(0xC01)
MINUTE = 60
FLAT = (9, 9, 9, 9)


def opened_at(item: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(item["opened_at"]).timestamp())


def prices(item: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(item[name]) for name in ("open", "high", "low", "close"))


async def test_intervals_without_trades_repeat_the_last_close(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(timestamp=NOW + 59),
        token(COIN),
        candle(COIN, interval_seconds=MINUTE, opened_at=NOW - 4 * MINUTE, prices=(5, 8, 4, 7), volume=3),
        candle(COIN, interval_seconds=MINUTE, opened_at=NOW - MINUTE, prices=(7, 9, 7, 9), volume=2),
        candle(COIN, interval_seconds=3_600, opened_at=NOW - NOW % 3_600, prices=(1, 1, 1, 1)),
    )
    items = (await client.get(f"/api/v1/coins/{COIN}/candles", params={"interval": "1m"})).json()["items"]
    assert [opened_at(item) - NOW for item in items] == [-240, -180, -120, -60, 0]
    assert [prices(item) for item in items] == [(5, 8, 4, 7), (7, 7, 7, 7), (7, 7, 7, 7), (7, 9, 7, 9), FLAT]
    assert [item["volume_native"] for item in items] == ["3", "0", "0", "2", "0"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_back_in_time_join_without_gap_or_overlap(
    client: httpx2.AsyncClient, database: Database, limit: int
) -> None:
    opened = [NOW - minutes * MINUTE for minutes in (40, 38, 37, 20, 19, 3)]
    await save(
        database,
        checkpoint(),
        token(COIN),
        *(candle(COIN, interval_seconds=MINUTE, opened_at=at, prices=(at, at, at, at)) for at in opened),
    )
    pages: list[dict[str, Any]] = []
    cursor = None
    while True:
        params: dict[str, str | int] = {"interval": "1m", "limit": limit}
        if cursor is not None:
            params["cursor"] = cursor
        page = (await client.get(f"/api/v1/coins/{COIN}/candles", params=params)).json()
        pages = page["items"] + pages
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [opened_at(item) for item in pages] == list(range(NOW - 40 * MINUTE, NOW + 1, MINUTE))
    for item in pages:
        last_trade = max(at for at in opened if at <= opened_at(item))
        assert prices(item) == (last_trade,) * 4


async def test_a_coin_that_was_never_traded_has_no_candles(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), token(COIN))
    assert await walk(client, f"/api/v1/coins/{COIN}/candles", limit=10) == []
