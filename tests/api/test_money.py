"""Money adds up: every figure of a random chain against a few independent lines over its raw events, across a reorg."""

import csv
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from math import sqrt
from random import Random
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from api.main import create_app
from encore.db import Database, Row
from encore.db.models.chain import ChainEvent
from encore.settings import Settings
from indexer.runner import Indexer
from tests.api.conftest import checked_client
from tests.api.paging import walk
from tests.indexer import node as fake_node
from tests.indexer.economy import Coin, Economy
from tests.indexer.node import FakeNode
from tests.indexer.replica import indexer_of
from tests.indexer.world import ACCOUNTS, CONTRACTS, deployment

DAY = 86_400
ETHER = 10**18
BLOCKS = 90
BLOCK_SECONDS = 1_500
MARKET = {
    "TokensPurchased": "buyer",
    "TokensSold": "seller",
    "LiquidityAdded": "provider",
    "LiquidityRemoved": "provider",
}

Args = dict[str, Any]


@dataclass
class World:
    """A chain of random activity, mirrored by the real indexer, behind the application."""

    node: FakeNode
    indexer: Indexer
    database: Database
    client: httpx2.AsyncClient

    async def grow(self, blocks: int, seed: int) -> None:
        random = Random(seed)
        for _ in range(blocks):
            economy: Economy = self.node.head.state.copy()
            logs = economy.act(random, self.node.next_timestamp, random.randrange(10))
            self.node.mine(logs, economy, salt=str(seed))
        await self.indexer.catch_up()

    async def transactions(self) -> list[list[Row]]:
        """The raw events, transaction by transaction."""
        order = (ChainEvent.block_number, ChainEvent.log_index)
        async with self.database.read() as session:
            events = await session.all(select(*ChainEvent.__table__.columns).order_by(*order))
        return [list(group) for _, group in groupby(events, key=lambda event: event.transaction_hash)]

    @property
    def now(self) -> int:
        return self.node.head.timestamp


@pytest.fixture(params=range(2))
async def world(
    request: pytest.FixtureRequest, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setattr(fake_node, "BLOCK_SECONDS", BLOCK_SECONDS)
    settings.deployment_path.write_text(deployment().model_dump_json())
    app = create_app(settings)
    async with (
        FakeNode() as node,
        app.router.lifespan_context(app),
        checked_client(app) as client,
    ):
        economy = Economy()
        node.start_chain(economy)
        node.mine(economy.setup(), economy)
        async with indexer_of(database, node) as indexer:
            opened = World(node, indexer, database, client)
            await opened.grow(BLOCKS, seed=request.param)
            yield opened


async def test_everything_adds_up_and_again_after_a_reorg(world: World) -> None:
    for branch in (0, 1):
        if branch:
            world.node.drop_blocks(BLOCKS // 3)
            await world.grow(BLOCKS // 2, seed=100 + branch)
        transactions = await world.transactions()
        await assert_profits(world, transactions)
        await assert_markets(world, transactions)
        await assert_candles(world, transactions)
        await assert_histories(world)
        await assert_recommendations(world, transactions)


async def assert_profits(world: World, transactions: list[list[Row]]) -> None:
    economy: Economy = world.node.head.state
    seen = 0
    for account in ACCOUNTS:
        path = f"/api/v1/wallets/{account}"
        shown = {item["coin"]["address"].lower(): item for item in await walk(world.client, f"{path}/profits", limit=2)}
        books = recomputed(account, transactions)
        assert set(shown) == set(books)
        totals: defaultdict[str, int] = defaultdict(int)
        for coin, book in books.items():
            item, model = shown[coin], economy.coins[coin]
            assert int(item["amount"]) == model.balances[account] + model.stakes.get(account, (0, 0))[0]
            value = int(item["amount"]) * price_of(model) // ETHER + liquidity_value(model, account)
            figures = {
                "cost_basis": book.cost(),
                "value": value,
                "realised": book.realised,
                "unrealised": value - book.cost(),
            }
            assert {name: int(item[name]) for name in figures} == figures
            for name, figure in figures.items():
                totals[name] += figure
            seen += book.realised != 0
        portfolio = (await world.client.get(f"{path}/portfolio")).raise_for_status().json()
        assert {name: int(figure) for name, figure in portfolio["profit"].items()} == {
            name: totals[name] for name in portfolio["profit"]
        }
    assert seen, "nothing was ever sold"


class Book:
    """What a wallet acquired in order and how much of it is gone: the first so many tokens have a cost, to the wei."""

    def __init__(self) -> None:
        self.coins: list[tuple[int, int]] = []
        self.shares: list[tuple[int, int]] = []
        self.gone = {"coins": 0, "shares": 0}
        self.realised = 0

    def take(self, what: str, amount: int) -> int:
        before = self.cost_of_first(what, self.gone[what])
        self.gone[what] += amount
        return self.cost_of_first(what, self.gone[what]) - before

    def cost_of_first(self, what: str, amount: int) -> int:
        cost = 0
        for size, paid in getattr(self, what):
            cost += paid * min(size, amount) // size
            amount -= min(size, amount)
        return cost

    def cost(self) -> int:
        lots = [("coins", self.coins), ("shares", self.shares)]
        return sum(sum(paid for _, paid in every) - self.cost_of_first(what, self.gone[what]) for what, every in lots)


def recomputed(account: str, transactions: list[list[Row]]) -> dict[str, Book]:
    books: defaultdict[str, Book] = defaultdict(Book)
    for events in transactions:
        traded = [event for event in events if event.name in MARKET and event.args[MARKET[event.name]] == account]
        for event in traded:
            args = numbers(event.args)
            book = books[args["token"]]
            if event.name == "TokensPurchased":
                book.coins.append((args["tokensOut"], args["nativeIn"]))
            elif event.name == "TokensSold":
                book.realised += args["nativeOut"] - book.take("coins", args["tokensIn"])
            elif event.name == "LiquidityAdded":
                book.shares.append((args["shares"], args["nativeAmount"] + book.take("coins", args["tokenAmount"])))
            else:
                cost = book.take("shares", args["shares"])
                book.coins.append((args["tokenAmount"], cost // 2))
                book.realised += args["nativeAmount"] - (cost - cost // 2)
        for event in events:
            if event.name == "Transfer" and not traded and "value" in event.args:
                move(books, account, event)
    return books


def move(books: defaultdict[str, Book], account: str, event: Row) -> None:
    """A transfer that is no trade: into or out of a stake (the token's own contract) it changes nothing."""
    sender, receiver, value = event.args["sender"], event.args["receiver"], int(event.args["value"])
    if event.contract not in {"CreatorToken", "BalancedCreatorToken"} or sender == receiver or not value:
        return
    if receiver == account and sender != event.address:
        books[event.address].coins.append((value, 0))
    elif sender == account and receiver != event.address:
        books[event.address].take("coins", value)


def numbers(args: Args) -> Args:
    return {name: int(value) if isinstance(value, str) and value.isdecimal() else value for name, value in args.items()}


def price_of(model: Coin) -> int:
    return 0 if model.pool is None else model.pool.reserves.native * ETHER // model.pool.reserves.token


def liquidity_value(model: Coin, account: str) -> int:
    if model.pool is None or not model.pool.shares[account]:
        return 0
    shares, total = model.pool.shares[account], sum(model.pool.shares.values())
    tokens = shares * model.pool.reserves.token // total
    return shares * model.pool.reserves.native // total + tokens * price_of(model) // ETHER


def trades_of(transactions: list[list[Row]]) -> Iterator[tuple[str, int, int, int, int]]:
    """Coin, time, native wei, price before and after of every trade."""
    prices: dict[str, int] = {}
    for event in (event for events in transactions for event in events if event.name in MARKET):
        args = numbers(event.args)
        price = args["nativeReserve"] * ETHER // args["tokenReserve"]
        if event.name in {"TokensPurchased", "TokensSold"}:
            native = args["nativeIn" if event.name == "TokensPurchased" else "nativeOut"]
            yield args["token"], event.timestamp, native, prices[args["token"]], price
        prices[args["token"]] = price


async def assert_markets(world: World, transactions: list[list[Row]]) -> None:
    economy: Economy = world.node.head.state
    trades = list(trades_of(transactions))
    shown = {item["address"].lower(): item for item in await walk(world.client, "/api/v1/coins", limit=3)}
    assert set(shown) == set(economy.coins)
    sums: defaultdict[str, int] = defaultdict(int)
    for coin, model in economy.coins.items():
        item, price = shown[coin], price_of(model)
        own = [trade for trade in trades if trade[0] == coin]
        volume = sum(native for _, time, native, _, _ in own if time > world.now - DAY)
        staked = sum(amount for amount, _ in model.stakes.values())
        assert int(item["volume_24h"]) == volume
        assert int(item["total_staked"]) == staked
        if model.pool is None:
            assert item["market_cap"] is item["change_24h_bps"] is item["liquidity_apy_bps"] is None
            assert item["tvl"] == "0"
            continue
        reserves = model.pool.reserves
        tvl = reserves.native + reserves.token * price // ETHER + staked * price // ETHER
        assert (int(item["price"]), int(item["market_cap"])) == (price, model.supply * price // ETHER)
        assert int(item["tvl"]) == tvl
        assert item["liquidity_apy_bps"] == volume * 30 * 365 // (2 * reserves.native)
        earlier = [after for _, time, _, _, after in own if time <= world.now - DAY]
        if earlier:
            assert item["change_24h_bps"] == (price - earlier[-1]) * 10_000 // earlier[-1]
        for name, figure in (("tvl", tvl), ("volume_24h", volume), ("market_cap", model.supply * price // ETHER)):
            sums[name] += figure
    market = (await world.client.get("/api/v1/market")).raise_for_status().json()
    assert {name: int(market[name]) for name in sums} == sums
    assert (market["coin_count"], market["trade_count"]) == (len(economy.coins), len(trades))


async def assert_candles(world: World, transactions: list[list[Row]]) -> None:
    trades = list(trades_of(transactions))
    for coin in {trade[0] for trade in trades}:
        for interval, seconds in (("1h", 3_600), ("1d", DAY)):
            path = f"/api/v1/coins/{coin}/candles"
            shown = (await world.client.get(path, params={"interval": interval, "limit": 1_000})).json()["items"]
            expected = []
            own = [trade for trade in trades if trade[0] == coin]
            opened = own[0][1] // seconds * seconds
            close = own[0][3]
            for start in range(opened, world.now + 1, seconds):
                within = [trade for trade in own if start <= trade[1] < start + seconds]
                prices = [within[0][3], *(trade[4] for trade in within)] if within else [close]
                close = prices[-1]
                volume = sum(trade[2] for trade in within)
                expected.append((prices[0], max(prices), min(prices), close, volume, len(within)))
            figures = ("open", "high", "low", "close", "volume_native", "trade_count")
            assert [tuple(int(candle[name]) for name in figures) for candle in shown] == expected


async def assert_histories(world: World) -> None:
    """Pages and the export tell the same, each thing once."""
    for account in ACCOUNTS:
        path = f"/api/v1/wallets/{account}/history"
        items = await walk(world.client, path, limit=7)
        keys = [(item["block_number"], item["log_index"]) for item in items]
        assert keys == sorted(set(keys), reverse=True)
        async with httpx2.AsyncClient(transport=world.client._transport, base_url="http://test") as plain:
            answer = await plain.get(f"{path}.csv")
        assert answer.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(StringIO(answer.text, newline="")))
        assert [(int(row["block_number"]), int(row["log_index"])) for row in rows] == keys
        assert [(row["kind"], row["token_amount_wei"]) for row in rows] == [
            (item["kind"], item["token_amount"]) for item in items
        ]
        sold = [item for item in items if item["kind"] == "sell"]
        assert sold == await walk(world.client, path, limit=3, kind="sell")


async def assert_recommendations(world: World, transactions: list[list[Row]]) -> None:
    """Coins that a wallet lacks, by the holders whom its eight most valuable coins share with them."""
    models: dict[str, Coin] = world.node.head.state.coins
    listed = {item["address"].lower(): item for item in await walk(world.client, "/api/v1/coins", limit=9)}
    events = [event for transaction in transactions for event in transaction if event.name == "TokensPurchased"]
    bought = {(event.args["token"], event.args["buyer"]) for event in events}

    def value(coin: str, account: str) -> int:
        held, stake = models[coin].balances[account], models[coin].stakes.get(account, (0, 0))[0]
        price = price_of(models[coin])
        return held * price // ETHER + stake * price // ETHER + liquidity_value(models[coin], account)

    def has(coin: str, account: str) -> bool:
        model = models[coin]
        shares = model.pool.shares[account] if model.pool else 0
        return bool(model.balances[account] or model.stakes.get(account, (0, 0))[0] or shares)

    def keeps(coin: str, account: str) -> bool:
        return bool(models[coin].balances[account] or models[coin].stakes.get(account, (0, 0))[0])

    seen = 0
    for account in ACCOUNTS:
        own = sorted((coin for coin in models if has(coin, account)), key=lambda coin: (-value(coin, account), coin))
        by_holders, by_buyers = {}, {}
        for coin in set(models) - set(own):
            if not listed[coin]["is_active"] or listed[coin]["creator"]["wallet"].lower() == account:
                continue
            score, fans = 0.0, set()
            for mine in own[:8]:
                sample = set(+models[mine].balances) - {account, mine, CONTRACTS["IntegratedCreatorDEX"]}
                shared = {holder for holder in sample if (coin, holder) in bought and keeps(coin, holder)}
                score += len(shared) / (len(sample) + 10)
                fans |= shared
            if len(fans) > 1:
                by_holders[coin] = 1_000_000 * score / sqrt(listed[coin]["holder_count"])
            buyers = {buyer for token, buyer in bought if token == coin}  # all within a week
            if len(buyers) > 1:
                by_buyers[coin] = len(buyers)
        items = await walk(world.client, f"/api/v1/wallets/{account}/recommendations", limit=2)
        scores = {item["coin"]["address"].lower(): item["score"] for item in items}
        assert scores == pytest.approx(by_holders or by_buyers, abs=1)
        assert {item["basis"] for item in items} <= {"holders" if by_holders else "buyers"}
        assert all(item["coin"] == listed[item["coin"]["address"].lower()] for item in items)
        seen += len(items)
    assert seen, "nothing was ever recommended"
