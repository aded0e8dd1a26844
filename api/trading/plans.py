"""What a wallet is asked to sign for each kind of request: calls in their order, in words for their signer."""

from dataclasses import dataclass

from api.coins.schemas import Side
from api.trading import calls, schemas
from api.trading.schemas import Action
from encore.chain import amm
from encore.chain.outbox.signer import Call


@dataclass(frozen=True, slots=True)
class Planned:
    """One call to be signed, in words for its signer."""

    action: Action
    description: str
    call: Call


@dataclass(frozen=True, slots=True)
class Plan:
    """The call that is wanted, and the token wei that the exchange must be allowed to take before it."""

    wanted: Planned
    allowance: int = 0


def trade(exchange: str, coin: str, quote: schemas.Quote, deadline: int) -> Plan:
    """Plan a trade until `deadline` (unix seconds)."""
    amount, least = quote.amount_in, quote.minimum_out
    if quote.side is Side.BUY:
        words = f"Buy at least {least} wei of the coin for {amount} native wei"
        return Plan(Planned(Action.BUY, words, calls.buy(exchange, coin, amount, least, deadline)))
    words = f"Sell {amount} wei of the coin for at least {least} native wei"
    return Plan(Planned(Action.SELL, words, calls.sell(exchange, coin, amount, least, deadline)), allowance=amount)


def add_liquidity(exchange: str, coin: str, quote: schemas.LiquidityQuote, deadline: int) -> Plan:
    """Plan an addition of liquidity until `deadline` (unix seconds)."""
    words = (
        f"Add {quote.native_amount} native wei and at most {quote.token_limit} wei of the coin to the pool "
        f"for at least {quote.minimum_shares} shares"
    )
    limits = (quote.token_limit, quote.minimum_shares)
    call = calls.add_liquidity(exchange, coin, quote.native_amount, limits, deadline)
    return Plan(Planned(Action.ADD_LIQUIDITY, words, call), allowance=quote.token_limit)


def remove_liquidity(exchange: str, coin: str, quote: schemas.LiquidityQuote, deadline: int) -> Plan:
    """Plan a withdrawal of liquidity until `deadline` (unix seconds)."""
    words = (
        f"Give {quote.shares} shares of the pool back for at least {quote.minimum_native} native wei "
        f"and {quote.token_limit} wei of the coin"
    )
    least = (quote.minimum_native, quote.token_limit)
    return Plan(
        Planned(Action.REMOVE_LIQUIDITY, words, calls.remove_liquidity(exchange, coin, quote.shares, least, deadline))
    )


def approval(exchange: str, coin: str, amount: int) -> Planned:
    """Plan to let the exchange take coins."""
    words = f"Let the exchange take {amount} wei of the coin"
    return Planned(Action.APPROVE, words, calls.approve(coin, exchange, amount))


def simple(exchange: str, coin: str, request: schemas.SimpleRequest) -> Planned:
    """Plan a request that needs neither a quote nor an allowance."""
    match request:
        case schemas.StakeRequest(amount=amount):
            return Planned(Action.STAKE, f"Stake {amount} wei of the coin for 365 days", calls.stake(coin, amount))
        case schemas.UnstakeRequest():
            return Planned(Action.UNSTAKE, "Take the stake back with its rewards", calls.unstake(coin))
        case schemas.ClaimRequest():
            return Planned(Action.CLAIM, "Claim the stake's rewards", calls.claim(coin))
        case schemas.ClaimRevenueRequest():
            return Planned(Action.CLAIM_REVENUE, "Claim the share of the coin's revenue", calls.claim_revenue(coin))
        case schemas.DelegateRequest(delegatee=delegatee):
            words = f"Let {delegatee} vote with the coins, staked ones too"
            return Planned(Action.DELEGATE, words, calls.delegate(coin, delegatee))
        case schemas.ApproveRequest(amount=amount):
            return approval(exchange, coin, amount)


def quote_addition(
    reserves: amm.Reserves, total_shares: int, request: schemas.AddLiquidityRequest
) -> schemas.LiquidityQuote:
    """Quote what the exchange takes and gives for native wei, as its `addLiquidity` computes it."""
    tokens = -(-request.native_amount * reserves.token // reserves.native)
    shares = request.native_amount * total_shares // reserves.native
    return schemas.LiquidityQuote(
        native_amount=request.native_amount,
        token_amount=tokens,
        shares=shares,
        minimum_native=request.native_amount,
        token_limit=-(-tokens * (amm.BASIS_POINTS + request.slippage_bps) // amm.BASIS_POINTS),
        minimum_shares=amm.with_slippage(shares, request.slippage_bps),
    )


def quote_withdrawal(
    reserves: amm.Reserves, total_shares: int, request: schemas.RemoveLiquidityRequest
) -> schemas.LiquidityQuote:
    """Quote what the exchange pays for shares, as its `removeLiquidity` computes it."""
    native = request.shares * reserves.native // total_shares
    tokens = request.shares * reserves.token // total_shares
    return schemas.LiquidityQuote(
        native_amount=native,
        token_amount=tokens,
        shares=request.shares,
        minimum_native=amm.with_slippage(native, request.slippage_bps),
        token_limit=amm.with_slippage(tokens, request.slippage_bps),
        minimum_shares=request.shares,
    )
