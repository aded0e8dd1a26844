"""Rules of a creator's revenue: the next distribution, what each holder gets of it, and those that were."""

from datetime import datetime
from typing import Final

from api.creators import revenue_repository as repository
from api.creators import schemas
from api.creators.service import found
from api.mirror.service import MirrorView
from api.pagination import AddressKey, IntegerKey, Keyset, PageRequest, Uint256Key
from api.problems import ProblemError
from api.wire import utc
from encore.chain.amm import BASIS_POINTS
from encore.chain.dividends import SCALE_BITS

_DISTRIBUTIONS: Final = Keyset("distributions", IntegerKey, IntegerKey)
_SHARES: Final = Keyset("revenue-shares", Uint256Key, AddressKey)


class NoCoinError(ProblemError):
    """The creator has launched no coin, so there are no holders to share with."""

    status = 409
    slug = "no-coin"
    title = "The creator has no coin"


async def get_revenue(view: MirrorView, factory: str, creator_id: int) -> schemas.CreatorRevenue:
    """Return what was earned and shared, and what the next distribution will share as things stand."""
    creator = await found(view.session, creator_id)
    now = utc(view.tip.timestamp)
    month, due_at = month_of(now), next_month(now)
    earned_before = await repository.earned(view.session, creator_id, since=None, until=month)
    earned_now = await repository.earned(view.session, creator_id, since=month, until=due_at)
    totals = await repository.totals(view.session, creator.wallet or "", factory)
    share_bps = int(totals.holders_share_bps or 0) if totals is not None else 0
    distributed = totals.distributed if totals is not None else 0
    outstanding = max(earned_before - distributed, 0)
    elapsed, whole = (now - month).total_seconds(), (due_at - month).total_seconds()
    forecast = outstanding + (earned_now * int(whole) // int(elapsed) if elapsed else earned_now)
    return schemas.CreatorRevenue(
        creator_id=creator_id,
        coin=creator.token,
        holders_share_bps=share_bps,
        earned_total=earned_before + earned_now,
        distributed_total=distributed,
        holders_total=totals.holders_share if totals is not None else 0,
        creator_total=totals.creator_share if totals is not None else 0,
        withdrawable=(totals.withdrawable or 0) if totals is not None else 0,
        next_distribution=schemas.NextDistribution(
            due_at=due_at,
            outstanding=outstanding,
            earned_this_month=earned_now,
            forecast=forecast,
            forecast_holders=forecast * share_bps // BASIS_POINTS,
        ),
        indexed_block=view.tip.wire(),
    )


async def list_distributions(view: MirrorView, page: PageRequest, creator_id: int) -> schemas.DistributionPage:
    """Return a page of the distributions that were, the newest first."""
    window = _DISTRIBUTIONS.window(page)
    creator = await found(view.session, creator_id)
    rows = await repository.distributions(view.session, window, creator.wallet or "")
    rows, next_cursor = _DISTRIBUTIONS.cut(rows, page.limit, "block_number", "log_index")
    return schemas.DistributionPage(
        items=[
            schemas.Distribution(
                coin=row.token,
                distributor=row.distributor,
                amount=row.amount,
                holders_share=row.holders_share,
                creator_share=row.creator_share,
                block_number=row.block_number,
                log_index=row.log_index,
                transaction_hash=row.transaction_hash,
                timestamp=utc(row.timestamp),
            )
            for row in rows
        ],
        next_cursor=next_cursor,
        indexed_block=view.tip.wire(),
    )


async def preview(
    view: MirrorView, page: PageRequest, creator_id: int, *, exchange: str, amount: int
) -> schemas.RevenueSharePage:
    """Return what each holder would get of `amount` native wei for holders, by the coin's own arithmetic."""
    window = _SHARES.window(page)
    creator = await found(view.session, creator_id)
    supply = await repository.supply(view.session, creator.token) if creator.token else None
    if supply is None:
        raise NoCoinError(f"creator {creator_id} has launched no coin yet")
    unstaked_in_token = (supply.own_balance or 0) - supply.total_staked
    in_pools = await repository.balance(view.session, creator.token, exchange)
    eligible = supply.total_supply - unstaked_in_token - in_pools
    growth = (amount << SCALE_BITS) // eligible if eligible else 0
    rows = await repository.holders(view.session, window, creator.token, (exchange, creator.token))
    rows, next_cursor = _SHARES.cut(rows, page.limit, "units", "account")
    return schemas.RevenueSharePage(
        items=[
            schemas.RevenueShare(
                account=row.account,
                units=row.units,
                share_bps=row.units * BASIS_POINTS // eligible,
                amount=row.units * growth >> SCALE_BITS,
            )
            for row in rows
        ],
        next_cursor=next_cursor,
        indexed_block=view.tip.wire(),
    )


def month_of(moment: datetime) -> datetime:
    """Return when the month of `moment` began (UTC)."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(moment: datetime) -> datetime:
    """Return when the month after that of `moment` begins (UTC)."""
    first = month_of(moment)
    year, month = divmod(first.year * 12 + first.month, 12)
    return first.replace(year=year, month=month + 1)
