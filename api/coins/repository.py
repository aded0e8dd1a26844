"""SQL of coins: every page is one statement, figures of 24 hours included."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func, literal, or_, select
from sqlalchemy.sql.selectable import ScalarSelect, Subquery

from api.coins.schemas import CoinSort
from api.pagination import Column, Window, before
from encore.db import ReadSession
from encore.db.models.chain import Balance, Candle, LiquidityChange, Pool, Token, Trade
from encore.db.models.creators import Creator
from encore.db.types import Uint256, wei_sum, wei_value


async def coins(
    session: ReadSession, window: Window, *, since: int, sort: CoinSort, search: str | None
) -> Sequence[Row[Any]]:
    """Return coins by sort key and address, both descending; `since` is the start of the 24 hours, unix seconds."""
    ranked = _ranked(sort, since)
    if search is not None:
        ranked = ranked.where(
            or_(
                Token.name.icontains(search, autoescape=True),
                Token.symbol.icontains(search, autoescape=True),
                Token.address == search.lower(),
            )
        )
    every = ranked.subquery()
    order = (every.c.sort_key, every.c.address)
    page = select(every).order_by(*(column.desc() for column in order)).limit(window.limit)
    if window.key is not None:
        page = page.where(before(order, window.key))
    return await session.all(_described(page.subquery(), since))


async def coin(session: ReadSession, *, since: int, address: str) -> Row[Any] | None:
    """Return one coin."""
    wanted = select(Token.address, Token.created_at.label("sort_key")).where(Token.address == address)
    return await session.first(_described(wanted.subquery(), since))


async def token(session: ReadSession, address: str) -> Row[Any] | None:
    """Return what rules about one coin need: supply, fee and reserves (NULL without a pool)."""
    return await session.first(
        select(Token.total_supply, Token.platform_fee_bps, Pool.native_reserve, Pool.token_reserve)
        .outerjoin(Pool, Pool.token == Token.address)
        .where(Token.address == address)
    )


async def holders(session: ReadSession, window: Window, address: str) -> Sequence[Row[Any]]:
    """Return holders by amount and address, both descending."""
    order = (Balance.amount, Balance.holder)
    statement = (
        select(*order)
        .where(Balance.token == address, Balance.amount > literal(0, Uint256()))
        .order_by(*(column.desc() for column in order))
        .limit(window.limit)
    )
    return await session.all(statement if window.key is None else statement.where(before(order, window.key)))


async def trades(session: ReadSession, window: Window, address: str, *, trader: str | None) -> Sequence[Row[Any]]:
    """Return trades by block number and log index, both descending."""
    order = (Trade.block_number, Trade.log_index)
    statement = (
        select(*Trade.__table__.columns)
        .where(Trade.token == address)
        .order_by(*(column.desc() for column in order))
        .limit(window.limit)
    )
    if trader is not None:
        statement = statement.where(Trade.trader == trader)
    return await session.all(statement if window.key is None else statement.where(before(order, window.key)))


async def candles(
    session: ReadSession, *, address: str, interval_seconds: int, first: int, last: int
) -> Sequence[Row[Any]]:
    """Return the candles opened from `first` to `last` (unix seconds), led by the one before them if there is one."""
    of_series = and_(Candle.token == address, Candle.interval_seconds == interval_seconds)
    previous = select(func.max(Candle.opened_at)).where(of_series, Candle.opened_at < first).scalar_subquery()
    return await session.all(
        select(*Candle.__table__.columns)
        .where(of_series, Candle.opened_at >= func.coalesce(previous, first), Candle.opened_at <= last)
        .order_by(Candle.opened_at)
    )


def _ranked(sort: CoinSort, since: int) -> Select[*tuple[Any, ...]]:
    """Every coin's address with its sort key."""
    if sort is CoinSort.CREATED:
        return select(Token.address, Token.created_at.label("sort_key"))
    if sort is CoinSort.VOLUME:
        return select(Token.address, _volume(Token.address, since).label("sort_key"))
    market_cap = func.coalesce(wei_value(Token.total_supply, Pool.price), literal(0, Uint256()))
    return select(Token.address, market_cap.label("sort_key")).outerjoin(Pool, Pool.token == Token.address)


def _described(page: Subquery, since: int) -> Select[*tuple[Any, ...]]:
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
            _volume(Token.address, since).label("volume_24h"),
            _price_at(Token.address, since).label("price_24h_ago"),
            _opening(LiquidityChange.native_amount, Token.address).label("opening_native"),
            _opening(LiquidityChange.token_amount, Token.address).label("opening_token"),
        )
        .select_from(page)
        .join(Token, Token.address == page.c.address)
        .outerjoin(Pool, Pool.token == Token.address)
        .outerjoin(Creator, Creator.wallet == Token.creator)
        .order_by(page.c.sort_key.desc(), page.c.address.desc())
    )


def _volume(address: Column, since: int) -> ScalarSelect[int]:
    """Native wei traded after `since`."""
    return select(wei_sum(Trade.native_amount)).where(Trade.token == address, Trade.timestamp > since).scalar_subquery()


def _price_at(address: Column, time: int) -> ScalarSelect[int]:
    """The spot price at `time`: that after the last trade until then; NULL where there was none."""
    return (
        select(Trade.price)
        .where(Trade.token == address, Trade.timestamp <= time)
        .order_by(Trade.timestamp.desc(), Trade.block_number.desc(), Trade.log_index.desc())
        .limit(1)
        .scalar_subquery()
    )


def _opening(column: Column, address: Column) -> ScalarSelect[int]:
    """What the pool opened with."""
    return (
        select(column)
        .where(LiquidityChange.token == address)
        .order_by(LiquidityChange.block_number, LiquidityChange.log_index)
        .limit(1)
        .scalar_subquery()
    )
