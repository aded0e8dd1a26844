"""SQL of coins: what a block ranks them by, and the figures of those on a page in one statement."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Executable,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.selectable import ScalarSelect

from api.pagination import LIMIT, Column, Window, before
from api.search import contains, equals, search_parameters
from encore.db import ReadSession, Row
from encore.db.models.chain import Balance, Candle, LiquidityChange, Pool, Token, Trade
from encore.db.models.chain_tokens import BalancedToken
from encore.db.models.creators import Creator
from encore.db.types import Texts, Uint256, among, wei_sum, wei_value


async def rankings(session: ReadSession, *, since: int) -> Sequence[Row]:
    """Return what every coin is sorted by; `since` is the start of the 24 hours, unix seconds."""
    return await session.all(_rankings(), {"since": since})


async def found(session: ReadSession, search: str) -> frozenset[str]:
    """Return the addresses of the coins that a search finds."""
    return frozenset(row.address for row in await session.all(_found(), search_parameters(search)))


async def coins(session: ReadSession, addresses: Sequence[str], *, since: int) -> dict[str, Row]:
    """Return coins by address."""
    rows = await session.all(_coins(), {"addresses": addresses, "since": since})
    return {row.address: row for row in rows}


async def coin(session: ReadSession, *, since: int, address: str) -> Row | None:
    """Return one coin."""
    return await session.first(_coin(), {"since": since, "address": address})


async def market(session: ReadSession) -> Row | None:
    """Return the sums over all coins, but for the last 24 hours."""
    return await session.first(_market())


async def token(session: ReadSession, address: str) -> Row | None:
    """Return what rules about one coin need: supply, fee and reserves (NULL without a pool)."""
    return await session.first(_token(), {"address": address})


async def holders(session: ReadSession, window: Window, address: str) -> Sequence[Row]:
    """Return holders by amount and address, both descending."""
    return await session.all(_holders(continuing=window.continues), {"address": address, **window.parameters()})


async def trades(session: ReadSession, window: Window, address: str, *, trader: str | None) -> Sequence[Row]:
    """Return trades by block number and log index, both descending."""
    statement = _trades(of_trader=trader is not None, continuing=window.continues)
    return await session.all(statement, {"address": address, "trader": trader, **window.parameters()})


async def candles(session: ReadSession, *, address: str, interval_seconds: int, first: int, last: int) -> Sequence[Row]:
    """Return the candles opened from `first` to `last` (unix seconds), led by the one before them if there is one."""
    parameters = {"address": address, "interval_seconds": interval_seconds, "first": first, "last": last}
    return await session.all(_candles(), parameters)


# Statements are built once for each shape: building one costs more than SQLite takes to execute it.

_ADDRESS: Final = bindparam("address", type_=String())
_SINCE: Final = bindparam("since", type_=BigInteger())


@cache
def _rankings() -> Executable:
    market_cap = func.coalesce(wei_value(Token.total_supply, Pool.price), literal(0, Uint256()))
    return select(Token.address, Token.created_at, market_cap.label("market_cap"), _volume().label("volume")).outerjoin(
        Pool, Pool.token == Token.address
    )


@cache
def _found() -> Executable:
    return select(Token.address).where(or_(contains(Token.name), contains(Token.symbol), equals(Token.address)))


@cache
def _coins() -> Executable:
    return _described().where(among(Token.address, bindparam("addresses", type_=Texts())))


@cache
def _coin() -> Executable:
    return _described().add_columns(_volume().label("volume_24h")).where(Token.address == _ADDRESS)


@cache
def _market() -> Executable:
    return (
        select(
            func.count().label("coin_count"),
            func.count(Pool.token).label("pool_count"),
            wei_sum(wei_value(Token.total_supply, Pool.price)).label("market_cap"),
            wei_sum(Pool.native_reserve).label("native_reserves"),
            wei_sum(wei_value(Pool.token_reserve, Pool.price)).label("token_reserves"),
            wei_sum(wei_value(Token.total_staked, Pool.price)).label("staked"),
            wei_sum(Pool.volume_native).label("volume_total"),
            func.coalesce(func.sum(Pool.trade_count), 0).label("trade_count"),
        )
        .select_from(Token)
        .outerjoin(Pool, Pool.token == Token.address)
    )


@cache
def _token() -> Executable:
    return (
        select(Token.total_supply, Token.platform_fee_bps, Pool.native_reserve, Pool.token_reserve)
        .outerjoin(Pool, Pool.token == Token.address)
        .where(Token.address == _ADDRESS)
    )


@cache
def _holders(*, continuing: bool) -> Executable:
    order = (Balance.amount, Balance.holder)
    statement = (
        select(*order)
        .where(Balance.token == _ADDRESS, Balance.amount > literal(0, Uint256()))
        .order_by(*(column.desc() for column in order))
        .limit(LIMIT)
    )
    return statement.where(before(*order)) if continuing else statement


@cache
def _trades(*, of_trader: bool, continuing: bool) -> Executable:
    order = (Trade.block_number, Trade.log_index)
    statement = (
        select(*Trade.__table__.columns)
        .where(Trade.token == _ADDRESS)
        .order_by(*(column.desc() for column in order))
        .limit(LIMIT)
    )
    if of_trader:
        statement = statement.where(Trade.trader == bindparam("trader"))
    return statement.where(before(*order)) if continuing else statement


@cache
def _candles() -> Executable:
    first, last = (bindparam(name, type_=BigInteger()) for name in ("first", "last"))
    of_series = and_(Candle.token == _ADDRESS, Candle.interval_seconds == bindparam("interval_seconds"))
    previous = select(func.max(Candle.opened_at)).where(of_series, Candle.opened_at < first).scalar_subquery()
    return (
        select(*Candle.__table__.columns)
        .where(of_series, Candle.opened_at >= func.coalesce(previous, first), Candle.opened_at <= last)
        .order_by(Candle.opened_at)
    )


def _described() -> Select[*tuple[Any, ...]]:
    """What the wire needs of a coin, but for its volume of 24 hours."""
    return (
        select(
            *Token.__table__.columns,
            Creator.id.label("creator_id"),
            Creator.name.label("creator_name"),
            Pool.price,
            Pool.native_reserve,
            Pool.token_reserve,
            Pool.trade_count,
            Pool.volume_native,
            BalancedToken.released_supply,
            BalancedToken.vested_tokens_claimed,
            _price_before().label("price_24h_ago"),
            _opening(LiquidityChange.native_amount).label("opening_native"),
            _opening(LiquidityChange.token_amount).label("opening_token"),
        )
        .outerjoin(Pool, Pool.token == Token.address)
        .outerjoin(BalancedToken, BalancedToken.token == Token.address)
        .outerjoin(Creator, Creator.wallet == Token.creator)
    )


def _volume() -> ScalarSelect[int]:
    """Native wei of a coin traded after `since`."""
    of_coin = and_(Trade.token == Token.address, Trade.timestamp > _SINCE)
    return select(wei_sum(Trade.native_amount)).where(of_coin).scalar_subquery()


def _price_before() -> ScalarSelect[int]:
    """The spot price of a coin at `since`: that after the last trade until then; NULL where there was none."""
    return (
        select(Trade.price)
        .where(Trade.token == Token.address, Trade.timestamp <= _SINCE)
        .order_by(Trade.timestamp.desc(), Trade.block_number.desc(), Trade.log_index.desc())
        .limit(1)
        .scalar_subquery()
    )


def _opening(column: Column) -> ScalarSelect[int]:
    """What a coin's pool opened with."""
    return (
        select(column)
        .where(LiquidityChange.token == Token.address)
        .order_by(LiquidityChange.block_number, LiquidityChange.log_index)
        .limit(1)
        .scalar_subquery()
    )
