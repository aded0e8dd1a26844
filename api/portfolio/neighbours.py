"""SQL of recommendations: who holds the same coins, what else they bought and kept, and what many bought lately.

Whatever the number of holders and trades, a request reads a bounded part of them, by indexes.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import BigInteger, Executable, String, bindparam, func, literal, or_, select, union_all

from encore.db import ReadSession, Row
from encore.db.models.chain import Balance, Stake, Token, Trade
from encore.db.types import Texts, Uint256, among

COINS: Final = 8
"""Of how many of a wallet's coins the holders are looked at."""
HOLDERS_PER_COIN: Final = 64
"""How many of a coin's holders, the largest first, stand for all of them."""
TRADES_OF_A_PERSON: Final = 200
"""An account that traded more often is a machine or a custodian: its coins tell nothing of anybody's taste."""
LATEST_TRADES: Final = 5_000
"""How many of the exchange's trades popularity is counted from, the newest."""

_WALLET: Final = bindparam("wallet", type_=String())
_NOTHING: Final = literal(0, Uint256())


async def holders(session: ReadSession, wallet: str, exchange: str, coins: Sequence[str]) -> Sequence[Row]:
    """Return the largest holders of at most `COINS` coins but for the wallet itself, pools, stakes and machines."""
    named = dict.fromkeys((f"coin_{place}" for place in range(COINS)), "")
    named |= {f"coin_{place}": coin for place, coin in enumerate(coins)}
    return await session.all(_holders(), {"wallet": wallet, "exchange": exchange, **named})


async def kept(session: ReadSession, wallet: str, accounts: Sequence[str]) -> Sequence[Row]:
    """Return what each account bought and still holds or stakes, as far as it is active and not the wallet's own coin.

    What was only sent to it does not count: coins that are given to everybody would be recommended to everybody.
    """
    return await session.all(_kept(), {"wallet": wallet, "accounts": accounts})


async def bought(session: ReadSession, since: int) -> Sequence[Row]:
    """Return each active coin that was bought after `since` (unix seconds), and by how many accounts."""
    return await session.all(_bought(), {"since": since})


@cache
def _holders() -> Executable:
    largest = (
        select(Balance.token, Balance.holder)
        .where(Balance.token == bindparam(f"coin_{place}", type_=String()))
        .order_by(Balance.amount.desc(), Balance.holder.desc())
        .limit(HOLDERS_PER_COIN)
        .subquery()
        for place in range(COINS)
    )
    found = union_all(*(select(each) for each in largest)).subquery()
    one_too_many = select(Trade.token).where(Trade.trader == found.c.holder).offset(TRADES_OF_A_PERSON).limit(1)
    return select(found).where(
        found.c.holder.not_in((_WALLET, bindparam("exchange", type_=String()), found.c.token)), ~one_too_many.exists()
    )


@cache
def _kept() -> Executable:
    purchases = (
        select(Trade.trader, Trade.token)
        .where(among(Trade.trader, bindparam("accounts", type_=Texts())), Trade.side == "buy")
        .distinct()
        .subquery()
    )
    # Scalar subqueries are looked up pair by pair; for a join PostgreSQL may read all balances.
    held = select(Balance.amount).where(Balance.token == purchases.c.token, Balance.holder == purchases.c.trader)
    staked = select(Stake.amount).where(Stake.token == purchases.c.token, Stake.account == purchases.c.trader)
    return (
        select(purchases.c.trader.label("holder"), Token.address, Token.holder_count)
        .join(Token, Token.address == purchases.c.token)
        .where(
            or_(held.scalar_subquery() > _NOTHING, staked.scalar_subquery() > _NOTHING),
            Token.is_active,
            Token.creator != _WALLET,
        )
    )


@cache
def _bought() -> Executable:
    latest = (
        select(Trade.token, Trade.trader, Trade.side, Trade.timestamp)
        .order_by(Trade.block_number.desc(), Trade.log_index.desc())
        .limit(LATEST_TRADES)
        .subquery()
    )
    return (
        select(Token.address, Token.creator, func.count(latest.c.trader.distinct()).label("buyers"))
        .join(latest, latest.c.token == Token.address)
        .where(latest.c.side == "buy", latest.c.timestamp > bindparam("since", type_=BigInteger()), Token.is_active)
        .group_by(Token.address, Token.creator)
    )
