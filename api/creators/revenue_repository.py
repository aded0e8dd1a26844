"""SQL of a creator's revenue: what was earned, what was distributed, and who would share the next distribution."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Executable, String, bindparam, literal, select, union_all

from api.pagination import LIMIT, Window, before
from encore.db import ReadSession, Row
from encore.db.models.chain import Balance, ContractSetting, Stake, Token
from encore.db.models.chain_tokens import CreatorRevenue, RevenueDistribution
from encore.db.models.revenue import Revenue
from encore.db.types import Texts, Uint256, among, wei_sum

_TOKEN: Final = bindparam("token", type_=String())


async def earned(session: ReadSession, creator_id: int, *, since: datetime | None, until: datetime) -> int:
    """Return the native wei earned off-chain from `since` (the beginning: None) to before `until`."""
    statement = select(wei_sum(Revenue.amount_wei)).where(Revenue.creator_id == creator_id, Revenue.earned_at < until)
    if since is not None:
        statement = statement.where(Revenue.earned_at >= since)
    return int(await session.scalar(statement))


async def totals(session: ReadSession, wallet: str, factory: str) -> Row | None:
    """Return what was distributed so far, what the creator may withdraw, and the holders' share in bps as text."""
    of_creator = RevenueDistribution.creator == wallet
    due = select(CreatorRevenue.amount).where(CreatorRevenue.creator == wallet).scalar_subquery()
    share = select(ContractSetting.value).where(
        ContractSetting.address == factory, ContractSetting.name == "holdersShare"
    )
    return await session.first(
        select(
            wei_sum(RevenueDistribution.amount).label("distributed"),
            wei_sum(RevenueDistribution.holders_share).label("holders_share"),
            wei_sum(RevenueDistribution.creator_share).label("creator_share"),
            due.label("withdrawable"),
            share.scalar_subquery().label("holders_share_bps"),
        ).where(of_creator)
    )


async def distributions(session: ReadSession, window: Window, wallet: str) -> Sequence[Row]:
    """Return distributions by block number and log index, both descending."""
    return await session.all(_distributions(continuing=window.continues), {"wallet": wallet, **window.parameters()})


async def supply(session: ReadSession, token: str) -> Row | None:
    """Return a coin's supply, what is staked of it, and what its own contract holds (NULL for nothing)."""
    own = select(Balance.amount).where(Balance.token == _TOKEN, Balance.holder == _TOKEN).scalar_subquery()
    statement = select(Token.total_supply, Token.total_staked, own.label("own_balance"))
    return await session.first(statement.where(Token.address == _TOKEN), {"token": token})


async def balance(session: ReadSession, token: str, holder: str) -> int:
    """Return what an account holds of a coin, staked or not, in token wei."""
    row = await session.first(_units(continuing=False, of_one=True), {"token": token, "holder": holder, "limit": 1})
    return 0 if row is None else int(row.units)


async def holders(session: ReadSession, window: Window, token: str, exempt: Sequence[str]) -> Sequence[Row]:
    """Return accounts with what they hold and staked, the most first; without the `exempt` ones."""
    statement = _units(continuing=window.continues, of_one=False)
    return await session.all(statement, {"token": token, "exempt": list(exempt), **window.parameters()})


@cache
def _distributions(*, continuing: bool) -> Executable:
    order = (RevenueDistribution.block_number, RevenueDistribution.log_index)
    statement = (
        select(*RevenueDistribution.__table__.columns)
        .where(RevenueDistribution.creator == bindparam("wallet"))
        .order_by(*(column.desc() for column in order))
        .limit(LIMIT)
    )
    return statement.where(before(*order)) if continuing else statement


@cache
def _units(*, continuing: bool, of_one: bool) -> Executable:
    held = select(Balance.holder.label("account"), Balance.amount).where(Balance.token == _TOKEN)
    staked = select(Stake.account, Stake.amount).where(Stake.token == _TOKEN, Stake.amount > literal(0, Uint256()))
    every = union_all(held, staked).subquery()
    grouped = select(every.c.account, wei_sum(every.c.amount).label("units")).group_by(every.c.account)
    if of_one:
        return grouped.where(every.c.account == bindparam("holder"))
    grouped = grouped.where(~among(every.c.account, bindparam("exempt", type_=Texts())))
    ranked = grouped.subquery()
    order = (ranked.c.units, ranked.c.account)
    statement = select(ranked).order_by(*(column.desc() for column in order)).limit(LIMIT)
    return statement.where(before(*order)) if continuing else statement
