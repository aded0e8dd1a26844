"""Rules of the safeguards: what limits a pool and an account in it at the indexed block."""

from dataclasses import dataclass

from api.coins.service import coin_not_found
from api.mirror.service import MirrorView
from api.problems import ProblemError, UnavailableError
from api.trading import repository, schemas
from api.wire import utc
from encore.chain.amm import Reserves
from encore.chain.safeguards import DAY_SECONDS, AccountState, Guard, Limits, PoolState, Refusal, Safeguards
from encore.db import Row


class NoPoolError(ProblemError):
    """The coin has no pool on the exchange, so it has no price."""

    status = 409
    slug = "no-pool"
    title = "The coin is not traded"


class ExchangeNotIndexedError(UnavailableError):
    """The exchange's own settings are not in the mirror yet."""

    slug = "exchange-not-indexed"
    title = "The exchange is not indexed yet"


@dataclass(frozen=True, slots=True)
class Market:
    """A coin's pool at the indexed block, and what limits trading in it."""

    platform_fee_bps: int
    total_shares: int
    trip_count: int
    limits: Limits


async def load_market(view: MirrorView, exchange: str, coin: str, wallet: str | None) -> Market:
    """Read a coin's market, with the wallet's own limits where one is given.

    Raises `CoinNotFoundError`, `NoPoolError` or `ExchangeNotIndexedError`.
    """
    row = await repository.market(view.session, coin)
    if row is None:
        raise coin_not_found(coin)
    if row.reference_reserve is None:
        raise NoPoolError(f"{coin} has no pool on the exchange yet")
    settings = {
        setting.name.removeprefix(repository.SAFEGUARDS_PREFIX): int(setting.value)
        for setting in await repository.safeguards(view.session, exchange)
    }
    if not settings:
        raise ExchangeNotIndexedError(f"the safeguards of the exchange at {exchange} are not indexed yet")
    now = view.tip.timestamp
    account = None if wallet is None else await repository.account(view.session, coin, wallet)
    pool = PoolState(
        reserves=Reserves(row.native_reserve, row.token_reserve),
        guard=Guard(row.reference_reserve, row.start_price, row.changed_at),
        is_paused=row.is_paused,
        breaker_until=row.breaker_until,
        total_supply=row.total_supply,
    )
    limits = Limits(Safeguards.of(settings), pool, None if account is None else _account(account, now), now)
    return Market(row.platform_fee_bps, row.total_shares, row.trip_count, limits)


async def get_limits(view: MirrorView, exchange: str, coin: str, wallet: str | None) -> schemas.TradingLimits:
    """Return what may be traded in a coin's pool; raises as `load_market`."""
    market = await load_market(view, exchange, coin, wallet)
    limits = market.limits
    pool, safeguards = limits.pool, limits.safeguards
    return schemas.TradingLimits(
        coin=coin,
        is_paused=pool.is_paused,
        breaker=schemas.Breaker(
            is_open=limits.now < pool.breaker_until,
            until=utc(pool.breaker_until) if pool.breaker_until else None,
            trip_count=market.trip_count,
            trips_at_bps=safeguards.breaker_bps,
            duration_seconds=safeguards.breaker_duration,
        ),
        resets_at=utc(limits.resets_at),
        native_in_left=limits.native_in_left,
        native_out_left=limits.native_out_left,
        pool_net_flow=limits.pool_net_flow,
        pool_daily_limit=limits.pool_daily_limit,
        tokens_out_per_trade=limits.tokens_out_per_trade,
        native_out_per_trade=limits.native_out_per_trade,
        large_trade=limits.large_trade,
        large_trade_cooldown_seconds=safeguards.large_trade_cooldown,
        account_daily_limit=limits.account_daily_limit,
        maximum_holding=limits.maximum_holding,
        account=None if wallet is None or limits.account is None else _wire_account(wallet, limits, limits.account),
        indexed_block=view.tip.wire(),
    )


def wire_refusal(refusal: Refusal) -> schemas.Refusal:
    """Return the wire form of a refusal."""
    return schemas.Refusal(
        reason=refusal.reason, passes_at=None if refusal.passes_at is None else utc(refusal.passes_at)
    )


def _account(row: Row, now: int) -> AccountState:
    traded_today = row.day_started_at == now - now % DAY_SECONDS
    return AccountState(
        net_flow=row.native_in - row.native_out if traded_today else 0,
        cooldown_until=row.cooldown_until or 0,
        exempt_until=row.exempt_until or 0,
        balance=row.balance or 0,
    )


def _wire_account(wallet: str, limits: Limits, account: AccountState) -> schemas.AccountLimits:
    return schemas.AccountLimits(
        wallet=wallet,
        net_flow=account.net_flow,
        holding_left=limits.holding_left,
        cooldown_until=utc(account.cooldown_until) if account.cooldown_until > limits.now else None,
        exempt_until=utc(account.exempt_until) if limits.is_exempt else None,
    )
