"""HTTP of trading: quotes, and transactions ready to sign."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from api import problems
from api.coins.schemas import Side
from api.coins.service import CoinNotFoundError, coin_state
from api.deps import BlockDep, ResourcesDep, ViewDep
from api.mirror.service import MirrorEmptyError
from api.trading import limits, schemas, service
from api.trading.wallet import TransactionRefusedError
from api.wire import AddressInput, WeiInput

router = APIRouter(
    prefix="/coins/{address}",
    tags=["trading"],
    responses=problems.responses(problems.InvalidRequestError, MirrorEmptyError, CoinNotFoundError, limits.NoPoolError),
)

CoinAddress = Annotated[AddressInput, Path(description="the coin's contract")]


async def _order(
    side: Annotated[Side, Query(description="buy or sell")],
    amount: Annotated[WeiInput, Query(description="buy: native wei to pay; sell: coin wei to sell")],
    slippage_bps: Annotated[
        int, Query(ge=0, le=schemas.MAXIMUM_SLIPPAGE_BPS, description="how much less than quoted is acceptable")
    ] = schemas.DEFAULT_SLIPPAGE_BPS,
    wallet: Annotated[AddressInput | None, Query(description="who would trade: its own limits count too")] = None,
) -> service.Order:
    return service.Order(side, amount, slippage_bps, wallet)


@router.get(
    "/quote",
    operation_id="quoteTrade",
    summary="Quote a trade",
    responses=problems.responses(problems.InvalidRequestError, service.SwapRefusedError),
)
async def quote_trade(
    held: ResourcesDep, view: ViewDep, address: CoinAddress, order: Annotated[service.Order, Depends(_order)]
) -> schemas.Quote:
    """Tell what a trade gives: equal to its execution right after the indexed block, to the wei.

    What would refuse it stands in `refusals`, with the time when that passes; the figures stand either way.
    """
    return await service.get_quote(view, held.exchange, address, order)


@router.get("/limits", operation_id="getTradingLimits", summary="Get what limits trading in a coin")
async def get_trading_limits(
    held: ResourcesDep,
    view: ViewDep,
    address: CoinAddress,
    *,
    wallet: Annotated[AddressInput | None, Query(description="who would trade")] = None,
) -> schemas.TradingLimits:
    """Return the limits left today, cooldowns, the circuit breaker and a pause: of the pool, and of a wallet in it."""
    return await limits.get_limits(view, held.exchange, address, wallet)


@router.post(
    "/transactions",
    operation_id="prepareTransactions",
    summary="Prepare transactions to sign",
    responses=problems.responses(
        problems.InvalidRequestError,
        CoinNotFoundError,
        service.SwapRefusedError,
        TransactionRefusedError,
        MirrorEmptyError,
        problems.ChainUnavailableError,
        problems.NotDeployedError,
    ),
)
async def prepare_transactions(
    held: ResourcesDep,
    response: Response,
    address: CoinAddress,
    request: schemas.TransactionRequest,
    _block: BlockDep,
) -> schemas.PreparedTransactions:
    """Prepare a trade, liquidity, a stake, a claim, a delegation or an approval for the user's wallet to sign and send.

    Nothing is stored and nothing is sent: asking again is harmless. Sign the steps in their order.
    """
    async with held.view() as view:  # given back before the node is asked, which may take long
        basis = await service.basis_of(view, held.exchange, address, request)
    response.headers.update(view.tip.headers())
    return await service.prepare(service.desk_of(held), view.tip, address, request, basis)


@router.get(
    "/permit",
    operation_id="getPermit",
    summary="Get a permit to sign",
    responses=problems.responses(MirrorEmptyError, problems.ChainUnavailableError, problems.NotDeployedError),
)
async def get_permit(
    held: ResourcesDep,
    address: CoinAddress,
    *,
    wallet: Annotated[AddressInput, Query(description="who will sign")],
    amount: Annotated[WeiInput, Query(description="coin wei that the exchange may take")],
    lasts_seconds: Annotated[
        int, Query(ge=1, le=schemas.MAXIMUM_DEADLINE_SECONDS, description="how long it can be used")
    ] = schemas.DEFAULT_DEADLINE_SECONDS,
) -> schemas.PermitData:
    """Return the typed data of an approval that the wallet signs without a transaction of its own (EIP-2612)."""
    async with held.view() as view:
        await coin_state(view.session, address)
    return await service.permit(service.desk_of(held), address, service.PermitOrder(wallet, amount, lasts_seconds))
