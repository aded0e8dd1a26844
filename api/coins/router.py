"""HTTP of coins: list, one, holders, trades, candles."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api import problems
from api.coins import schemas, service
from api.coins.schemas import CandleInterval, CoinSort
from api.deps import ResourcesDep, ViewDep
from api.mirror.service import MirrorEmptyError
from api.pagination import CursorParameter, InvalidCursorError, PageDep, PageRequest
from api.wire import AddressInput, SearchText

MAXIMUM_CANDLES = 1_000

_RESPONSES = problems.responses(problems.InvalidRequestError, MirrorEmptyError)

router = APIRouter(tags=["coins"], responses=_RESPONSES)

CoinAddress = Annotated[AddressInput, Path(description="the coin's contract")]
_LIST = problems.responses(problems.InvalidRequestError, InvalidCursorError)
_OF_ONE = problems.responses(service.CoinNotFoundError)


@router.get("/coins", operation_id="listCoins", summary="List coins", responses=_LIST)
async def list_coins(
    view: ViewDep,
    page: PageDep,
    *,
    sort: Annotated[
        CoinSort, Query(description="the greatest first: market cap, volume of 24 hours, or time of creation")
    ] = CoinSort.MARKET_CAP,
    q: Annotated[
        SearchText | None, Query(max_length=100, description="search: part of name or symbol, or the whole address")
    ] = None,
) -> schemas.CoinPage:
    """List coins with price, 24-hour volume and change, market cap and holders."""
    return await service.list_coins(view, page, sort=sort, search=q)


@router.get("/market", operation_id="getMarket", summary="Get the market of all coins")
async def get_market(view: ViewDep) -> schemas.Market:
    """Return market cap, value locked, volume and trades of all coins together."""
    return await service.get_market(view)


@router.get("/coins/{address}", operation_id="getCoin", summary="Get a coin", responses=_OF_ONE)
async def get_coin(view: ViewDep, address: CoinAddress) -> schemas.CoinDetail:
    """Return one coin."""
    return await service.get_coin(view, address)


@router.get(
    "/coins/{address}/holders", operation_id="listHolders", summary="List a coin's holders", responses=_LIST | _OF_ONE
)
async def list_holders(
    held: ResourcesDep,
    view: ViewDep,
    page: PageDep,
    address: CoinAddress,
) -> schemas.HolderPage:
    """List who holds the coin, the largest first; the exchange and staking are marked."""
    return await service.list_holders(view, page, address, exchange=held.exchange)


@router.get(
    "/coins/{address}/trades", operation_id="listTrades", summary="List a coin's trades", responses=_LIST | _OF_ONE
)
async def list_trades(
    view: ViewDep,
    page: PageDep,
    address: CoinAddress,
    *,
    trader: Annotated[AddressInput | None, Query(description="only trades of this wallet")] = None,
) -> schemas.TradePage:
    """List swaps, the newest first."""
    return await service.list_trades(view, page, address, trader=trader)


@router.get(
    "/coins/{address}/candles", operation_id="listCandles", summary="List a coin's candles", responses=_LIST | _OF_ONE
)
async def list_candles(
    view: ViewDep,
    address: CoinAddress,
    *,
    interval: Annotated[CandleInterval, Query(description="length of a candle")] = CandleInterval.HOUR,
    cursor: CursorParameter = None,
    limit: Annotated[int, Query(ge=1, le=MAXIMUM_CANDLES, description="how many candles at most")] = 200,
) -> schemas.CandlePage:
    """List candles up to the indexed block, without gaps, the oldest first; `next_cursor` leads back in time."""
    return await service.list_candles(view, PageRequest(cursor, limit), address, interval=interval)
