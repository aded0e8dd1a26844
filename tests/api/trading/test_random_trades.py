"""Random trades on the real exchange: each goes as quoted, or is refused in the words and until the time told."""

import os
from datetime import datetime
from random import Random
from typing import Any

from encore.chain.safeguards import DAY_SECONDS
from encore.settings import local_account_address
from indexer.verify import verify_mirror
from tests.api.mirrored import Market
from tests.factories import ETHER

TRADES = int(os.environ.get("API_TRADES", "60"))
TRADERS = [5, 6, 7]
GUARDIAN = 0
WHOLE_TOKENS = 2**255
NEVER = 2**256 - 1


class Trade:
    """One trade of one trader, to be quoted and then made."""

    def __init__(self, market: Market, side: str, trader: int, amount: int) -> None:
        self.market, self.side, self.trader, self.amount = market, side, trader, amount
        name, *arguments = ("buyTokens", 0) if side == "buy" else ("sellTokens", amount, 0)
        self.function, self.arguments = name, [market.coin.address, *arguments]
        self.value = amount if side == "buy" else 0

    async def quote(self) -> dict[str, Any]:
        wallet = local_account_address(self.trader)
        return await self.market.get(
            f"{self.market.path}/quote", side=self.side, amount=str(self.amount), wallet=wallet, slippage_bps=0
        )

    async def outcome(self, at: int) -> int | str:
        """What the contract would give at a time in the newest block, or the words with which it would refuse."""
        data = "0x" + self.market.exchange.encode(self.function, *self.arguments).hex()
        return await self.market.outcome(data, trader=self.trader, value=self.value, at=at)

    async def make(self) -> dict[str, Any]:
        return await self.market.exchange.send(self.function, *self.arguments, sender=self.trader, value=self.value)


async def random_trade(market: Market, random: Random) -> Trade:
    trader = random.choice(TRADERS)
    native, _ = await market.exchange.call("reserves", market.coin.address)
    held = await market.tokens(trader)
    if held > 10**6 and random.random() < 0.45:
        return Trade(market, "sell", trader, random.choice([held, random.randrange(10**6, held)]))
    share = random.choice([10**-9, 0.001, 0.01, 0.02, 0.04, 0.11])
    return Trade(market, "buy", trader, int(native * share * random.random()) + 1_000)


async def change_something(market: Market, random: Random) -> None:
    """Sometimes let time pass, move liquidity, pause the pool, exempt a trader, or change the limits of all pools."""
    exchange, coin = market.exchange, market.coin.address
    kind = random.random()
    if kind < 0.25:
        await market.chain.wait(random.choice([60, 1_800, 3_600, 14_400, DAY_SECONDS]))
    elif kind < 0.35:
        trader = random.choice(TRADERS)
        native, tokens = await exchange.call("reserves", coin)
        value = int(native * random.random() * 0.1) + 1
        if value * tokens // native + 1 < await market.tokens(trader) and not (await limits_of(market, trader))[18]:
            await exchange.send("addLiquidity", coin, WHOLE_TOKENS, 0, NEVER, sender=trader, value=value)
    elif kind < 0.42:
        trader = random.choice(TRADERS)
        if shares := await exchange.call("sharesOf", coin, local_account_address(trader)):
            await exchange.send("removeLiquidity", coin, shares, 0, 0, NEVER, sender=trader)
    elif kind < 0.47:
        paused = (await limits_of(market, TRADERS[0]))[18]
        await exchange.send("unpausePool" if paused else "pausePool", coin, sender=GUARDIAN)
    elif kind < 0.52:
        until = await market.chain.now() + random.randrange(100, DAY_SECONDS)
        await exchange.send("grantExemption", local_account_address(random.choice(TRADERS)), coin, until)
    elif kind < 0.55:
        limits = (random.randrange(100, 2_000), random.randrange(500, 9_000), 200, random.choice([0, 14_400]))
        await exchange.send("setSafeguards", (*limits, random.choice([100, 500, 9_000]), 1_000, 500, 3_600))


async def limits_of(market: Market, trader: int) -> Any:
    wallet = local_account_address(trader)
    return await market.exchange.call("getTradingLimits", wallet, market.coin.address)


async def test_every_trade_goes_as_quoted_or_is_refused_as_told(market: Market) -> None:
    random = Random(6)
    for trader in TRADERS:
        await market.coin.send("approve", market.exchange.address, NEVER, sender=trader)
    told: set[str] = set()
    for _ in range(TRADES):
        await change_something(market, random)
        await market.mirror()
        trade = await random_trade(market, random)
        quote = await trade.quote()
        now = market.indexer.position.timestamp
        refusals = quote["refusals"]
        told |= {refusal["reason"] for refusal in refusals}
        if refusals:
            assert await trade.outcome(now) == refusals[0]["reason"]
            await assert_they_pass_when_told(trade, refusals)
            continue
        assert await trade.outcome(now) == int(quote["amount_out"])
        events = market.events_of(await trade.make())
        assert [event for event in events if event in {"WhaleTrade", "CircuitBreakerTripped"}] == [
            *["WhaleTrade"] * (quote["starts_cooldown_seconds"] is not None),
            *["CircuitBreakerTripped"] * quote["trips_breaker"],
        ]
        native, tokens = await market.exchange.call("reserves", market.coin.address)
        assert quote["price_after"] == str(native * ETHER // tokens)
        assert quote["minimum_out"] == quote["amount_out"]
    await market.mirror()
    assert (await verify_mirror(market.database, market.chain.rpc)).differences == []
    assert {"dex: price impact too high", "dex: Large trade cooldown", "dex: Daily volume limit exceeded"} <= told


async def assert_they_pass_when_told(trade: Trade, refusals: list[dict[str, Any]]) -> None:
    """A second before the last of them passes the trade is refused; from then on none of those is the reason."""
    times = [seconds(refusal["passes_at"]) for refusal in refusals if refusal["passes_at"]]
    lasting = {refusal["reason"] for refusal in refusals if refusal["passes_at"] is None}
    if not times:
        return
    early, late = await trade.outcome(max(times) - 1), await trade.outcome(max(times))
    assert early in {refusal["reason"] for refusal in refusals}
    assert late not in {refusal["reason"] for refusal in refusals} - lasting


def seconds(when: str) -> int:
    return int(datetime.fromisoformat(when).timestamp())


async def test_the_limits_are_those_that_the_contract_tells(market: Market) -> None:
    random = Random(9)
    for trader in TRADERS:
        await market.coin.send("approve", market.exchange.address, NEVER, sender=trader)
    for _ in range(12):
        await change_something(market, random)
        await market.mirror()
        trade = await random_trade(market, random)
        if not (await trade.quote())["refusals"]:
            await trade.make()
        number = await market.mirror()
        wallet = local_account_address(trade.trader)
        told = await market.get(f"{market.path}/limits", wallet=wallet)
        chain = await market.exchange.call("getTradingLimits", wallet, market.coin.address, block=number)
        account = told["account"]
        assert chain[4:17] == (
            *(int(told[name]) for name in ("native_in_left", "native_out_left")),
            seconds(told["resets_at"]),
            int(account["net_flow"]),
            int(told["account_daily_limit"]),
            *(int(told[name]) for name in ("pool_net_flow", "pool_daily_limit")),
            *(int(told[name]) for name in ("tokens_out_per_trade", "native_out_per_trade", "maximum_holding")),
            NEVER if account["holding_left"] is None else int(account["holding_left"]),
            int(told["large_trade"]),
            chain[16] if account["cooldown_until"] is None else seconds(account["cooldown_until"]),
        )
        assert chain[17] == (seconds(told["breaker"]["until"]) if told["breaker"]["until"] else 0)
        assert chain[18] == told["is_paused"]
        now = market.indexer.position.timestamp
        assert (chain[16] > now) == (account["cooldown_until"] is not None)
        assert (chain[19] > now) == (account["exempt_until"] is not None)
