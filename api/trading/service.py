"""Rules of trading: quotes equal to execution, and transactions that only the user's wallet can sign."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from api.coins.schemas import Side
from api.coins.service import coin_state
from api.deps import Resources
from api.mirror.service import MirrorView, Tip
from api.problems import ProblemError
from api.trading import plans, schemas
from api.trading.limits import load_market, wire_refusal
from api.trading.schemas import Currency, Fee
from api.trading.wallet import ChainState, Wallet
from api.wire import checksummed, utc
from encore.chain import amm
from encore.chain.rpc import RpcClient

_PERMIT_TYPES: Final = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Permit": [
        {"name": "owner", "type": "address"},
        {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ],
}


class SwapRefusedError(ProblemError):
    """The exchange would refuse a trade of this size; `detail` has its words."""

    status = 422
    slug = "swap-refused"
    title = "The trade would be refused"


@dataclass(frozen=True, slots=True)
class TradingDesk:
    """What preparing transactions needs: a node, the chain's id, the exchange, and the time (unix seconds)."""

    rpc: RpcClient
    chain_id: int
    exchange: str
    clock: Callable[[], float]


def desk_of(held: Resources) -> TradingDesk:
    """Return what the process has for it."""
    return TradingDesk(held.rpc, held.settings.chain.chain_id, held.exchange, held.clock)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a request is planned on, as of the indexed block."""

    quote: schemas.Quote | None = None
    liquidity: schemas.LiquidityQuote | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A trade to be quoted; `amount` is what goes in: native wei for a buy, coin wei for a sale."""

    side: Side
    amount: int
    slippage_bps: int
    wallet: str | None


@dataclass(frozen=True, slots=True)
class PermitOrder:
    """A permit to be written: `amount` coin wei that `owner` would let the exchange take."""

    owner: str
    amount: int
    lasts_seconds: int


async def get_quote(view: MirrorView, exchange: str, coin: str, order: Order) -> schemas.Quote:
    """Quote `order` at the indexed block, and tell what would refuse it.

    Raises as `load_market`, and `SwapRefusedError` where no amount comes out.
    """
    market = await load_market(view, exchange, coin, order.wallet)
    before = market.limits.pool.reserves
    swap = _swap(before, order.side, order.amount, market.platform_fee_bps)
    is_large = market.limits.is_large(swap.reserves)
    return schemas.Quote(
        side=order.side,
        coin=coin,
        amount_in=order.amount,
        amount_out=swap.amount_out,
        minimum_out=amm.with_slippage(swap.amount_out, order.slippage_bps),
        slippage_bps=order.slippage_bps,
        price_before=before.spot_price,
        price_after=swap.reserves.spot_price,
        price_impact_bps=swap.price_impact_bps,
        platform_fee=Fee(amount=swap.platform_fee, currency=Currency.NATIVE, bps=market.platform_fee_bps),
        pool_fee=Fee(
            amount=swap.pool_fee,
            currency=Currency.NATIVE if order.side is Side.BUY else Currency.TOKEN,
            bps=amm.POOL_FEE_BPS,
        ),
        refusals=[wire_refusal(refusal) for refusal in market.limits.refusals(swap.reserves)],
        starts_cooldown_seconds=market.limits.safeguards.large_trade_cooldown if is_large else None,
        trips_breaker=market.limits.trips_breaker(swap.reserves),
        indexed_block=view.tip.wire(),
    )


async def basis_of(view: MirrorView, exchange: str, coin: str, request: schemas.TransactionRequest) -> Basis:
    """Quote what `request` would do, or only check that what it is about exists. Raises as `get_quote`."""
    match request:
        case schemas.TradeRequest():
            order = Order(request.side, request.amount, request.slippage_bps, request.wallet)
            return Basis(quote=await get_quote(view, exchange, coin, order))
        case schemas.AddLiquidityRequest():
            market = await load_market(view, exchange, coin, None)
            return Basis(liquidity=plans.quote_addition(market.limits.pool.reserves, market.total_shares, request))
        case schemas.RemoveLiquidityRequest():
            market = await load_market(view, exchange, coin, None)
            return Basis(liquidity=plans.quote_withdrawal(market.limits.pool.reserves, market.total_shares, request))
    await coin_state(view.session, coin)
    return Basis()


async def prepare(
    desk: TradingDesk, tip: Tip, coin: str, request: schemas.TransactionRequest, basis: Basis
) -> schemas.PreparedTransactions:
    """Prepare what the wallet has to sign; `basis` is what `basis_of` gave. Raises as `Wallet.prepare`."""
    if not isinstance(request, schemas.TradeRequest | schemas.AddLiquidityRequest | schemas.RemoveLiquidityRequest):
        return await prepare_call(desk, tip, request.wallet, plans.simple(desk.exchange, coin, request))
    wallet = Wallet(desk.rpc, desk.chain_id, request.wallet)
    state = await wallet.state()
    # The chain's clock may be ahead of ours, or its last block old: the wait counts from the later of both.
    deadline = max(state.timestamp, int(desk.clock())) + request.deadline_seconds
    plan = _plan(desk.exchange, coin, request, basis, deadline)
    steps = [plan.wanted]
    if plan.allowance and await wallet.allowance(coin, desk.exchange) < plan.allowance:
        steps.insert(0, plans.approval(desk.exchange, coin, plan.allowance))
    return schemas.PreparedTransactions(
        steps=await _complete(wallet, state, steps),
        quote=basis.quote,
        liquidity=basis.liquidity,
        expires_at=utc(deadline),
        indexed_block=tip.wire(),
    )


async def prepare_call(
    desk: TradingDesk, tip: Tip, signer: str, planned: plans.Planned
) -> schemas.PreparedTransactions:
    """Prepare one call that needs neither a quote nor an allowance. Raises as `Wallet.prepare`."""
    wallet = Wallet(desk.rpc, desk.chain_id, signer)
    steps = await _complete(wallet, await wallet.state(), [planned])
    return schemas.PreparedTransactions(
        steps=steps, quote=None, liquidity=None, expires_at=None, indexed_block=tip.wire()
    )


async def permit(desk: TradingDesk, coin: str, wanted: PermitOrder) -> schemas.PermitData:
    """Write the permit (EIP-2612) that lets the exchange take coins, for their owner to sign."""
    wallet = Wallet(desk.rpc, desk.chain_id, wanted.owner)
    state = await wallet.state()
    deadline = max(state.timestamp, int(desk.clock())) + wanted.lasts_seconds
    name, version = await wallet.signing_domain(coin)
    message = {
        "owner": checksummed(wanted.owner),
        "spender": checksummed(desk.exchange),
        "value": str(wanted.amount),
        "nonce": str(await wallet.permit_nonce(coin)),
        "deadline": str(deadline),
    }
    domain = {"name": name, "version": version, "chainId": desk.chain_id, "verifyingContract": checksummed(coin)}
    typed_data = {"types": _PERMIT_TYPES, "primaryType": "Permit", "domain": domain, "message": message}
    return schemas.PermitData(typed_data=typed_data, expires_at=utc(deadline))


async def _complete(wallet: Wallet, state: ChainState, steps: Sequence[plans.Planned]) -> list[schemas.Step]:
    transactions = await wallet.prepare(state, [step.call for step in steps])
    return [
        schemas.Step(action=step.action, description=step.description, transaction=transaction)
        for step, transaction in zip(steps, transactions, strict=True)
    ]


def _plan(exchange: str, coin: str, request: schemas.TransactionRequest, basis: Basis, deadline: int) -> plans.Plan:
    if basis.quote is not None:
        return plans.trade(exchange, coin, basis.quote, deadline)
    assert basis.liquidity is not None  # noqa: S101 - one of both is there
    plan = plans.add_liquidity if isinstance(request, schemas.AddLiquidityRequest) else plans.remove_liquidity
    return plan(exchange, coin, basis.liquidity, deadline)


def _swap(reserves: amm.Reserves, side: Side, amount: int, platform_fee_bps: int) -> amm.Swap:
    swap = amm.buy if side is Side.BUY else amm.sell
    try:
        return swap(reserves, amount, platform_fee_bps)
    except amm.SwapError as error:
        raise SwapRefusedError(f"the exchange would refuse it: {error}") from None
