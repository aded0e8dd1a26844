"""IntegratedCreatorDEX: pools, liquidity, trades, candles, platform fees due, and the trading safeguards."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from encore.chain.amm import Reserves
from encore.chain.safeguards import DAY_SECONDS, Guard, guard_price
from encore.db.models.chain import Candle, FeeBalance, LiquidityChange, LiquidityPosition, Pool, Trade
from encore.db.models.chain_exchange import (
    BreakerTrip,
    PoolGuard,
    TradingCooldown,
    TradingExemption,
    TradingFlow,
    WhaleTrade,
)
from indexer.bulk import Row
from indexer.check import Check, Reader, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.erc20 import ZERO_ADDRESS
from indexer.roles import authorisation, ownership
from indexer.settings import settings_of
from indexer.state import State

CANDLE_SECONDS: Final = (60, 300, 3_600, 86_400)
SAFEGUARDS: Final = (
    "accountDailyFlowBps",
    "poolDailyFlowBps",
    "largeTradeBps",
    "largeTradeCooldown",
    "maximumHoldingBps",
    "maximumImpactBps",
    "breakerBps",
    "breakerDuration",
)
"""The fields of the exchange's safeguards, in the order of their struct."""
ACCOUNT_FLOW_WORD: Final = 8
POOL_FLOW_WORD: Final = 10
COOLDOWN_UNTIL_WORD: Final = 17
BREAKER_UNTIL_WORD: Final = 18
"""Where getTradingLimits' struct has these: it stands behind its offset, with one word a field."""


@dataclass(frozen=True, slots=True)
class _Side:
    """A direction of trade, and where its event holds the parties' amounts."""

    name: str
    trader_parameter: str
    native_parameter: str
    token_parameter: str


BUY: Final = _Side("buy", "buyer", "nativeIn", "tokensOut")
SELL: Final = _Side("sell", "seller", "nativeOut", "tokensIn")


def _pool(event: Event) -> Iterator[Key]:
    yield Pool, (event.args["token"],)


def _pool_rows(event: Event) -> Iterator[Key]:
    yield from _pool(event)
    yield from _guard(event)


def _locked_rows(event: Event) -> Iterator[Key]:
    yield from _pool(event)
    yield LiquidityPosition, (event.args["token"], ZERO_ADDRESS)


def _liquidity_rows(event: Event) -> Iterator[Key]:
    yield from _pool_rows(event)
    yield LiquidityPosition, (event.args["token"], event.args["provider"])


def _trade_rows(event: Event, *, side: _Side) -> Iterator[Key]:
    yield from _pool_rows(event)
    yield TradingFlow, (event.args["token"], event.args[side.trader_parameter])
    yield FeeBalance, (event.args["platformFeeRecipient"],)
    for seconds in CANDLE_SECONDS:
        yield Candle, _candle_key(event, seconds)


def _recipient(event: Event) -> Iterator[Key]:
    yield FeeBalance, (event.args["recipient"],)


def _pool_created(event: Event, state: State) -> None:
    state.upsert(Pool, event.args["token"]).update(
        native_reserve=0,
        token_reserve=0,
        total_shares=0,
        price=0,
        volume_native=0,
        trade_count=0,
        created_block=event.block_number,
        created_at=event.timestamp,
    )
    state.upsert(PoolGuard, event.args["token"]).update(
        is_paused=False,
        breaker_until=0,
        trip_count=0,
        reference_reserve=0,
        start_price=0,
        changed_at=event.timestamp,
    )


def _minimum_liquidity_locked(event: Event, state: State) -> None:
    state.edit(Pool, event.args["token"])["total_shares"] += event.args["shares"]
    _change_shares(event, ZERO_ADDRESS, event.args["shares"], state)


def _liquidity_added(event: Event, state: State) -> None:
    _change_liquidity(event, "added", event.args["shares"], state)


def _liquidity_removed(event: Event, state: State) -> None:
    _change_liquidity(event, "removed", -event.args["shares"], state)


def _change_liquidity(event: Event, kind: str, shares: int, state: State) -> None:
    args = event.args
    pool = state.edit(Pool, args["token"])
    pool["total_shares"] += shares
    before = _set_reserves(pool, event)
    _scale_guard(event, state, before)
    _change_shares(event, args["provider"], shares, state)
    state.append(
        LiquidityChange,
        event.row(
            token=args["token"],
            provider=args["provider"],
            kind=kind,
            native_amount=args["nativeAmount"],
            token_amount=args["tokenAmount"],
            shares=args["shares"],
        ),
    )


def _change_shares(event: Event, provider: str, shares: int, state: State) -> None:
    token = event.args["token"]
    position = state.upsert(LiquidityPosition, token, provider, shares=0)
    position["shares"] += shares
    if position["shares"] == 0:
        state.delete(LiquidityPosition, token, provider)


def _trade(event: Event, state: State, *, side: _Side) -> None:
    args = event.args
    native_amount, token_amount = args[side.native_parameter], args[side.token_parameter]
    pool = state.edit(Pool, args["token"])
    price_before = pool["price"]
    before = _set_reserves(pool, event)
    _guard_trade(event, state, before)
    _count_flow(event, state, args[side.trader_parameter], before.native)
    pool["volume_native"] += native_amount
    pool["trade_count"] += 1
    if args["platformFee"]:
        state.upsert(FeeBalance, args["platformFeeRecipient"], amount=0)["amount"] += args["platformFee"]
    state.append(
        Trade,
        event.row(
            token=args["token"],
            trader=args[side.trader_parameter],
            side=side.name,
            native_amount=native_amount,
            token_amount=token_amount,
            platform_fee=args["platformFee"],
            price=pool["price"],
        ),
    )
    for seconds in CANDLE_SECONDS:
        candle = state.upsert(
            Candle,
            *_candle_key(event, seconds),
            open=price_before,
            high=price_before,
            low=price_before,
            close=price_before,
            volume_native=0,
            volume_token=0,
            trade_count=0,
        )
        candle["high"] = max(candle["high"], pool["price"])
        candle["low"] = min(candle["low"], pool["price"])
        candle["close"] = pool["price"]
        candle["volume_native"] += native_amount
        candle["volume_token"] += token_amount
        candle["trade_count"] += 1


def _fees_withdrawn(event: Event, state: State) -> None:
    state.edit(FeeBalance, event.args["recipient"])["amount"] -= event.args["amount"]


def _guard(event: Event) -> Iterator[Key]:
    yield PoolGuard, (event.args["token"],)


def _exemption(event: Event) -> Iterator[Key]:
    yield TradingExemption, (event.args["account"], event.args["token"])


def _cooldown(event: Event) -> Iterator[Key]:
    yield TradingCooldown, (event.args["token"], event.args["trader"])


def _whale_trade(event: Event, state: State) -> None:
    args = event.args
    state.upsert(TradingCooldown, args["token"], args["trader"])["until"] = args["cooldownUntil"]
    state.append(
        WhaleTrade,
        event.row(
            token=args["token"],
            trader=args["trader"],
            is_purchase=args["isPurchase"],
            native_amount=args["nativeAmount"],
            token_amount=args["tokenAmount"],
        ),
    )


def _breaker_tripped(event: Event, state: State) -> None:
    args = event.args
    guard = state.edit(PoolGuard, args["token"])
    guard["breaker_until"] = args["until"]
    guard["start_price"] = 0  # the trade that tripped it follows, and says where it left the price
    guard["trip_count"] += 1
    state.append(
        BreakerTrip,
        event.row(
            token=args["token"],
            trader=args["trader"],
            start_price=args["startPrice"],
            price=args["price"],
            until=args["until"],
        ),
    )


def _pause(event: Event, state: State, *, is_paused: bool) -> None:
    state.edit(PoolGuard, event.args["token"])["is_paused"] = is_paused


def _exempted(event: Event, state: State) -> None:
    args = event.args
    state.upsert(TradingExemption, args["account"], args["token"]).update(
        until=args["until"], guardian=args["guardian"]
    )


def _exemption_revoked(event: Event, state: State) -> None:
    state.delete(TradingExemption, event.args["account"], event.args["token"])


def _set_reserves(pool: Row, event: Event) -> Reserves:
    """Take over the reserves that the event tells; returns those before it."""
    before, after = Reserves(pool["native_reserve"], pool["token_reserve"]), _reserves_after(event)
    pool.update(native_reserve=after.native, token_reserve=after.token, price=after.spot_price)
    return before


def _reserves_after(event: Event) -> Reserves:
    return Reserves(native=event.args["nativeReserve"], token=event.args["tokenReserve"])


def _scale_guard(event: Event, state: State, before: Reserves) -> None:
    row, after = state.edit(PoolGuard, event.args["token"]), _reserves_after(event)
    if before.native == 0:
        _store_guard(row, Guard.opened(after, event.timestamp))
    else:
        _store_guard(row, _stored_guard(row).at(before, event.timestamp).scaled(before.native, after.native))


def _guard_trade(event: Event, state: State, before: Reserves) -> None:
    row = state.edit(PoolGuard, event.args["token"])
    has_tripped = row["start_price"] == 0
    _store_guard(row, _stored_guard(row).at(before, event.timestamp))
    if has_tripped:
        row["start_price"] = guard_price(_reserves_after(event))


def _stored_guard(row: Row) -> Guard:
    return Guard(row["reference_reserve"], row["start_price"], row["changed_at"])


def _store_guard(row: Row, guard: Guard) -> None:
    row.update(reference_reserve=guard.reference_reserve, start_price=guard.start_price, changed_at=guard.changed_at)


def _count_flow(event: Event, state: State, account: str, native_before: int) -> None:
    flow = state.upsert(TradingFlow, event.args["token"], account, day_started_at=0, native_in=0, native_out=0)
    today = event.timestamp - event.timestamp % DAY_SECONDS
    if flow["day_started_at"] != today:
        flow.update(day_started_at=today, native_in=0, native_out=0)
    change = event.args["nativeReserve"] - native_before
    flow["native_in"] += max(change, 0)
    flow["native_out"] += max(-change, 0)


def _candle_key(event: Event, seconds: int) -> tuple[str, int, int]:
    return event.args["token"], seconds, event.timestamp - event.timestamp % seconds


async def _checks(reader: Reader) -> list[Check]:
    exchange = await reader.address(CONTRACT.name)
    found = []
    for pool in await reader.rows(Pool):
        reserves = (pool.native_reserve, pool.token_reserve)
        found += [
            Check(exchange, "reserves(address)", (pool.token,), ("uint256",) * 2, reserves),
            number(exchange, "totalShares(address)", (pool.token,), pool.total_shares),
            number(exchange, "spotPrice(address)", (pool.token,), pool.price),
        ]
    found += [
        number(exchange, "sharesOf(address,address)", (row.token, row.provider), row.shares)
        for row in await reader.rows(LiquidityPosition)
    ]
    found += [
        number(exchange, "platformFeesDue(address)", (row.recipient,), row.amount)
        for row in await reader.rows(FeeBalance)
    ]
    return found + await _safeguard_checks(reader, exchange)


async def _safeguard_checks(reader: Reader, exchange: str) -> list[Check]:
    view = "getTradingLimits(address,address)"
    found = []
    pools = {row.token: Reserves(row.native_reserve, row.token_reserve) for row in await reader.rows(Pool)}
    for row in await reader.rows(PoolGuard):
        state = (row.breaker_until, row.is_paused)
        reserves = pools[row.token]
        guard = Guard(row.reference_reserve, row.start_price, row.changed_at).at(reserves, reader.timestamp)
        flow = reserves.native - guard.reference_reserve
        found += [
            Check(exchange, view, (ZERO_ADDRESS, row.token), ("uint256", "bool"), state, BREAKER_UNTIL_WORD),
            Check(exchange, view, (ZERO_ADDRESS, row.token), ("int256",), (flow,), POOL_FLOW_WORD),
        ]
    for row in await reader.rows(TradingFlow):
        is_todays = row.day_started_at == reader.timestamp - reader.timestamp % DAY_SECONDS
        flow = row.native_in - row.native_out if is_todays else 0
        found.append(Check(exchange, view, (row.account, row.token), ("int256",), (flow,), ACCOUNT_FLOW_WORD))
    found += [
        Check(exchange, view, (row.account, row.token), ("uint256",), (row.until,), COOLDOWN_UNTIL_WORD)
        for row in await reader.rows(TradingCooldown)
    ]
    found += [
        number(exchange, "exemptUntil(address,address)", (row.account, row.token), row.until)
        for row in await reader.rows(TradingExemption)
    ]
    return found


CONTRACT: Final = Contract(
    name="IntegratedCreatorDEX",
    handlers={
        "PoolCreated": Handler(_pool_created, _pool_rows),
        "MinimumLiquidityLocked": Handler(_minimum_liquidity_locked, _locked_rows),
        "LiquidityAdded": Handler(_liquidity_added, _liquidity_rows),
        "LiquidityRemoved": Handler(_liquidity_removed, _liquidity_rows),
        "TokensPurchased": Handler(partial(_trade, side=BUY), partial(_trade_rows, side=BUY)),
        "TokensSold": Handler(partial(_trade, side=SELL), partial(_trade_rows, side=SELL)),
        "PlatformFeesWithdrawn": Handler(_fees_withdrawn, _recipient),
        "SafeguardsUpdated": settings_of("safeguards", **{name: name for name in SAFEGUARDS}),
        "WhaleTrade": Handler(_whale_trade, _cooldown),
        "CircuitBreakerTripped": Handler(_breaker_tripped, _guard),
        "PoolPaused": Handler(partial(_pause, is_paused=True), _guard),
        "PoolUnpaused": Handler(partial(_pause, is_paused=False), _guard),
        "ExemptionGranted": Handler(_exempted, _exemption),
        "ExemptionRevoked": Handler(_exemption_revoked, _exemption),
        "GuardianAuthorisationChanged": authorisation("guardian"),
        "OwnershipTransferred": ownership(),
    },
    checks=_checks,
)
