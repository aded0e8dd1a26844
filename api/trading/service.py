"""Rules of trading: quotes equal to execution, and transactions that only the user's wallet can sign."""

from collections.abc import Callable
from dataclasses import dataclass

from api.coins.schemas import Side
from api.coins.service import coin_state
from api.mirror.service import MirrorView, Tip
from api.problems import ProblemError
from api.trading import calls, schemas
from api.trading.limits import load_market, wire_refusal
from api.trading.schemas import Action, Currency, Fee
from api.trading.wallet import Wallet
from api.wire import utc
from encore.chain import amm
from encore.chain.outbox.signer import Call
from encore.chain.rpc import RpcClient


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


@dataclass(frozen=True, slots=True)
class _Planned:
    """One call to be signed, in words for its signer."""

    action: Action
    description: str
    call: Call


@dataclass(frozen=True, slots=True)
class Order:
    """A trade to be quoted; `amount` is what goes in: native wei for a buy, coin wei for a sale."""

    side: Side
    amount: int
    slippage_bps: int
    wallet: str | None


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


async def quote_for(
    view: MirrorView, exchange: str, coin: str, request: schemas.TransactionRequest
) -> schemas.Quote | None:
    """Quote the trade that `request` is, or only check that the coin exists. Raises as `get_quote`."""
    if isinstance(request, schemas.TradeRequest):
        order = Order(request.side, request.amount, request.slippage_bps, request.wallet)
        return await get_quote(view, exchange, coin, order)
    await coin_state(view.session, coin)
    return None


async def prepare(
    desk: TradingDesk, tip: Tip, coin: str, request: schemas.TransactionRequest, quote: schemas.Quote | None
) -> schemas.PreparedTransactions:
    """Prepare what the wallet has to sign; `quote` is what `quote_for` gave. Raises as `Wallet.prepare`."""
    wallet = Wallet(desk.rpc, desk.chain_id, request.wallet)
    state = await wallet.state()
    deadline: int | None = None
    if quote is not None and isinstance(request, schemas.TradeRequest):
        # The chain's clock may be ahead of ours, or its last block old: the wait counts from the later of both.
        deadline = max(state.timestamp, int(desk.clock())) + request.deadline_seconds
        plan = _plan_trade(desk.exchange, coin, quote, deadline)
        if quote.side is Side.SELL and await wallet.allowance(coin, desk.exchange) < quote.amount_in:
            plan.insert(0, _plan_approval(desk.exchange, coin, quote.amount_in))
    else:
        plan = _plan_staking(coin, request)
    transactions = await wallet.prepare(state, [step.call for step in plan])
    return schemas.PreparedTransactions(
        steps=[
            schemas.Step(action=step.action, description=step.description, transaction=transaction)
            for step, transaction in zip(plan, transactions, strict=True)
        ],
        quote=quote,
        expires_at=None if deadline is None else utc(deadline),
        indexed_block=tip.wire(),
    )


def _plan_trade(exchange: str, coin: str, quote: schemas.Quote, deadline: int) -> list[_Planned]:
    amount, least = quote.amount_in, quote.minimum_out
    if quote.side is Side.BUY:
        words = f"Buy at least {least} wei of the coin for {amount} native wei"
        return [_Planned(Action.BUY, words, calls.buy(exchange, coin, amount, least, deadline))]
    words = f"Sell {amount} wei of the coin for at least {least} native wei"
    return [_Planned(Action.SELL, words, calls.sell(exchange, coin, amount, least, deadline))]


def _plan_approval(exchange: str, coin: str, amount: int) -> _Planned:
    words = f"Let the exchange take {amount} wei of the coin"
    return _Planned(Action.APPROVE, words, calls.approve(coin, exchange, amount))


def _plan_staking(coin: str, request: schemas.TransactionRequest) -> list[_Planned]:
    match request:
        case schemas.StakeRequest(amount=amount):
            return [_Planned(Action.STAKE, f"Stake {amount} wei of the coin for 365 days", calls.stake(coin, amount))]
        case schemas.UnstakeRequest():
            return [_Planned(Action.UNSTAKE, "Take the stake back with its rewards", calls.unstake(coin))]
        case _:
            return [_Planned(Action.CLAIM, "Claim the stake's rewards", calls.claim(coin))]


def _swap(reserves: amm.Reserves, side: Side, amount: int, platform_fee_bps: int) -> amm.Swap:
    swap = amm.buy if side is Side.BUY else amm.sell
    try:
        return swap(reserves, amount, platform_fee_bps)
    except amm.SwapError as error:
        raise SwapRefusedError(f"the exchange would refuse it: {error}") from None
