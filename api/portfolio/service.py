"""Rules of a portfolio: what positions are worth at spot prices, what stakes have earned, cost and profit."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

from api.mirror.service import MirrorView
from api.pagination import AddressKey, Keyset, PageRequest, Uint256Key
from api.portfolio import activity, moves, repository, schemas
from api.portfolio.cost_basis import Ledger
from api.portfolio.rewards import mintable_rewards, pending_rewards
from api.problems import ProblemError
from api.wire import utc
from encore.chain.amm import value_at
from encore.chain.dividends import Books, pending_revenue
from encore.db import Row

LONGEST_HISTORY: Final = 10_000
"""Entries of a wallet's history that cost and profit are computed from while a request waits."""


class Valued(Protocol):
    """A position in one coin."""

    @property
    def coin(self) -> schemas.CoinLabel:
        """Which coin."""

    @property
    def value(self) -> int:
        """What it is worth in native wei, and lists are in order of."""


Position = TypeVar("Position", bound=Valued)


class HistoryTooLongError(ProblemError):
    """The wallet did too much for its profit to be computed while a request waits: it is a contract or a machine."""

    status = 422
    slug = "history-too-long"
    title = "The wallet's history is too long"


async def get_portfolio(view: MirrorView, wallet: str) -> schemas.Portfolio:
    """Return what a wallet has in all; zeros for one that has nothing."""
    holdings, stakes, revenue, liquidity = (
        await holdings_of(view, wallet),
        await stakes_of(view, wallet),
        await revenue_of(view, wallet),
        await liquidity_of(view, wallet),
    )
    parts = {
        "holdings": sum(position.value for position in holdings),
        "stakes": sum(position.value for position in stakes),
        "pending_rewards": sum(position.pending_rewards_value for position in stakes),
        "pending_revenue": sum(share.pending for share in revenue),
        "liquidity": sum(position.value for position in liquidity),
    }
    try:
        profit = _sum_of(await profits_of(view, wallet))
    except HistoryTooLongError:
        profit = None
    return schemas.Portfolio(
        wallet=wallet,
        holding_count=len(holdings),
        stake_count=len(stakes),
        liquidity_count=len(liquidity),
        totals=schemas.Totals(**parts, total=sum(parts.values())),
        profit=profit,
        indexed_block=view.tip.wire(),
    )


async def holdings_of(view: MirrorView, wallet: str) -> list[schemas.Holding]:
    """Return the coins in the wallet."""
    return [_holding(row) for row in await repository.holdings(view.session, wallet)]


async def stakes_of(view: MirrorView, wallet: str) -> list[schemas.StakingPosition]:
    """Return the wallet's open stakes."""
    return [_stake(row, view.tip.timestamp) for row in await repository.stakes(view.session, wallet)]


async def revenue_of(view: MirrorView, wallet: str) -> list[schemas.RevenueDue]:
    """Return the wallet's shares of revenue, pending or claimed."""
    due = [_revenue(row, view.tip.timestamp) for row in await repository.revenue(view.session, wallet)]
    return [share for share in due if share.pending or share.claimed]


async def liquidity_of(view: MirrorView, wallet: str) -> list[schemas.LiquidityPosition]:
    """Return the wallet's shares of pools."""
    return [_liquidity(row) for row in await repository.liquidity(view.session, wallet)]


async def profits_of(view: MirrorView, wallet: str) -> list[schemas.CoinProfit]:
    """Return cost and gain in every coin that the wallet ever had; raises `HistoryTooLongError`."""
    rows = await activity.every(view.session, wallet, LONGEST_HISTORY + 1)
    if len(rows) > LONGEST_HISTORY:
        raise HistoryTooLongError(f"{wallet} has a history of more than {LONGEST_HISTORY} entries")
    ledgers = moves.ledgers(rows)
    return [_profit(row, ledgers[row.address]) for row in await repository.prices(view.session, sorted(ledgers))]


def cut(
    positions: Sequence[Position], page: PageRequest, keyset: Keyset, coin: str | None
) -> tuple[Sequence[Position], str | None]:
    """Return the page of `positions` that was asked for, the most valuable first, and the next one's cursor.

    `coin` (lower case) leaves those in that coin alone.
    """
    window = keyset.window(page)
    wanted = (each for each in positions if coin is None or each.coin.address.lower() == coin)
    ordered = sorted(wanted, key=_greatest_first)
    if window.key is not None:
        value, last_coin = window.key
        ordered = [each for each in ordered if _greatest_first(each) > (-value, last_coin)]
    if len(ordered) <= page.limit:
        return ordered, None
    last = ordered[page.limit - 1]
    return ordered[: page.limit], keyset.encode([last.value, last.coin.address.lower()])


def by_value(name: str) -> Keyset:
    """Return the cursors of a list of positions."""
    return Keyset(name, Uint256Key, AddressKey)


HOLDINGS: Final = by_value("holdings")
STAKES: Final = by_value("stakes")
REVENUE: Final = by_value("revenue")
LIQUIDITY: Final = by_value("liquidity")
PROFITS: Final = by_value("profits")


def _sum_of(profits: Sequence[schemas.Profit]) -> schemas.Profit:
    return schemas.Profit(
        cost_basis=sum(profit.cost_basis for profit in profits),
        value=sum(profit.value for profit in profits),
        realised=sum(profit.realised for profit in profits),
        unrealised=sum(profit.unrealised for profit in profits),
    )


def _profit(row: Row, ledger: Ledger) -> schemas.CoinProfit:
    value = value_at(row.price or 0, ledger.coins.amount)
    if ledger.shares.amount:
        native, tokens = _share_of(row, ledger.shares.amount)
        value += native + value_at(row.price, tokens)
    cost = ledger.coins.cost + ledger.shares.cost
    return schemas.CoinProfit(
        coin=_label(row),
        amount=ledger.coins.amount,
        shares=ledger.shares.amount,
        cost_basis=cost,
        value=value,
        realised=ledger.realised,
        unrealised=value - cost,
    )


def _holding(row: Row) -> schemas.Holding:
    return schemas.Holding(
        coin=_label(row), amount=row.amount, price=row.price, value=value_at(row.price or 0, row.amount)
    )


def _minted_of_reserved(row: Row) -> int | None:
    is_launched = row.released_supply is not None
    return row.released_supply + row.vested_tokens_claimed if is_launched else None


def _stake(row: Row, now: int) -> schemas.StakingPosition:
    price = row.price or 0
    rewards = pending_rewards(
        row.amount,
        row.last_claimed_at,
        now,
        mintable=mintable_rewards(row.total_supply, row.maximum_supply, _minted_of_reserved(row)),
    )
    return schemas.StakingPosition(
        coin=_label(row),
        amount=row.amount,
        value=value_at(price, row.amount),
        pending_rewards=rewards,
        pending_rewards_value=value_at(price, rewards),
        claimed_rewards=row.total_rewards,
        staked_at=utc(row.staked_at),
        last_claimed_at=utc(row.last_claimed_at),
        unlocks_at=utc(row.unlocks_at),
    )


def _revenue(row: Row, now: int) -> schemas.RevenueDue:
    exempt = (row.own_balance or 0) - row.total_staked + (row.exchange_balance or 0) + (row.exchange_staked or 0)
    books = Books(row.cumulative_revenue, row.undivided_revenue, row.undivided_since, row.revenue_remainder)
    pending = pending_revenue(
        (row.balance or 0) + (row.staked or 0),
        row.settled_revenue or 0,
        row.settled_cumulative or 0,
        books.cumulative_at(now, row.total_supply - exempt),
    )
    return schemas.RevenueDue(coin=_label(row), pending=pending, claimed=row.claimed or 0)


def _liquidity(row: Row) -> schemas.LiquidityPosition:
    native, tokens = _share_of(row, row.shares)
    return schemas.LiquidityPosition(
        coin=_label(row),
        shares=row.shares,
        native_amount=native,
        token_amount=tokens,
        value=native + value_at(row.price, tokens),
    )


def _label(row: Row) -> schemas.CoinLabel:
    return schemas.CoinLabel(address=row.address, name=row.name, symbol=row.symbol)


def _share_of(row: Row, shares: int) -> tuple[int, int]:
    """What shares of a pool would return, in native wei and coin wei."""
    return shares * row.native_reserve // row.total_shares, shares * row.token_reserve // row.total_shares


def _greatest_first(position: Valued) -> tuple[int, str]:
    return -position.value, position.coin.address.lower()
