"""SQL of a wallet's portfolio: one statement for each kind of position."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, literal, select, union
from sqlalchemy.orm import aliased

from encore.db import ReadSession, Row
from encore.db.models.chain import Balance, LiquidityPosition, Pool, Stake, Token
from encore.db.models.chain_tokens import BalancedToken, RevenueClaim, RevenuePosition
from encore.db.types import Uint256, wei_sum

_LABEL = (Token.address, Token.name, Token.symbol, Pool.price)


async def holdings(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the wallet's balances above zero."""
    return await session.all(
        select(*_LABEL, Balance.amount)
        .join(Token, Token.address == Balance.token)
        .outerjoin(Pool, Pool.token == Balance.token)
        .where(Balance.holder == wallet, Balance.amount > literal(0, Uint256()))
    )


async def stakes(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the wallet's open stakes."""
    return await session.all(
        select(
            *_LABEL,
            Token.total_supply,
            Token.maximum_supply,
            BalancedToken.released_supply,
            BalancedToken.vested_tokens_claimed,
            Stake.amount,
            Stake.staked_at,
            Stake.unlocks_at,
            Stake.last_claimed_at,
            Stake.total_rewards,
        )
        .join(Token, Token.address == Stake.token)
        .outerjoin(BalancedToken, BalancedToken.token == Stake.token)
        .outerjoin(Pool, Pool.token == Stake.token)
        .where(Stake.account == wallet, Stake.amount > literal(0, Uint256()))
    )


async def liquidity(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the wallet's shares of pools."""
    return await session.all(
        select(*_LABEL, Pool.native_reserve, Pool.token_reserve, Pool.total_shares, LiquidityPosition.shares)
        .join(Token, Token.address == LiquidityPosition.token)
        .join(Pool, Pool.token == LiquidityPosition.token)
        .where(LiquidityPosition.provider == wallet, LiquidityPosition.shares > literal(0, Uint256()))
    )


async def revenue(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the books of each coin that shares revenue with the wallet, what it has, and what it claimed so far."""
    own, exchange = aliased(Balance), aliased(Balance)
    exchange_stake = aliased(Stake)
    claimed = (
        select(RevenueClaim.token, wei_sum(RevenueClaim.amount).label("amount"))
        .where(RevenueClaim.account == wallet)
        .group_by(RevenueClaim.token)
        .subquery()
    )
    shared = union(
        select(Balance.token).where(Balance.holder == wallet),
        select(Stake.token).where(Stake.account == wallet),
        select(RevenuePosition.token).where(RevenuePosition.account == wallet),
    ).subquery()
    return await session.all(
        select(
            *_LABEL,
            Token.total_supply,
            Token.total_staked,
            BalancedToken.cumulative_revenue,
            BalancedToken.undivided_revenue,
            BalancedToken.undivided_since,
            BalancedToken.revenue_remainder,
            Balance.amount.label("balance"),
            Stake.amount.label("staked"),
            RevenuePosition.settled_revenue,
            RevenuePosition.settled_cumulative,
            own.amount.label("own_balance"),
            exchange.amount.label("exchange_balance"),
            exchange_stake.amount.label("exchange_staked"),
            claimed.c.amount.label("claimed"),
        )
        .join(shared, shared.c.token == BalancedToken.token)
        .join(Token, Token.address == BalancedToken.token)
        .outerjoin(Pool, Pool.token == BalancedToken.token)
        .outerjoin(Balance, _of(Balance, wallet))
        .outerjoin(Stake, _of(Stake, wallet))
        .outerjoin(RevenuePosition, _of(RevenuePosition, wallet))
        .outerjoin(own, and_(own.token == BalancedToken.token, own.holder == BalancedToken.token))
        .outerjoin(exchange, and_(exchange.token == BalancedToken.token, exchange.holder == BalancedToken.exchange))
        .outerjoin(
            exchange_stake,
            and_(exchange_stake.token == BalancedToken.token, exchange_stake.account == BalancedToken.exchange),
        )
        .outerjoin(claimed, claimed.c.token == BalancedToken.token)
        .where(BalancedToken.token != wallet, BalancedToken.exchange != wallet)  # they are exempt
    )


def _of(model: type[Balance | Stake | RevenuePosition], wallet: str) -> ColumnElement[bool]:
    """The wallet's row of a coin."""
    account = model.holder if issubclass(model, Balance) else model.account
    return and_(model.token == BalancedToken.token, account == wallet)


async def prices(session: ReadSession, coins: Sequence[str]) -> Sequence[Row]:
    """Return label and price of coins, with the reserves and shares of their pools."""
    return await session.all(
        select(*_LABEL, Pool.native_reserve, Pool.token_reserve, Pool.total_shares)
        .outerjoin(Pool, Pool.token == Token.address)
        .where(Token.address.in_(coins))
    )
