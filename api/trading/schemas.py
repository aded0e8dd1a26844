"""The wire form of quotes and of transactions that a wallet is asked to sign."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from api.coins.schemas import Side
from api.mirror.schemas import IndexedBlock
from api.wire import Address, AddressInput, SignedWei, Wei, WeiInput, Wire

MAXIMUM_SLIPPAGE_BPS = 10_000
DEFAULT_SLIPPAGE_BPS = 100
DEFAULT_DEADLINE_SECONDS = 600
MAXIMUM_DEADLINE_SECONDS = 86_400


class Action(StrEnum):
    """What a transaction does."""

    APPROVE = "approve"
    BUY = "buy"
    SELL = "sell"
    STAKE = "stake"
    UNSTAKE = "unstake"
    CLAIM = "claim"
    ADD_LIQUIDITY = "add_liquidity"
    REMOVE_LIQUIDITY = "remove_liquidity"
    CLAIM_REVENUE = "claim_revenue"
    DELEGATE = "delegate"
    VOTE = "vote"
    LAUNCH = "launch"
    DISTRIBUTE_REVENUE = "distribute_revenue"
    WITHDRAW_REVENUE = "withdraw_revenue"
    CLAIM_VESTED = "claim_vested"


class Currency(StrEnum):
    """native: wei of the chain's coin; token: wei of the creator's coin."""

    NATIVE = "native"
    TOKEN = "token"  # noqa: S105 - a currency, not a secret


class Fee(Wire):
    """A fee contained in a quote."""

    amount: Wei = Field(examples=["250000000000000"])
    currency: Currency
    bps: int = Field(examples=[250])


class Refusal(Wire):
    """A reason for which the exchange would refuse the trade, in its own words."""

    reason: str = Field(description="what the transaction would revert with", examples=["dex: Large trade cooldown"])
    passes_at: datetime | None = Field(
        description="from then on it stands no longer by itself; null where that is not known, or takes another amount"
    )


class Quote(Wire):
    """What a trade in the indexed block would have given, to the wei, and what would have refused it."""

    side: Side
    coin: Address
    amount_in: Wei = Field(description="buy: native wei paid in all; sell: coin wei", examples=["10000000000000000"])
    amount_out: Wei = Field(
        description="buy: coin wei; sell: native wei received in all", examples=["19403776148600697953074"]
    )
    minimum_out: Wei = Field(
        description="the slippage floor: with less than this the trade reverts", examples=["19209738387114690973543"]
    )
    slippage_bps: int = Field(examples=[100])
    price_before: Wei = Field(description="spot price: native wei for one whole coin", examples=["500000000000"])
    price_after: Wei = Field(description="spot price after the trade", examples=["501948970546"])
    price_impact_bps: int = Field(
        description="how much worse than the spot price the trade's own size makes it, fees left out, rounded up",
        examples=[20],
    )
    platform_fee: Fee = Field(description="to the coin's platform fee recipient, on the native side")
    pool_fee: Fee = Field(description="to the pool's liquidity providers, out of what is paid in")
    refusals: list[Refusal] = Field(
        description="every safeguard that would refuse it at the indexed block, in the order in which the exchange "
        "looks; empty where it goes through. The wallet's own limits count only where `wallet` is given"
    )
    starts_cooldown_seconds: int | None = Field(
        description="it is a large trade: how long the wallet waits for its next one; null otherwise", examples=[14400]
    )
    trips_breaker: bool = Field(description="it moves the price so far that the pool pauses after it")
    indexed_block: IndexedBlock


class Breaker(Wire):
    """The circuit breaker of a pool."""

    is_open: bool = Field(description="whether it keeps the pool paused at the indexed block")
    until: datetime | None = Field(description="end of its last pause; null where it never tripped")
    trip_count: int = Field(description="how often it tripped", examples=[1])
    trips_at_bps: int = Field(description="move of the price within an hour that trips it", examples=[2_500])
    duration_seconds: int = Field(description="how long it pauses the pool", examples=[3_600])


class AccountLimits(Wire):
    """What limits one wallet in one pool."""

    wallet: Address
    net_flow: SignedWei = Field(description="native wei that its trades brought into the pool today, less taken out")
    holding_left: Wei | None = Field(description="coin wei that it may still buy; null while it is exempt")
    cooldown_until: datetime | None = Field(description="end of the wait after a large trade; null where none stands")
    exempt_until: datetime | None = Field(description="until then its own limits do not apply; null without exemption")


class TradingLimits(Wire):
    """What may be traded in a pool at the indexed block. Native wei are those that enter or leave the reserve."""

    coin: Address
    is_paused: bool = Field(description="whether a guardian paused it")
    breaker: Breaker
    resets_at: datetime = Field(description="when the day's limits begin anew")
    native_in_left: Wei = Field(
        description="what purchases may still bring in today, by the pool's limit and the wallet's where one is given"
    )
    native_out_left: Wei = Field(description="what sales may still take out today, likewise")
    pool_net_flow: SignedWei = Field(description="native wei that trades brought in today, less what they took out")
    pool_daily_limit: Wei = Field(description="how far that may go either way")
    tokens_out_per_trade: Wei = Field(description="the most coin wei that one purchase may pay out")
    native_out_per_trade: Wei = Field(description="the most native wei that one sale may pay out, fee included")
    large_trade: Wei = Field(description="native wei from which a trade is large")
    large_trade_cooldown_seconds: int = Field(description="the wait after a large trade", examples=[14_400])
    account_daily_limit: Wei = Field(description="how far one wallet's net flow may go either way")
    maximum_holding: Wei = Field(description="coin wei that one wallet may hold after a purchase")
    account: AccountLimits | None = Field(description="null where no wallet is asked about")
    indexed_block: IndexedBlock


class _Request(Wire):
    """What every request names."""

    wallet: AddressInput = Field(description="who will sign")


class _TermedRequest(_Request):
    """A request whose outcome moves with the pool."""

    slippage_bps: int = Field(
        DEFAULT_SLIPPAGE_BPS, ge=0, le=MAXIMUM_SLIPPAGE_BPS, description="how much worse than quoted is acceptable"
    )
    deadline_seconds: int = Field(
        DEFAULT_DEADLINE_SECONDS, ge=1, le=MAXIMUM_DEADLINE_SECONDS, description="how long the transaction may wait"
    )


class TradeRequest(_TermedRequest):
    """Buy or sell."""

    kind: Literal["trade"] = "trade"
    side: Side
    amount: WeiInput = Field(
        description="buy: native wei to pay; sell: coin wei to sell", examples=["10000000000000000"]
    )


class AddLiquidityRequest(_TermedRequest):
    """Add native coins to the pool, with as many of the coin as the price asks for."""

    kind: Literal["add_liquidity"]
    native_amount: WeiInput = Field(description="native wei")


class RemoveLiquidityRequest(_TermedRequest):
    """Give shares of the pool back."""

    kind: Literal["remove_liquidity"]
    shares: WeiInput


class StakeRequest(_Request):
    """Stake coins for 365 days."""

    kind: Literal["stake"]
    amount: WeiInput = Field(description="coin wei")


class UnstakeRequest(_Request):
    """Take a stake back, rewards included."""

    kind: Literal["unstake"]


class ClaimRequest(_Request):
    """Claim a stake's rewards."""

    kind: Literal["claim"]


class ClaimRevenueRequest(_Request):
    """Claim the share of the revenue that the coin's creator distributed."""

    kind: Literal["claim_revenue"]


class DelegateRequest(_Request):
    """Let an account, oneself too, vote with the wallet's coins."""

    kind: Literal["delegate"]
    delegatee: AddressInput = Field(description="who votes")


class ApproveRequest(_Request):
    """Let the exchange take coins of the wallet."""

    kind: Literal["approve"]
    amount: WeiInput = Field(description="coin wei in all; replaces what was allowed before")


SimpleRequest = StakeRequest | UnstakeRequest | ClaimRequest | ClaimRevenueRequest | DelegateRequest | ApproveRequest
"""Those that need no quote."""


def _kind(body: object) -> object:
    return body.get("kind", "trade") if isinstance(body, dict) else getattr(body, "kind", None)


TransactionRequest = Annotated[
    Annotated[TradeRequest, Tag("trade")]
    | Annotated[AddLiquidityRequest, Tag("add_liquidity")]
    | Annotated[RemoveLiquidityRequest, Tag("remove_liquidity")]
    | Annotated[StakeRequest, Tag("stake")]
    | Annotated[UnstakeRequest, Tag("unstake")]
    | Annotated[ClaimRequest, Tag("claim")]
    | Annotated[ClaimRevenueRequest, Tag("claim_revenue")]
    | Annotated[DelegateRequest, Tag("delegate")]
    | Annotated[ApproveRequest, Tag("approve")],
    Discriminator(_kind),
]

Quantity = Annotated[str, Field(pattern="^0x(0|[1-9a-f][0-9a-f]*)$", examples=["0x5208"])]
"""An integer as JSON-RPC writes it."""


class UnsignedTransaction(Wire):
    """An EIP-1559 transaction as `eth_sendTransaction` and eth-account's `sign_transaction` take it."""

    type: Literal["0x2"] = "0x2"
    chain_id: Quantity = Field(serialization_alias="chainId")
    sender: Address = Field(serialization_alias="from")
    to: Address
    data: Annotated[str, Field(pattern="^0x([0-9a-f]{2})*$", examples=["0x4e71d92d"])]
    value: Quantity
    nonce: Quantity
    gas: Quantity
    max_fee_per_gas: Quantity = Field(serialization_alias="maxFeePerGas")
    max_priority_fee_per_gas: Quantity = Field(serialization_alias="maxPriorityFeePerGas")


class Step(Wire):
    """One transaction to sign, and what it does."""

    action: Action
    description: str = Field(examples=["Sell 1000000000000000000 wei of the coin for at least 98710000 native wei"])
    transaction: UnsignedTransaction


class LiquidityQuote(Wire):
    """What moves into or out of the pool at the indexed block, to the wei, and what is accepted at worst."""

    native_amount: Wei = Field(description="native wei")
    token_amount: Wei = Field(description="coin wei")
    shares: Wei
    minimum_native: Wei = Field(description="the fewest native wei to receive")
    token_limit: Wei = Field(description="the most coin wei to give, or the fewest to receive")
    minimum_shares: Wei = Field(description="the fewest shares to receive")


class PermitData(Wire):
    """A permit (EIP-2612) for the wallet to sign: whoever sends it to the coin lets the exchange take the coins."""

    typed_data: dict[str, Any] = Field(
        description="as eth_signTypedData_v4 takes it (EIP-712)",
        examples=[{"types": {}, "primaryType": "Permit", "domain": {"name": "Nina Simone"}, "message": {"value": "1"}}],
    )
    expires_at: datetime


class PreparedTransactions(Wire):
    """What the wallet has to sign and send, in this order. The server holds no key and sends nothing."""

    steps: list[Step]
    quote: Quote | None = Field(description="what a trade is based on; null for other kinds")
    liquidity: LiquidityQuote | None = Field(description="what a change of liquidity is based on; null for other kinds")
    expires_at: datetime | None = Field(
        description="a trade or a change of liquidity that is mined later reverts; null for other kinds"
    )
    indexed_block: IndexedBlock
