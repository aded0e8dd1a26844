"""Figures of random histories against a few independent lines over the raw trades, to the wei."""

from random import Random

import httpx2
import pytest

from encore.db import Database
from encore.db.models.chain import Trade
from tests.api.paging import walk
from tests.factories import ETHER, NOW, address, checkpoint, opening, pool, save, token, trade

DAY = 86_400
OPENED_AT = 10**11


@pytest.mark.parametrize("seed", range(3))
async def test_market_figures_are_those_of_the_raw_trades(
    client: httpx2.AsyncClient, database: Database, seed: int
) -> None:
    random = Random(seed)
    coins = [address(number) for number in range(1, 9)]
    histories: dict[str, list[Trade]] = {coin: [] for coin in coins}
    time = NOW - random.choice([DAY // 2, 2 * DAY])
    for block in range(1, 60):
        time = min(time + random.choice([0, 1, 600, DAY // 10]), NOW)
        for index in range(random.randrange(3)):
            coin = random.choice(coins)
            histories[coin].append(
                trade(
                    coin,
                    block=block,
                    log_index=index,
                    timestamp=time,
                    native=random.randrange(2**80),
                    price=random.randrange(1, 10**12),
                )
            )
    last = {coin: trades[-1].price if trades else OPENED_AT for coin, trades in histories.items()}
    supplies = {coin: random.randrange(10**20, 10**27) for coin in coins}
    await save(
        database,
        checkpoint(),
        *(token(coin, total_supply=supplies[coin]) for coin in coins),
        *(pool(coin, native=last[coin] * 10**7, tokens=10**25) for coin in coins),
        *(opening(coin, log_index=index, native=OPENED_AT * 10**7, tokens=10**25) for index, coin in enumerate(coins)),
        *(each for trades in histories.values() for each in trades),
    )

    shown = {item["address"].lower(): item for item in await walk(client, "/api/v1/coins", limit=3)}
    for coin, trades in histories.items():
        recent = [each for each in trades if each.timestamp > NOW - DAY]
        earlier = [each.price for each in trades if each.timestamp <= NOW - DAY]
        reference = earlier[-1] if earlier else OPENED_AT
        assert shown[coin]["volume_24h"] == str(sum(each.native_amount for each in recent))
        assert shown[coin]["change_24h_bps"] == (last[coin] - reference) * 10_000 // reference
        assert shown[coin]["market_cap"] == str(supplies[coin] * last[coin] // ETHER)

    by_volume = await walk(client, "/api/v1/coins", sort="volume", limit=3)
    volumes = [int(item["volume_24h"]) for item in by_volume]
    assert volumes == sorted(volumes, reverse=True)
    capitals = [int(item["market_cap"]) for item in await walk(client, "/api/v1/coins", sort="market_cap", limit=5)]
    assert capitals == sorted(capitals, reverse=True)
