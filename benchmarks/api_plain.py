"""The page of 20 coins as one usually writes it: ORM entities, an async session, a response model, FastAPI's JSON."""

from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from encore.db import Database
from encore.db.models.chain import Checkpoint, LiquidityChange, Pool, Token, Trade
from encore.db.models.chain_tokens import BalancedToken
from encore.db.models.creators import Creator
from encore.db.types import wei_sum

PAGE = 20
DAY_SECONDS = 86_400
ETHER = 10**18


class PlainCreator(BaseModel):
    """Whose coin it is."""

    wallet: str
    id: int | None
    name: str | None


class PlainCoin(BaseModel):
    """One coin, field by field what ours has."""

    address: str
    name: str
    symbol: str
    description: str
    image_url: str
    is_active: bool
    creator: PlainCreator
    owner: str
    created_at: datetime
    total_supply: str
    maximum_supply: str
    total_staked: str
    holder_count: int
    platform_fee_bps: int
    platform_fee_recipient: str
    price: str | None
    market_cap: str | None
    volume_24h: str
    change_24h_bps: int | None
    volume_total: str
    trade_count: int
    native_reserve: str | None
    token_reserve: str | None
    tvl: str
    liquidity_apy_bps: int | None
    staking_apy_bps: int


class PlainPage(BaseModel):
    """The list."""

    items: list[PlainCoin]
    indexed_block: int


def plain_app(database: Database) -> FastAPI:
    """Build the application of one list."""
    app = FastAPI()

    @app.get("/coins")
    async def coins() -> PlainPage:
        async with AsyncSession(database.engine) as session:
            return await page(session)

    return app


async def page(session: AsyncSession) -> PlainPage:
    """Read the page: the entities, then the figures of 24 hours of all of them, a query each."""
    block = (await session.scalars(select(Checkpoint))).one()
    since = block.timestamp - DAY_SECONDS
    entities = (
        await session.execute(
            select(Token, Pool, Creator, BalancedToken)
            .outerjoin(Pool, Pool.token == Token.address)
            .outerjoin(Creator, Creator.wallet == Token.creator)
            .outerjoin(BalancedToken, BalancedToken.token == Token.address)
            .order_by(Token.created_at.desc(), Token.address.desc())
            .limit(PAGE)
        )
    ).all()
    addresses = [token.address for token, *_ in entities]
    volumes = select(Trade.token, wei_sum(Trade.native_amount)).where(
        Trade.token.in_(addresses), Trade.timestamp > since
    )
    volume_of = {row[0]: row[1] for row in await session.execute(volumes.group_by(Trade.token))}
    newest = func.row_number().over(partition_by=Trade.token, order_by=Trade.timestamp.desc()).label("rank")
    earlier = select(Trade.token, Trade.price, newest).where(Trade.token.in_(addresses), Trade.timestamp <= since)
    ranked = earlier.subquery()
    priced = await session.execute(select(ranked.c.token, ranked.c.price).where(ranked.c.rank == 1))
    price_of = {row[0]: row[1] for row in priced}
    changes = select(LiquidityChange).where(LiquidityChange.token.in_(addresses))
    openings: dict[str, LiquidityChange] = {}
    for change in await session.scalars(changes.order_by(LiquidityChange.block_number, LiquidityChange.log_index)):
        openings.setdefault(change.token, change)
    items = [
        coin(token, pool, creator, volume_of.get(token.address, 0), _reference(token.address, price_of, openings))
        for token, pool, creator, _ in entities
    ]
    return PlainPage(items=items, indexed_block=block.block_number)


def _reference(address: str, price_of: dict[str, int], openings: dict[str, LiquidityChange]) -> int | None:
    if address in price_of:
        return price_of[address]
    opening = openings.get(address)
    return opening.native_amount * ETHER // opening.token_amount if opening else None


def coin(token: Token, pool: Pool | None, creator: Creator | None, volume: int, reference: int | None) -> PlainCoin:
    """Put one together."""
    market: dict[str, Any] = {"price": None, "market_cap": None, "native_reserve": None, "token_reserve": None}
    if pool is not None:
        market = {
            "price": str(pool.price),
            "market_cap": str(pool.price * token.total_supply // ETHER),
            "native_reserve": str(pool.native_reserve),
            "token_reserve": str(pool.token_reserve),
        }
    value = (pool.price * (pool.token_reserve + token.total_staked) // ETHER + pool.native_reserve) if pool else 0
    return PlainCoin(
        address=token.address,
        name=token.name,
        symbol=token.symbol,
        description=token.description,
        image_url=token.image_url,
        is_active=token.is_active,
        creator=PlainCreator(
            wallet=token.creator, id=creator.id if creator else None, name=creator.name if creator else None
        ),
        owner=token.owner,
        created_at=datetime.fromtimestamp(token.created_at, UTC),
        total_supply=str(token.total_supply),
        maximum_supply=str(token.maximum_supply),
        total_staked=str(token.total_staked),
        holder_count=token.holder_count,
        platform_fee_bps=token.platform_fee_bps,
        platform_fee_recipient=token.platform_fee_recipient,
        **market,
        volume_24h=str(volume),
        change_24h_bps=(pool.price - reference) * 10_000 // reference if pool and reference else None,
        volume_total=str(pool.volume_native if pool else 0),
        trade_count=pool.trade_count if pool else 0,
        tvl=str(value),
        liquidity_apy_bps=volume * 30 * 365 // (2 * pool.native_reserve) if pool else None,
        staking_apy_bps=1_000 if token.total_supply < token.maximum_supply else 0,
    )
