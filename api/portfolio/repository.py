"""SQL of a wallet's portfolio: one statement for each kind of position."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Executable, String, and_, bindparam, literal, select, union
from sqlalchemy.orm import aliased

from encore.db import ReadSession, Row
from encore.db.models.chain import Balance, LiquidityPosition, Pool, Stake, Token
from encore.db.models.chain_tokens import BalancedToken, RevenueClaim, RevenuePosition
from encore.db.types import Texts, Uint256, among, wei_sum

_LABEL = (Token.address, Token.name, Token.symbol, Pool.price)


async def holdings(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the wallet's balances above zero."""
    return await session.all(_holdings(), {"wallet": wallet})


async def stakes(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the wallet's open stakes."""
    return await session.all(_stakes(), {"wallet": wallet})


async def liquidity(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the wallet's shares of pools."""
    return await session.all(_liquidity(), {"wallet": wallet})


async def revenue(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the books of each coin that shares revenue with the wallet, what it has, and what it claimed so far."""
    return await session.all(_revenue(), {"wallet": wallet})


async def prices(session: ReadSession, coins: Sequence[str]) -> Sequence[Row]:
    """Return label and price of coins, with the reserves and shares of their pools."""
    return await session.all(_prices(), {"coins": coins})


# Statements are built, and so compiled, once.

_WALLET: Final = bindparam("wallet", type_=String())


@cache
def _holdings() -> Executable:
    return (
        select(*_LABEL, Balance.amount)
        .join(Token, Token.address == Balance.token)
        .outerjoin(Pool, Pool.token == Balance.token)
        .where(Balance.holder == _WALLET, Balance.amount > literal(0, Uint256()))
    )


@cache
def _stakes() -> Executable:
    return (
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
        .where(Stake.account == _WALLET, Stake.amount > literal(0, Uint256()))
    )


@cache
def _liquidity() -> Executable:
    return (
        select(*_LABEL, Pool.native_reserve, Pool.token_reserve, Pool.total_shares, LiquidityPosition.shares)
        .join(Token, Token.address == LiquidityPosition.token)
        .join(Pool, Pool.token == LiquidityPosition.token)
        .where(LiquidityPosition.provider == _WALLET, LiquidityPosition.shares > literal(0, Uint256()))
    )


@cache
def _revenue() -> Executable:
    own, exchange = aliased(Balance), aliased(Balance)
    exchange_stake = aliased(Stake)
    claimed = (
        select(RevenueClaim.token, wei_sum(RevenueClaim.amount).label("amount"))
        .where(RevenueClaim.account == _WALLET)
        .group_by(RevenueClaim.token)
        .subquery()
    )
    shared = union(
        select(Balance.token).where(Balance.holder == _WALLET),
        select(Stake.token).where(Stake.account == _WALLET),
        select(RevenuePosition.token).where(RevenuePosition.account == _WALLET),
    ).subquery()
    return (
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
        .outerjoin(Balance, _of(Balance))
        .outerjoin(Stake, _of(Stake))
        .outerjoin(RevenuePosition, _of(RevenuePosition))
        .outerjoin(own, and_(own.token == BalancedToken.token, own.holder == BalancedToken.token))
        .outerjoin(exchange, and_(exchange.token == BalancedToken.token, exchange.holder == BalancedToken.exchange))
        .outerjoin(
            exchange_stake,
            and_(exchange_stake.token == BalancedToken.token, exchange_stake.account == BalancedToken.exchange),
        )
        .outerjoin(claimed, claimed.c.token == BalancedToken.token)
        .where(BalancedToken.token != _WALLET, BalancedToken.exchange != _WALLET)  # they are exempt
    )


@cache
def _prices() -> Executable:
    return (
        select(*_LABEL, Pool.native_reserve, Pool.token_reserve, Pool.total_shares)
        .outerjoin(Pool, Pool.token == Token.address)
        .where(among(Token.address, bindparam("coins", type_=Texts())))
    )


def _of(model: type[Balance | Stake | RevenuePosition]) -> ColumnElement[bool]:
    """The wallet's row of a coin."""
    account = model.holder if issubclass(model, Balance) else model.account
    return and_(model.token == BalancedToken.token, account == _WALLET)
