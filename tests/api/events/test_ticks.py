"""Price ticks, against the exchange's own arithmetic on random histories."""

from random import Random
from typing import Any

import pytest

from api.events import repository
from api.events.ticks import price_tick
from encore.chain import amm
from encore.db import Database
from tests.factories import ETHER, address, feed_entry, save

COIN = address(0xC01)
FEE_BPS = 250


def swap(reserves: amm.Reserves, random: Random) -> tuple[str, dict[str, int], amm.Reserves]:
    """Trade or change liquidity; returns the event's name, its amounts, and the reserves that it leaves."""
    amount = random.randrange(ETHER // 1_000, ETHER)
    match random.randrange(4):
        case 0:
            bought = amm.buy(reserves, amount, FEE_BPS)
            amounts = {"nativeIn": amount, "tokensOut": bought.amount_out, "platformFee": bought.platform_fee}
            return "TokensPurchased", amounts, bought.reserves
        case 1:
            sold = amm.sell(reserves, amount * 1_000, FEE_BPS)
            amounts = {"tokensIn": amount * 1_000, "nativeOut": sold.amount_out, "platformFee": sold.platform_fee}
            return "TokensSold", amounts, sold.reserves
        case 2:
            added = amm.Reserves(reserves.native + amount, reserves.token + 3 * amount)
            return "LiquidityAdded", {"nativeAmount": amount, "tokenAmount": 3 * amount}, added
        case _:
            removed = amm.Reserves(reserves.native - amount, reserves.token - amount)
            return "LiquidityRemoved", {"nativeAmount": amount, "tokenAmount": amount}, removed


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_tick_tells_the_price_after_an_event_and_its_reversal_the_price_before(
    database: Database, database_url: str
) -> None:
    random = Random(6)
    reserves = amm.Reserves(100 * ETHER, 10_000_000 * ETHER)
    expected: list[int] = []
    for number in range(60):
        name, amounts, after = swap(reserves, random)
        args: dict[str, Any] = {key: str(value) for key, value in amounts.items()}
        args |= {"token": COIN, "nativeReserve": str(after.native), "tokenReserve": str(after.token)}
        await save(database, feed_entry(name=name, args=args, block=number))
        await save(database, feed_entry(name=name, args=args, block=number, kind="undone"))
        await save(database, feed_entry(name=name, args=args, block=number))
        expected += [after.spot_price, reserves.spot_price, after.spot_price]
        reserves = after
    async with database.read() as session:
        rows = await repository.entries_after(session, 0, 1_000)
    ticks = [price_tick(row) for row in rows]
    assert [tick.price for tick in ticks if tick] == expected
    assert [tick.id for tick in ticks if tick] == [row.id for row in rows]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_undoing_a_pools_first_liquidity_leaves_no_price_and_other_events_tell_none(
    database: Database, database_url: str
) -> None:
    amounts = {"nativeAmount": "5", "tokenAmount": "7", "nativeReserve": "5", "tokenReserve": "7"}
    await save(
        database,
        feed_entry(name="LiquidityAdded", args={"token": COIN, **amounts}, kind="undone"),
        feed_entry(name="PoolPaused", args={"token": COIN}),
        feed_entry(name="TokensPurchased", contract="AnotherExchange", args={"token": COIN}),
    )
    async with database.read() as session:
        first, *others = [price_tick(row) for row in await repository.entries_after(session, 0, 10)]
    assert first is not None
    assert (first.price, first.native_reserve, first.token_reserve) == (None, 0, 0)
    assert others == [None, None]
