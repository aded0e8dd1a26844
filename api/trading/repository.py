"""SQL of trading: a pool with what guards it, the exchange's limits, and an account in a pool."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Executable, String, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from encore.db import ReadSession, Row
from encore.db.models.chain import Balance, ContractSetting, Pool, Token
from encore.db.models.chain_exchange import PoolGuard, TradingCooldown, TradingExemption, TradingFlow

SAFEGUARDS_PREFIX: Final = "safeguards."

_TOKEN: Final = bindparam("token", type_=String())
_ACCOUNT: Final = bindparam("account", type_=String())


async def market(session: ReadSession, token: str) -> Row | None:
    """Return a coin's fee, supply, reserves and guard; reserves and guard are NULL without a pool."""
    return await session.first(_market(), {"token": token})


async def safeguards(session: ReadSession, exchange: str) -> Sequence[Row]:
    """Return the names and values of the exchange's safeguards."""
    return await session.all(_safeguards(), {"exchange": exchange})


async def account(session: ReadSession, token: str, address: str) -> Row | None:
    """Return an account's trading in a pool and its balance: NULL where it has none."""
    return await session.first(_account(), {"token": token, "account": address})


@cache
def _market() -> Executable:
    return (
        select(
            Token.total_supply,
            Token.platform_fee_bps,
            Pool.native_reserve,
            Pool.token_reserve,
            Pool.total_shares,
            PoolGuard.is_paused,
            PoolGuard.breaker_until,
            PoolGuard.trip_count,
            PoolGuard.reference_reserve,
            PoolGuard.start_price,
            PoolGuard.changed_at,
        )
        .outerjoin(Pool, Pool.token == Token.address)
        .outerjoin(PoolGuard, PoolGuard.token == Token.address)
        .where(Token.address == _TOKEN)
    )


@cache
def _safeguards() -> Executable:
    return select(ContractSetting.name, ContractSetting.value).where(
        ContractSetting.address == bindparam("exchange"), ContractSetting.name.startswith(SAFEGUARDS_PREFIX)
    )


@cache
def _account() -> Executable:
    def one(column: InstrumentedAttribute[int], *where: ColumnElement[bool]) -> ColumnElement[int]:
        return select(column).where(*where).scalar_subquery().label(column.key)

    of_flow = (TradingFlow.token == _TOKEN, TradingFlow.account == _ACCOUNT)
    return select(
        one(TradingFlow.day_started_at, *of_flow),
        one(TradingFlow.native_in, *of_flow),
        one(TradingFlow.native_out, *of_flow),
        one(TradingCooldown.until, TradingCooldown.token == _TOKEN, TradingCooldown.account == _ACCOUNT).label(
            "cooldown_until"
        ),
        one(TradingExemption.until, TradingExemption.token == _TOKEN, TradingExemption.account == _ACCOUNT).label(
            "exempt_until"
        ),
        one(Balance.amount, Balance.token == _TOKEN, Balance.holder == _ACCOUNT).label("balance"),
    )
