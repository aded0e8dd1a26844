"""SQL of a wallet's portfolio: one statement for each kind of position."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, literal, select

from encore.db import ReadSession
from encore.db.models.chain import Balance, LiquidityPosition, Pool, Stake, Token
from encore.db.models.chain_tokens import BalancedToken
from encore.db.types import Uint256

_LABEL = (Token.address, Token.name, Token.symbol, Pool.price)


async def holdings(session: ReadSession, wallet: str) -> Sequence[Row[Any]]:
    """Return the wallet's balances above zero."""
    return await session.all(
        select(*_LABEL, Balance.amount)
        .join(Token, Token.address == Balance.token)
        .outerjoin(Pool, Pool.token == Balance.token)
        .where(Balance.holder == wallet, Balance.amount > literal(0, Uint256()))
    )


async def stakes(session: ReadSession, wallet: str) -> Sequence[Row[Any]]:
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


async def liquidity(session: ReadSession, wallet: str) -> Sequence[Row[Any]]:
    """Return the wallet's shares of pools."""
    return await session.all(
        select(*_LABEL, Pool.native_reserve, Pool.token_reserve, Pool.total_shares, LiquidityPosition.shares)
        .join(Token, Token.address == LiquidityPosition.token)
        .join(Pool, Pool.token == LiquidityPosition.token)
        .where(LiquidityPosition.provider == wallet, LiquidityPosition.shares > literal(0, Uint256()))
    )


async def prices(session: ReadSession, coins: Sequence[str]) -> Sequence[Row[Any]]:
    """Return label and price of coins, with the reserves and shares of their pools."""
    return await session.all(
        select(*_LABEL, Pool.native_reserve, Pool.token_reserve, Pool.total_shares)
        .outerjoin(Pool, Pool.token == Token.address)
        .where(Token.address.in_(coins))
    )
