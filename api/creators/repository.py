"""SQL of creators and their metrics."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable, Select, bindparam, func, or_, select

from api.creators.schemas import CreatorSort
from api.pagination import LIMIT, Column, Window, after, before
from api.search import contains, equals, search_parameters
from encore.db import ReadSession, Row
from encore.db.models.chain import ContractSetting, CreatorMetrics, Launch, LaunchRequirements, Milestone, Role, Token
from encore.db.models.chain_tokens import BalancedToken
from encore.db.models.creators import Creator
from encore.db.models.oracle import ActivityMetrics

_STREAMS = func.coalesce(ActivityMetrics.monthly_streams, 0)


async def creators(
    session: ReadSession, window: Window, *, sort: CreatorSort, search: str | None, has_coin: bool | None
) -> Sequence[Row]:
    """Return creators by slug, by streams and id descending, or by id descending."""
    statement = _page(sort, has_coin=has_coin, searching=search is not None, continuing=window.continues)
    found = {} if search is None else search_parameters(search)
    return await session.all(statement, {**window.parameters(), **found})


async def creator(session: ReadSession, creator_id: int) -> Row | None:
    """Return one creator."""
    return await session.first(_creator(), {"creator_id": creator_id})


async def off_chain(session: ReadSession, creator_id: int) -> Row | None:
    """Return what the oracle last counted."""
    return await session.first(
        select(*ActivityMetrics.__table__.columns).where(ActivityMetrics.creator_id == creator_id)
    )


async def on_chain(session: ReadSession, wallet: str) -> Row | None:
    """Return what the metrics contract holds."""
    return await session.first(select(*CreatorMetrics.__table__.columns).where(CreatorMetrics.creator == wallet))


async def milestones(session: ReadSession, wallet: str) -> Sequence[Row]:
    """Return the milestones reached, the smallest first."""
    return await session.all(
        select(*Milestone.__table__.columns).where(Milestone.creator == wallet).order_by(Milestone.threshold)
    )


async def requirements(session: ReadSession) -> Row | None:
    """Return what the metrics contract demands before a launch; None before it was indexed."""
    return await session.first(select(*LaunchRequirements.__table__.columns))


async def minimum_seed(session: ReadSession, factory: str) -> int | None:
    """Return the native wei that a launch must bring; None before the factory was indexed."""
    value = await session.scalar(
        select(ContractSetting.value).where(ContractSetting.address == factory, ContractSetting.name == "minimumSeed")
    )
    return None if value is None else int(value)


async def launchers(session: ReadSession, factory: str) -> Sequence[Row]:
    """Return the accounts that may launch for any creator."""
    return await session.all(
        select(Role.account)
        .where(Role.address == factory, Role.role == "launcher", Role.is_granted)
        .order_by(Role.account)
    )


async def allocation(session: ReadSession, coin: str) -> Row | None:
    """Return what was vested and released of a launched coin, and since when."""
    return await session.first(
        select(
            Token.created_at,
            BalancedToken.vested_tokens_claimed,
            BalancedToken.released_supply,
            BalancedToken.last_release_at,
        )
        .join(BalancedToken, BalancedToken.token == Token.address)
        .where(Token.address == coin)
    )


@cache
def _page(sort: CreatorSort, *, has_coin: bool | None, searching: bool, continuing: bool) -> Executable:
    statement = _creators().limit(LIMIT)
    if searching:
        statement = statement.where(or_(contains(Creator.name), equals(Creator.wallet)))
    if has_coin is not None:
        statement = statement.where(Launch.token.is_not(None) if has_coin else Launch.token.is_(None))
    if sort is CreatorSort.NAME:
        statement = statement.order_by(Creator.slug)
        return statement.where(after(Creator.slug)) if continuing else statement
    order: tuple[Column, ...] = (Creator.id,) if sort is CreatorSort.CREATED else (_STREAMS, Creator.id)
    statement = statement.order_by(*(column.desc() for column in order))
    return statement.where(before(*order)) if continuing else statement


@cache
def _creator() -> Executable:
    return _creators().where(Creator.id == bindparam("creator_id"))


def _creators() -> Select[Any]:
    return (
        select(
            *Creator.__table__.columns,
            Launch.token,
            ActivityMetrics.monthly_streams,
            ActivityMetrics.followers,
            _STREAMS.label("streams_key"),
        )
        .outerjoin(Launch, Launch.creator == Creator.wallet)
        .outerjoin(ActivityMetrics, ActivityMetrics.creator_id == Creator.id)
    )
