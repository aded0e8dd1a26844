"""HTTP of wallets: the portfolio, its positions, profit and history."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse

from api import problems
from api.deps import BlockDep, ResourcesDep, ViewDep
from api.mirror.service import MirrorEmptyError
from api.pagination import InvalidCursorError, PageDep
from api.portfolio import history, recommendations, schemas, service
from api.portfolio.activity import Wanted
from api.portfolio.schemas import ActivityKind
from api.wire import AddressInput

router = APIRouter(
    prefix="/wallets/{address}",
    tags=["portfolio"],
    responses=problems.responses(problems.InvalidRequestError, MirrorEmptyError),
)

Wallet = Annotated[AddressInput, Path(description="the wallet")]
OfCoin = Annotated[AddressInput | None, Query(description="only of this coin")]
_LIST = problems.responses(problems.InvalidRequestError, InvalidCursorError)


@router.get("/portfolio", operation_id="getPortfolio", summary="Get a wallet's portfolio")
async def get_portfolio(view: ViewDep, address: Wallet) -> schemas.Portfolio:
    """Return what a wallet has in creators' coins, valued in native wei, with cost basis and profit."""
    return await service.get_portfolio(view, address)


@router.get("/holdings", operation_id="listHoldings", summary="List a wallet's coins", responses=_LIST)
async def list_holdings(view: ViewDep, page: PageDep, address: Wallet, coin: OfCoin = None) -> schemas.HoldingPage:
    """List the coins in the wallet, the most valuable first."""
    items, cursor = service.cut(await service.holdings_of(view, address), page, service.HOLDINGS, coin)
    return schemas.HoldingPage(items=list(items), next_cursor=cursor, indexed_block=view.tip.wire())


@router.get("/stakes", operation_id="listStakes", summary="List a wallet's stakes", responses=_LIST)
async def list_stakes(view: ViewDep, page: PageDep, address: Wallet, coin: OfCoin = None) -> schemas.StakingPage:
    """List open stakes with what they have earned, the most valuable first."""
    items, cursor = service.cut(await service.stakes_of(view, address), page, service.STAKES, coin)
    return schemas.StakingPage(items=list(items), next_cursor=cursor, indexed_block=view.tip.wire())


@router.get("/revenue", operation_id="listRevenue", summary="List a wallet's shares of revenue", responses=_LIST)
async def list_revenue(view: ViewDep, page: PageDep, address: Wallet, coin: OfCoin = None) -> schemas.RevenueDuePage:
    """List what the wallet may claim of its coins' revenue, and what it claimed so far, the largest pending first."""
    items, cursor = service.cut(await service.revenue_of(view, address), page, service.REVENUE, coin)
    return schemas.RevenueDuePage(items=list(items), next_cursor=cursor, indexed_block=view.tip.wire())


@router.get("/liquidity", operation_id="listLiquidity", summary="List a wallet's shares of pools", responses=_LIST)
async def list_liquidity(view: ViewDep, page: PageDep, address: Wallet, coin: OfCoin = None) -> schemas.LiquidityPage:
    """List what the wallet's shares of pools would return, the most valuable first."""
    items, cursor = service.cut(await service.liquidity_of(view, address), page, service.LIQUIDITY, coin)
    return schemas.LiquidityPage(items=list(items), next_cursor=cursor, indexed_block=view.tip.wire())


@router.get(
    "/profits",
    operation_id="listProfits",
    summary="List a wallet's cost and profit in each coin",
    responses=_LIST | problems.responses(problems.InvalidRequestError, service.HistoryTooLongError),
)
async def list_profits(view: ViewDep, page: PageDep, address: Wallet, coin: OfCoin = None) -> schemas.ProfitPage:
    """List cost basis, realised and unrealised profit (first in, first out) of each coin that the wallet ever had."""
    items, cursor = service.cut(await service.profits_of(view, address), page, service.PROFITS, coin)
    return schemas.ProfitPage(items=list(items), next_cursor=cursor, indexed_block=view.tip.wire())


@router.get(
    "/recommendations",
    operation_id="listRecommendations",
    summary="List coins recommended to a wallet",
    responses=_LIST,
)
async def list_recommendations(
    held: ResourcesDep, view: ViewDep, page: PageDep, address: Wallet
) -> schemas.RecommendationPage:
    """List coins that holders of the wallet's coins bought and kept, and that the wallet does not have itself.

    Without any in common: those that most wallets bought in the last week. `shared_with` tells why each is here.
    """
    return await recommendations.list_recommendations(view, page, address, exchange=held.exchange)


async def _wanted(
    held: ResourcesDep,
    address: Wallet,
    kind: Annotated[list[ActivityKind], Query(max_length=len(ActivityKind), description="only these kinds")] = [],  # noqa: B006 - FastAPI copies it
    coin: OfCoin = None,
) -> Wanted:
    return Wanted(address, held.exchange, frozenset(kind), coin)


WantedDep = Annotated[Wanted, Depends(_wanted)]


@router.get("/history", operation_id="listHistory", summary="List what a wallet did", responses=_LIST)
async def list_history(view: ViewDep, page: PageDep, wanted: WantedDep) -> schemas.ActivityPage:
    """List trades, liquidity, stakes, claimed revenue and transfers, the newest first."""
    return await history.list_history(view, page, wanted)


class CsvResponse(StreamingResponse):
    """A file of comma-separated values."""

    media_type = "text/csv"


@router.get(
    "/history.csv",
    operation_id="exportHistory",
    summary="Export what a wallet did",
    response_class=CsvResponse,
    responses={200: {"content": {CsvResponse.media_type: {"example": f"{','.join(history.COLUMNS)}\r\n"}}}},
)
async def export_history(held: ResourcesDep, wanted: WantedDep, _block: BlockDep) -> Response:
    """Export the history as CSV, the newest first; amounts in wei."""
    async with held.view() as view:
        headers = view.tip.headers()

    async def lines() -> AsyncIterator[str]:
        async with held.view() as view:
            async for line in history.export(view, wanted):
                yield line

    file_name = f'attachment; filename="encore-{wanted.wallet}.csv"'
    return CsvResponse(lines(), headers={**headers, "Content-Disposition": file_name})
