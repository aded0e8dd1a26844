"""HTTP of wallets: the portfolio."""

from typing import Annotated

from fastapi import APIRouter, Path

from api import problems
from api.deps import ViewDep
from api.mirror.service import MirrorEmptyError
from api.portfolio import schemas, service
from api.wire import AddressInput

router = APIRouter(
    prefix="/wallets", tags=["portfolio"], responses=problems.responses(problems.InvalidRequestError, MirrorEmptyError)
)


@router.get("/{address}/portfolio", operation_id="getPortfolio", summary="Get a wallet's portfolio")
async def get_portfolio(
    view: ViewDep, address: Annotated[AddressInput, Path(description="the wallet")]
) -> schemas.Portfolio:
    """Return a wallet's coins, stakes with what they have earned, and shares of pools, valued in native wei."""
    return await service.get_portfolio(view, address)
