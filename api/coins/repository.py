"""SQL of coins: every page is one statement, figures of 24 hours included."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Executable,
    Row,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.selectable import ScalarSelect, Subquery

from api.coins.schemas import CoinSort
from api.pagination import LIMIT, Column, Window, before
from api.search import contains, equals, search_parameters
from encore.db import ReadSession
from encore.db.models.chain import Balance, Candle, LiquidityChange, Pool, Token, Trade
from encore.db.models.chain_tokens import BalancedToken
from encore.db.models.creators import Creator
from encore.db.types import Uint256, wei_sum, wei_value


async def coins(
    session: ReadSession, window: Window, *, since: int, sort: CoinSort, search: str | None
) -> Sequence[Row[Any]]:
    """Return coins by sort key and address, both descending; `since` is the start of the 24 hours, unix seconds."""
    statement = _coins(sort, searching=search is not None, continuing=window.continues)
    found = {} if search is None else search_parameters(search)
    return await session.all(statement, {"since": since, **window.parameters(), **found})


async def coin(session: ReadSession, *, since: int, address: str) -> Row[Any] | None:
    """Return one coin."""
    return await session.first(_coin(), {"since": since, "address": address})


async def market(session: ReadSession, *, since: int) -> Row[Any] | None:
    """Return the sums over all coins."""
    return await session.first(_market(), {"since": since})


async def token(session: ReadSession, address: str) -> Row[Any] | None:
    """Return what rules about one coin need: supply, fee and reserves (NULL without a pool)."""
    return await session.first(_token(), {"address": address})


async def holders(session: ReadSession, window: Window, address: str) -> Sequence[Row[Any]]:
    """Return holders by amount and address, both descending."""
    return await session.all(_holders(continuing=window.continues), {"address": address, **window.parameters()})


async def trades(session: ReadSession, window: Window, address: str, *, trader: str | None) -> Sequence[Row[Any]]:
    """Return trades by block number and log index, both descending."""
    statement = _trades(of_trader=trader is not None, continuing=window.continues)
    return await session.all(statement, {"address": address, "trader": trader, **window.parameters()})


async def candles(
    session: ReadSession, *, address: str, interval_seconds: int, first: int, last: int
) -> Sequence[Row[Any]]:
    """Return the candles opened from `first` to `last` (unix seconds), led by the one before them if there is one."""
    parameters = {"address": address, "interval_seconds": interval_seconds, "first": first, "last": last}
    return await session.all(_candles(), parameters)


# Statements are built once for each shape: building one costs more than SQLite takes to execute it.

_ADDRESS: Final = bindparam("address", type_=String())
_SINCE: Final = bindparam("since", type_=BigInteger())


@cache
def _coins(sort: CoinSort, *, searching: bool, continuing: bool) -> Executable:
    ranked = _ranked(sort)
    if searching:
        ranked = ranked.where(or_(contains(Token.name), contains(Token.symbol), equals(Token.address)))
    every = ranked.subquery()
    order = (every.c.sort_key, every.c.address)
    page = select(every).order_by(*(column.desc() for column in order)).limit(LIMIT)
    if continuing:
        page = page.where(before(*order))
    return _described(page.subquery())


@cache
def _coin() -> Executable:
    wanted = select(Token.address, Token.created_at.label("sort_key")).where(Token.address == _ADDRESS)
    return _described(wanted.subquery())


@cache
def _market() -> Executable:
    volume = select(wei_sum(Trade.native_amount)).where(Trade.timestamp > _SINCE).scalar_subquery()
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
            volume.label("volume_24h"),
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


def _ranked(sort: CoinSort) -> Select[*tuple[Any, ...]]:
    """Every coin's address with its sort key."""
    if sort is CoinSort.CREATED:
        return select(Token.address, Token.created_at.label("sort_key"))
    if sort is CoinSort.VOLUME:
        return select(Token.address, _volume().label("sort_key"))
    market_cap = func.coalesce(wei_value(Token.total_supply, Pool.price), literal(0, Uint256()))
    return select(Token.address, market_cap.label("sort_key")).outerjoin(Pool, Pool.token == Token.address)


def _described(page: Subquery) -> Executable:
    """Everything the wire needs of the coins on `page`, in its order."""
    return (
        select(
            page.c.sort_key,
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
            _volume().label("volume_24h"),
            _price_before().label("price_24h_ago"),
            _opening(LiquidityChange.native_amount).label("opening_native"),
            _opening(LiquidityChange.token_amount).label("opening_token"),
        )
        .select_from(page)
        .join(Token, Token.address == page.c.address)
        .outerjoin(Pool, Pool.token == Token.address)
        .outerjoin(BalancedToken, BalancedToken.token == Token.address)
        .outerjoin(Creator, Creator.wallet == Token.creator)
        .order_by(page.c.sort_key.desc(), page.c.address.desc())
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
