"""Rules of a portfolio: what positions are worth at spot prices, and what stakes have earned."""

from typing import Any

from sqlalchemy import Row

from api.mirror.service import MirrorView
from api.portfolio import repository, schemas
from api.portfolio.rewards import mintable_rewards, pending_rewards
from api.wire import utc
from encore.chain.amm import value_at


async def get_portfolio(view: MirrorView, wallet: str) -> schemas.Portfolio:
    """Return everything a wallet has; empty for one that has nothing."""
    holdings = [_holding(row) for row in await repository.holdings(view.session, wallet)]
    stakes = [_stake(row, view.tip.timestamp) for row in await repository.stakes(view.session, wallet)]
    liquidity = [_liquidity(row) for row in await repository.liquidity(view.session, wallet)]
    parts = {
        "holdings": sum(position.value for position in holdings),
        "stakes": sum(position.value for position in stakes),
        "pending_rewards": sum(position.pending_rewards_value for position in stakes),
        "liquidity": sum(position.value for position in liquidity),
    }
    return schemas.Portfolio(
        wallet=wallet,
        holdings=sorted(holdings, key=_greatest_first),
        stakes=sorted(stakes, key=_greatest_first),
        liquidity=sorted(liquidity, key=_greatest_first),
        totals=schemas.Totals(**parts, total=sum(parts.values())),
        indexed_block=view.tip.wire(),
    )


def _holding(row: Row[Any]) -> schemas.Holding:
    return schemas.Holding(
        coin=_label(row), amount=row.amount, price=row.price, value=value_at(row.price or 0, row.amount)
    )


def _minted_of_reserved(row: Row[Any]) -> int | None:
    is_launched = row.released_supply is not None
    return row.released_supply + row.vested_tokens_claimed if is_launched else None


def _stake(row: Row[Any], now: int) -> schemas.StakingPosition:
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


def _liquidity(row: Row[Any]) -> schemas.LiquidityPosition:
    native = row.shares * row.native_reserve // row.total_shares
    tokens = row.shares * row.token_reserve // row.total_shares
    return schemas.LiquidityPosition(
        coin=_label(row),
        shares=row.shares,
        native_amount=native,
        token_amount=tokens,
        value=native + value_at(row.price, tokens),
    )


def _label(row: Row[Any]) -> schemas.CoinLabel:
    return schemas.CoinLabel(address=row.address, name=row.name, symbol=row.symbol)


def _greatest_first(
    position: schemas.Holding | schemas.StakingPosition | schemas.LiquidityPosition,
) -> tuple[int, str]:
    return -position.value, position.coin.address
