from collections import defaultdict
from math import sqrt
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.portfolio.neighbours import TRADES_OF_A_PERSON
from api.portfolio.recommendations import rank
from encore.db import Database
from encore.db.models import Base
from encore.db.models.chain import Trade
from tests.api.conftest import EXCHANGE
from tests.api.paging import walk
from tests.factories import ETHER, NOW, address, balance, checkpoint, liquidity, pool, save, stake, token, trade

WALLET = address(0xA)
MINE, OTHER, POPULAR, GIVEN = (address(number) for number in (0xC01, 0xC02, 0xC03, 0xC04))
FANS = [address(0xF00 + number) for number in range(5)]
PATH = f"/api/v1/wallets/{WALLET}/recommendations"
WEEK = 7 * 86_400


class History:
    """Trades one after the other."""

    def __init__(self, timestamp: int = NOW) -> None:
        self.rows: list[Trade] = []
        self.timestamp = timestamp

    def buy(self, coin: str, trader: str, *, side: str = "buy") -> None:
        self.rows.append(trade(coin, block=len(self.rows), timestamp=self.timestamp, trader=trader, side=side))


def bought(*purchases: tuple[str, str]) -> list[Base]:
    """What accounts bought and hold: the trades and the balances."""
    history = History()
    for coin, trader in purchases:
        history.buy(coin, trader)
    return [*history.rows, *(balance(coin, trader, ETHER) for coin, trader in purchases)]


def coins(*addresses: str, **columns: Any) -> list[Base]:
    return [row for coin in addresses for row in (token(coin, holder_count=100, **columns), pool(coin))]


async def recommended(client: httpx2.AsyncClient) -> dict[str, dict[str, Any]]:
    return {item["coin"]["address"].lower(): item for item in await walk(client, PATH, limit=2)}


async def test_what_holders_of_ones_coins_bought_and_kept_is_recommended_with_the_reason(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await save(
        database,
        checkpoint(),
        *coins(MINE, OTHER, POPULAR, GIVEN),
        balance(MINE, WALLET, 5),
        balance(MINE, EXCHANGE, 9),
        balance(MINE, MINE, 9),
        *bought(*((MINE, fan) for fan in FANS[:3]), (OTHER, FANS[0]), (OTHER, FANS[1]), (POPULAR, FANS[4])),
        *(balance(GIVEN, fan, ETHER) for fan in FANS),
    )
    found = await recommended(client)
    assert set(found) == {OTHER}, "GIVEN was sent to everybody, POPULAR is held by nobody who holds the wallet's coin"
    assert found[OTHER]["basis"] == "holders"
    (shared,) = found[OTHER]["shared_with"]
    assert (shared["coin"]["address"].lower(), shared["holders"], shared["sampled"]) == (MINE, 2, 3)
    assert found[OTHER]["score"] == round(1_000_000 * 2 / 13 / 10)
    listed = (await client.get("/api/v1/coins")).json()["items"]
    assert found[OTHER]["coin"] == next(item for item in listed if item["address"].lower() == OTHER)


async def test_what_is_not_recommended(client: httpx2.AsyncClient, database: Database) -> None:
    inactive, own, of_one, sold, staked, pooled = every = [address(0xD00 + number) for number in range(6)]
    history = History()
    for fan in FANS[:2]:
        history.buy(MINE, fan)
        for coin in (OTHER, *every):
            history.buy(coin, fan if coin != of_one else FANS[0])
    await save(
        database,
        checkpoint(),
        *coins(MINE, OTHER, of_one, sold, staked, pooled),
        *coins(inactive, is_active=False),
        *coins(own, creator_wallet=WALLET),
        *history.rows,
        *(balance(coin, fan, 1) for coin in (MINE, OTHER, *every) for fan in FANS[:2] if coin != sold),
        *(balance(MINE, fan, 1) for fan in (WALLET, FANS[4])),
        stake(staked, WALLET, 1),
        liquidity(pooled, WALLET, 1),
    )
    assert set(await recommended(client)) == {OTHER}


async def test_a_machine_that_trades_all_the_time_recommends_nothing(
    client: httpx2.AsyncClient, database: Database
) -> None:
    machine = [(POPULAR, FANS[1])] * (TRADES_OF_A_PERSON - 1)
    history = History(NOW - WEEK)
    for coin, trader in ((MINE, FANS[0]), (OTHER, FANS[0]), (MINE, FANS[1]), (OTHER, FANS[1]), *machine):
        history.buy(coin, trader)
    kept = [balance(coin, fan, 1) for coin in (MINE, OTHER) for fan in FANS[:2]]
    await save(database, checkpoint(), *coins(MINE, OTHER, POPULAR), balance(MINE, WALLET, 5), *kept, *history.rows)
    assert await recommended(client) == {}


async def test_a_wallet_with_nothing_in_common_gets_what_most_wallets_bought_last_week(
    client: httpx2.AsyncClient, database: Database
) -> None:
    history = History(NOW - WEEK)
    for fan in FANS:
        history.buy(GIVEN, fan)
    history.timestamp += 1
    for fan in FANS[:3]:
        history.buy(POPULAR, fan)
    for fan in FANS[:2]:
        history.buy(OTHER, fan)
        history.buy(MINE, fan, side="sell")
    for _ in range(5):
        history.buy(OTHER, FANS[0])
    await save(database, checkpoint(), *coins(MINE, OTHER, POPULAR, GIVEN), *history.rows)
    found = await recommended(client)
    assert [(coin, item["score"], item["basis"], item["shared_with"]) for coin, item in found.items()] == [
        (POPULAR, 3, "buyers", []),
        (OTHER, 2, "buyers", []),
    ]


async def test_scores_are_those_of_a_few_lines_over_the_raw_rows(
    client: httpx2.AsyncClient, database: Database
) -> None:
    random = Random(7)
    every = [address(0xC00 + number) for number in range(12)]
    accounts = [WALLET, *(address(0xF00 + number) for number in range(80))]
    counts = {coin: random.randrange(1, 500) for coin in every}
    amounts = {
        (coin, account): random.randrange(1, 99) for coin in every for account in accounts if random.random() < 0.3
    }
    amounts |= {(every[0], account): random.randrange(1, 99) for account in accounts}
    purchases = [pair for pair in sorted(amounts) if random.random() < 0.7]
    purchases += [(random.choice(every), random.choice(accounts)) for _ in range(40)]
    history = History()
    for coin, account in purchases:
        history.buy(coin, account, side=random.choice(["buy", "buy", "sell"]))
    await save(
        database,
        checkpoint(),
        *(token(coin, holder_count=counts[coin]) for coin in every),
        *(pool(coin) for coin in every),
        *(balance(coin, account, amount) for (coin, account), amount in amounts.items()),
        *history.rows,
    )

    mine = sorted((coin for coin, account in amounts if account == WALLET), key=lambda c: (-amounts[c, WALLET], c))
    scores: defaultdict[str, float] = defaultdict(float)
    fans: defaultdict[str, set[str]] = defaultdict(set)
    for own in mine[:8]:
        largest = sorted(((amount, who) for (coin, who), amount in amounts.items() if coin == own), reverse=True)[:64]
        sample = {who for _, who in largest} - {WALLET}
        for coin in set(every) - set(mine):
            shared = {
                row.trader
                for row in history.rows
                if row.token == coin and row.side == "buy" and row.trader in sample and (coin, row.trader) in amounts
            }
            scores[coin] += len(shared) / (len(sample) + 10) / sqrt(counts[coin])
            fans[coin] |= shared
    expected = {coin: score for coin, score in scores.items() if len(fans[coin]) > 1}
    found = await recommended(client)
    assert {coin: item["score"] for coin, item in found.items()} == pytest.approx(
        {coin: 1_000_000 * score for coin, score in expected.items()}, abs=1
    )
    keys = [(-item["score"], coin) for coin, item in found.items()]
    assert keys == sorted(keys)


@given(
    st.dictionaries(st.sampled_from("abc"), st.frozensets(st.integers(0, 9).map(str)), min_size=1),
    st.frozensets(st.integers(0, 9).map(str)),
    st.integers(0, 9).map(str),
    st.integers(1, 10**6),
)
def test_one_more_holder_in_common_never_lowers_a_score_and_a_more_common_coin_never_has_a_higher_one(
    samples: dict[str, frozenset[str]], holders: frozenset[str], another: str, holder_count: int
) -> None:
    score = rank("coin", holder_count, holders, samples).score
    assert rank("coin", holder_count, holders | {another}, samples).score >= score >= 0
    assert rank("coin", holder_count + 1, holders, samples).score <= score
