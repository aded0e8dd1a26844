"""Rules of coins: figures of 24 hours, shares, candles without gaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from api.coins import repository, schemas
from api.coins.rankings import day_before, rankings
from api.coins.schemas import CandleInterval, CoinSort, HolderKind, Side
from api.mirror.service import MirrorView
from api.pagination import AddressKey, IntegerKey, Keyset, PageRequest, Uint256Key
from api.portfolio.rewards import REWARD_RATE_BPS, mintable_rewards
from api.problems import ProblemError
from api.wire import utc
from encore.chain.amm import BASIS_POINTS, POOL_FEE_BPS, Reserves, value_at
from encore.db import ReadSession, Row

YEAR_DAYS: Final = 365

_COINS: Final = {
    CoinSort.MARKET_CAP: Keyset("coins:market_cap", Uint256Key, AddressKey),
    CoinSort.VOLUME: Keyset("coins:volume", Uint256Key, AddressKey),
    CoinSort.CREATED: Keyset("coins:created", IntegerKey, AddressKey),
}
_HOLDERS: Final = Keyset("holders", Uint256Key, AddressKey)
_TRADES: Final = Keyset("trades", IntegerKey, IntegerKey)
_CANDLES: Final = Keyset("candles", IntegerKey)


class CoinNotFoundError(ProblemError):
    """No creator's coin has this address, as of the indexed block."""

    status = 404
    slug = "coin-not-found"
    title = "Coin not found"


@dataclass(frozen=True, slots=True)
class CoinState:
    """What trading needs to know of a coin at the indexed block; `reserves` is None without a pool."""

    total_supply: int
    platform_fee_bps: int
    reserves: Reserves | None


async def list_coins(view: MirrorView, page: PageRequest, *, sort: CoinSort, search: str | None) -> schemas.CoinPage:
    """Return a page of coins, the greatest first."""
    keyset = _COINS[sort]
    window = keyset.window(page)
    ranked = await rankings(view)
    found = None if search is None else await repository.found(view.session, search)
    places, next_cursor = keyset.cut(ranked.cut(sort, window, found), page.limit, "sort_key", "address")
    # Validated in one go: a model for each part would take as long as the SQL.
    return schemas.CoinPage.model_validate(
        {
            "items": await figures_of(view, [place.address for place in places]),
            "next_cursor": next_cursor,
            "indexed_block": view.tip.wire(),
        }
    )


async def figures_of(view: MirrorView, addresses: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a list shows of each coin, the fields of `schemas.Coin`."""
    ranked = await rankings(view)
    rows = await repository.coins(view.session, addresses, since=day_before(view.tip))
    return [_coin(rows[address], ranked.volumes[address]) for address in addresses]


async def get_coin(view: MirrorView, address: str) -> schemas.CoinDetail:
    """Return one coin; raises `CoinNotFoundError`."""
    row = await repository.coin(view.session, since=day_before(view.tip), address=address)
    if row is None:
        raise coin_not_found(address)
    return schemas.CoinDetail(**_coin(row, row.volume_24h), indexed_block=view.tip.wire())


async def get_market(view: MirrorView) -> schemas.Market:
    """Return the sums over all coins."""
    ranked = await rankings(view)
    row = await view.once("market", partial(repository.market, view.session))
    assert row is not None  # noqa: S101 - sums without groups are one row
    return schemas.Market(
        coin_count=row.coin_count,
        pool_count=row.pool_count,
        market_cap=row.market_cap,
        tvl=row.native_reserves + row.token_reserves + row.staked,
        volume_24h=sum(ranked.volumes.values()),
        volume_total=row.volume_total,
        trade_count=int(row.trade_count),
        indexed_block=view.tip.wire(),
    )


async def coin_state(session: ReadSession, address: str) -> CoinState:
    """Return what trading needs to know; raises `CoinNotFoundError`."""
    row = await repository.token(session, address)
    if row is None:
        raise coin_not_found(address)
    reserves = None if row.native_reserve is None else Reserves(row.native_reserve, row.token_reserve)
    return CoinState(row.total_supply, row.platform_fee_bps, reserves)


async def list_holders(view: MirrorView, page: PageRequest, address: str, *, exchange: str) -> schemas.HolderPage:
    """Return a page of holders, the largest first; `exchange` is the exchange's address in lower case."""
    window = _HOLDERS.window(page)
    state = await coin_state(view.session, address)
    rows = await repository.holders(view.session, window, address)
    rows, next_cursor = _HOLDERS.cut(rows, page.limit, "amount", "holder")
    kinds = {exchange: HolderKind.EXCHANGE, address: HolderKind.STAKING}
    return schemas.HolderPage(
        items=[
            schemas.Holder(
                address=row.holder,
                kind=kinds.get(row.holder, HolderKind.WALLET),
                balance=row.amount,
                share_bps=row.amount * BASIS_POINTS // state.total_supply,
            )
            for row in rows
        ],
        next_cursor=next_cursor,
        indexed_block=view.tip.wire(),
    )


async def list_trades(view: MirrorView, page: PageRequest, address: str, *, trader: str | None) -> schemas.TradePage:
    """Return a page of trades, the newest first."""
    window = _TRADES.window(page)
    await coin_state(view.session, address)
    rows = await repository.trades(view.session, window, address, trader=trader)
    rows, next_cursor = _TRADES.cut(rows, page.limit, "block_number", "log_index")
    return schemas.TradePage(
        items=[
            schemas.Trade(
                side=Side(row.side),
                trader=row.trader,
                native_amount=row.native_amount,
                token_amount=row.token_amount,
                platform_fee=row.platform_fee,
                price=row.price,
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


async def list_candles(
    view: MirrorView, page: PageRequest, address: str, *, interval: CandleInterval
) -> schemas.CandlePage:
    """Return the last candles up to the indexed block, or up to the cursor; the oldest first."""
    key = _CANDLES.decode(page.cursor)
    await coin_state(view.session, address)
    seconds = interval.seconds
    end = view.tip.timestamp if key is None else min(view.tip.timestamp, key[0] - 1)
    last = end - end % seconds
    first = max(last - (page.limit - 1) * seconds, 0)
    rows = await repository.candles(view.session, address=address, interval_seconds=seconds, first=first, last=last)
    goes_on = bool(rows) and rows[0].opened_at < first
    return schemas.CandlePage(
        items=[candle for candle in _without_gaps(rows, seconds, last) if candle.opened_at >= utc(first)],
        next_cursor=_CANDLES.encode([first]) if goes_on else None,
        indexed_block=view.tip.wire(),
    )


def _without_gaps(rows: Sequence[Row], seconds: int, last: int) -> Iterator[schemas.Candle]:
    """One candle per interval from the first row to `last`; between rows the price stands where it closed."""
    for index, row in enumerate(rows):
        yield schemas.Candle(
            opened_at=utc(row.opened_at),
            open=row.open,
            high=row.high,
            low=row.low,
            close=row.close,
            volume_native=row.volume_native,
            volume_token=row.volume_token,
            trade_count=row.trade_count,
        )
        following = rows[index + 1].opened_at if index + 1 < len(rows) else last + seconds
        for opened_at in range(row.opened_at + seconds, following, seconds):
            yield schemas.Candle(
                opened_at=utc(opened_at),
                open=row.close,
                high=row.close,
                low=row.close,
                close=row.close,
                volume_native=0,
                volume_token=0,
                trade_count=0,
            )


def _coin(row: Row, volume_24h: int) -> dict[str, Any]:
    return {
        "address": row.address,
        "name": row.name,
        "symbol": row.symbol,
        "description": row.description,
        "image_url": row.image_url,
        "is_active": row.is_active,
        "creator": {"wallet": row.creator, "id": row.creator_id, "name": row.creator_name},
        "owner": row.owner,
        "created_at": utc(row.created_at),
        "total_supply": row.total_supply,
        "maximum_supply": row.maximum_supply,
        "total_staked": row.total_staked,
        "holder_count": row.holder_count,
        "platform_fee_bps": row.platform_fee_bps,
        "platform_fee_recipient": row.platform_fee_recipient,
        "price": row.price,
        "market_cap": None if row.price is None else value_at(row.price, row.total_supply),
        "volume_24h": volume_24h,
        "change_24h_bps": _change_bps(row),
        "volume_total": row.volume_native or 0,
        "trade_count": row.trade_count or 0,
        "native_reserve": row.native_reserve,
        "token_reserve": row.token_reserve,
        "tvl": _tvl(row),
        "liquidity_apy_bps": _liquidity_apy_bps(row, volume_24h),
        "staking_apy_bps": _staking_apy_bps(row),
    }


def _tvl(row: Row) -> int:
    if row.price is None:
        return 0
    native: int = row.native_reserve
    return native + value_at(row.price, row.token_reserve) + value_at(row.price, row.total_staked)


def _liquidity_apy_bps(row: Row, volume_24h: int) -> int | None:
    """The pool's fee on a day's volume, for a year, over both sides of the pool."""
    if not row.native_reserve:
        return None
    return int(volume_24h * POOL_FEE_BPS * YEAR_DAYS // (2 * row.native_reserve))


def _staking_apy_bps(row: Row) -> int:
    is_launched = row.released_supply is not None
    minted = row.released_supply + row.vested_tokens_claimed if is_launched else None
    return REWARD_RATE_BPS if mintable_rewards(row.total_supply, row.maximum_supply, minted) > 0 else 0


def _change_bps(row: Row) -> int | None:
    """The change since 24 hours ago, or since the pool opened where that was later."""
    reference = row.price_24h_ago
    if reference is None and row.opening_token:
        reference = Reserves(row.opening_native, row.opening_token).spot_price
    return (row.price - reference) * BASIS_POINTS // reference if reference else None


def coin_not_found(address: str) -> CoinNotFoundError:
    """Return the error for an address that is no coin's."""
    return CoinNotFoundError(
        f"{address} is not a creator's coin; a coin that was just launched appears once its block is indexed"
    )
