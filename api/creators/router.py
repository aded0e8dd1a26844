"""HTTP of creators: list, one, metrics."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api import problems
from api.creators import own_coin, revenue, schemas, service
from api.creators.schemas import CreatorSort
from api.deps import BlockDep, Resources, ResourcesDep, ViewDep
from api.mirror.service import MirrorEmptyError
from api.pagination import InvalidCursorError, PageDep
from api.trading import service as trading
from api.trading.schemas import PreparedTransactions
from api.trading.wallet import TransactionRefusedError
from api.wire import INT64_MAX, SearchText, WeiInput

router = APIRouter(
    prefix="/creators", tags=["creators"], responses=problems.responses(problems.InvalidRequestError, MirrorEmptyError)
)

_OF_ONE = problems.responses(service.CreatorNotFoundError)
_LIST_OF_ONE = _OF_ONE | problems.responses(problems.InvalidRequestError, InvalidCursorError)

CreatorId = Annotated[int, Path(ge=1, le=INT64_MAX, description="the creator's id")]


@router.get(
    "",
    operation_id="listCreators",
    summary="List creators",
    responses=problems.responses(problems.InvalidRequestError, InvalidCursorError),
)
async def list_creators(
    view: ViewDep,
    page: PageDep,
    *,
    sort: Annotated[
        CreatorSort, Query(description="streams: most of the last 30 days first; name: A to Z; created: newest first")
    ] = CreatorSort.STREAMS,
    q: Annotated[
        SearchText | None, Query(max_length=100, description="search: part of the name, or the whole wallet")
    ] = None,
    has_coin: Annotated[bool | None, Query(description="only those with, or without, a launched coin")] = None,
) -> schemas.CreatorPage:
    """List creators with the oracle's latest off-chain counts and the coin they launched."""
    return await service.list_creators(view, page, sort=sort, search=q, has_coin=has_coin)


@router.get(
    "/{creator_id}",
    operation_id="getCreator",
    summary="Get a creator",
    responses=problems.responses(service.CreatorNotFoundError),
)
async def get_creator(view: ViewDep, creator_id: CreatorId) -> schemas.CreatorDetail:
    """Return one creator."""
    return await service.get_creator(view, creator_id)


@router.get(
    "/{creator_id}/metrics",
    operation_id="getCreatorMetrics",
    summary="Get a creator's metrics and launch readiness",
    responses=problems.responses(service.CreatorNotFoundError),
)
async def get_creator_metrics(held: ResourcesDep, view: ViewDep, creator_id: CreatorId) -> schemas.CreatorMetrics:
    """Return off-chain beside on-chain metrics, milestones reached, what a launch still needs, and what it takes."""
    return await service.get_metrics(view, _factory(held), creator_id)


@router.get(
    "/{creator_id}/allocation",
    operation_id="getCreatorAllocation",
    summary="Get what of the coin's supply is the creator's",
    responses=_OF_ONE | problems.responses(revenue.NoCoinError),
)
async def get_creator_allocation(view: ViewDep, creator_id: CreatorId) -> schemas.CreatorAllocation:
    """Return vested coins, claimed or not, and those that are released as the streams grow."""
    return await own_coin.get_allocation(view, creator_id)


@router.post(
    "/{creator_id}/transactions",
    operation_id="prepareCreatorTransactions",
    summary="Prepare a launch, revenue or a claim to sign",
    responses=problems.responses(
        problems.InvalidRequestError,
        service.CreatorNotFoundError,
        own_coin.NoWalletError,
        revenue.NoCoinError,
        TransactionRefusedError,
        MirrorEmptyError,
        problems.ChainUnavailableError,
        problems.NotDeployedError,
    ),
)
async def prepare_creator_transactions(
    held: ResourcesDep, response: Response, creator_id: CreatorId, request: schemas.CreatorRequest, _block: BlockDep
) -> PreparedTransactions:
    """Prepare the launch of the creator's coin, a distribution or withdrawal of revenue, or a claim of vested coins.

    `getCreatorMetrics` tells whether a launch would go through, and who may sign it. Nothing is stored or sent.
    """
    async with held.view() as view:  # given back before the node is asked, which may take long
        planned = await own_coin.plan(view, _factory(held), creator_id, request)
    response.headers.update(view.tip.headers())
    return await trading.prepare_call(trading.desk_of(held), view.tip, request.wallet, planned)


@router.get(
    "/{creator_id}/revenue",
    operation_id="getCreatorRevenue",
    summary="Get a creator's revenue",
    responses=_OF_ONE,
)
async def get_creator_revenue(held: ResourcesDep, view: ViewDep, creator_id: CreatorId) -> schemas.CreatorRevenue:
    """Return what was earned and shared, and the next distribution with a forecast."""
    return await revenue.get_revenue(view, _factory(held), creator_id)


@router.get(
    "/{creator_id}/revenue/distributions",
    operation_id="listDistributions",
    summary="List a creator's revenue distributions",
    responses=_LIST_OF_ONE,
)
async def list_distributions(view: ViewDep, page: PageDep, creator_id: CreatorId) -> schemas.DistributionPage:
    """List what was shared, with its transactions, the newest first."""
    return await revenue.list_distributions(view, page, creator_id)


@router.get(
    "/{creator_id}/revenue/preview",
    operation_id="previewDistribution",
    summary="Preview a distribution to holders",
    responses=_LIST_OF_ONE | problems.responses(revenue.NoCoinError),
)
async def preview_distribution(
    held: ResourcesDep,
    view: ViewDep,
    page: PageDep,
    creator_id: CreatorId,
    *,
    amount: Annotated[WeiInput, Query(description="native wei for the holders")],
) -> schemas.RevenueSharePage:
    """List what each holder would get, equal to the coin's division at the indexed block to the wei."""
    return await revenue.preview(view, page, creator_id, exchange=held.exchange, amount=amount)


def _factory(held: Resources) -> str:
    return held.deployment.address("CreatorTokenFactory").lower()
