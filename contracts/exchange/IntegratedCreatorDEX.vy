# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title IntegratedCreatorDEX
@license Apache-2.0
@notice Constant-product pools of the native coin against every registered creator token, in one contract. 30 bps of
        what a trader brings stay in the pool; on top, the token's platform fee is set aside on the native side.
        Trades keep to the limits of the trading_limits module.
@dev Reserves, shares and fees are kept in books, never read from a balance: coins sent here past the functions below
     belong to nobody. Divisions round against the caller.
@custom:kill Guardians pause a pool's trading; nothing stops who removes liquidity.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable

from ..interfaces import ICreatorToken
from ..interfaces import IIntegratedCreatorDEX
from ..interfaces import ITokenDeploymentFactory
from ..interfaces import ITradingLimits
from ..modules import ownership
from ..modules import trading_limits

initializes: ownable
initializes: ownership[ownable := ownable]
initializes: trading_limits[ownable := ownable]

implements: IIntegratedCreatorDEX
implements: ITradingLimits

exports: (ownership.owner, ownership.transferOwnership)
exports: (
    trading_limits.safeguards,
    trading_limits.setSafeguards,
    trading_limits.isGuardian,
    trading_limits.setGuardian,
    trading_limits.exemptUntil,
    trading_limits.grantExemption,
    trading_limits.revokeExemption,
    trading_limits.pausePool,
    trading_limits.unpausePool,
)


struct Pool:
    native: uint256
    token: uint256
    updatedAt: uint256


struct Reserves:
    native: uint256
    token: uint256


struct PriceObservation:
    cumulative: uint256
    timestamp: uint256


event PoolCreated:
    token: indexed(address)
    provider: indexed(address)


event MinimumLiquidityLocked:
    token: indexed(address)
    shares: uint256


event LiquidityAdded:
    token: indexed(address)
    provider: indexed(address)
    nativeAmount: uint256
    tokenAmount: uint256
    shares: uint256
    nativeReserve: uint256
    tokenReserve: uint256


event LiquidityRemoved:
    token: indexed(address)
    provider: indexed(address)
    nativeAmount: uint256
    tokenAmount: uint256
    shares: uint256
    nativeReserve: uint256
    tokenReserve: uint256


event TokensPurchased:
    token: indexed(address)
    buyer: indexed(address)
    nativeIn: uint256
    tokensOut: uint256
    platformFee: uint256
    platformFeeRecipient: address
    nativeReserve: uint256
    tokenReserve: uint256


event TokensSold:
    token: indexed(address)
    seller: indexed(address)
    tokensIn: uint256
    nativeOut: uint256
    platformFee: uint256
    platformFeeRecipient: address
    nativeReserve: uint256
    tokenReserve: uint256


event PlatformFeesWithdrawn:
    recipient: indexed(address)
    amount: uint256


BASIS_POINTS: constant(uint256) = 10_000
# Basis points of what comes in, left in the pool; and what is then left of an input.
poolFeeRate: public(constant(uint256)) = 30
INPUT_SHARE: constant(uint256) = BASIS_POINTS - poolFeeRate
ONE_TOKEN: constant(uint256) = 10**18
# Shares locked at a pool's creation, so that one cannot be made dear enough to round others' deposits to nothing.
minimumLiquidity: public(constant(uint256)) = 1_000

RESERVE_BITS: constant(uint256) = 108
MAXIMUM_RESERVE: constant(uint256) = 2**108 - 1

registry: public(immutable(ITokenDeploymentFactory))

totalShares: public(HashMap[address, uint256])
# token -> provider; the zero address owns what is locked for ever.
sharesOf: public(HashMap[address, HashMap[address, uint256]])
platformFeesDue: public(HashMap[address, uint256])

# token -> native reserve (108 bits), token reserve (108), time of the last change in unix seconds (40): one slot.
_packed_pools: HashMap[address, uint256]
# token -> sum of spot price * seconds up to the last change.
_cumulative_prices: HashMap[address, uint256]


@deploy
def __init__(registry_: ITokenDeploymentFactory):
    """
    @notice The deployer becomes the owner and the first guardian. Emits OwnershipTransferred, SafeguardsUpdated and
            GuardianAuthorisationChanged.
    @param registry_ The TokenDeploymentFactory: only its tokens can have a pool.
    """
    registry = registry_
    ownable.__init__()
    trading_limits.__init__()


@external
@payable
def createPool(token: address, tokenAmount: uint256, sharesReceiver: address) -> uint256:
    """
    @notice Opens the pool of `token` with the value sent and `tokenAmount` of the caller's tokens (approve first).
            1 000 shares are locked for ever. Anybody may. Emits PoolCreated, MinimumLiquidityLocked, LiquidityAdded.
            Reverts with "dex: unknown token", "dex: pool exists", "dex: insufficient liquidity", "dex: reserve too
            large" or "dex: token transfer failed".
    @param token A registered creator token.
    @param tokenAmount Token wei.
    @param sharesReceiver Who receives the shares; the zero address locks them for ever.
    @return The shares received.
    """
    assert staticcall registry.isCreatorToken(token), "dex: unknown token"
    assert self._packed_pools[token] == 0, "dex: pool exists"
    # Before the square root, whose argument must not overflow.
    assert max(msg.value, tokenAmount) <= MAXIMUM_RESERVE, "dex: reserve too large"
    total: uint256 = isqrt(msg.value * tokenAmount)
    assert total > minimumLiquidity, "dex: insufficient liquidity"
    shares: uint256 = total - minimumLiquidity

    self._store(token, Pool(native=0, token=0, updatedAt=block.timestamp), msg.value, tokenAmount)
    # Only differences of the sum count. Were it zero, the first trade of a later second would cost 17 000 gas more
    # than one estimated within the second of the pool's creation, and run out of what its sender estimated.
    self._cumulative_prices[token] = 1
    trading_limits._open(token, msg.value, tokenAmount)
    self.totalShares[token] = total
    self.sharesOf[token][empty(address)] = minimumLiquidity
    self.sharesOf[token][sharesReceiver] += shares
    log PoolCreated(token=token, provider=sharesReceiver)
    log MinimumLiquidityLocked(token=token, shares=minimumLiquidity)
    log LiquidityAdded(
        token=token,
        provider=sharesReceiver,
        nativeAmount=msg.value,
        tokenAmount=tokenAmount,
        shares=shares,
        nativeReserve=msg.value,
        tokenReserve=tokenAmount,
    )
    self._receive_tokens(token, tokenAmount)
    return shares


@external
@payable
def addLiquidity(token: address, tokenAmountMax: uint256, minShares: uint256, deadline: uint256) -> uint256:
    """
    @notice Adds the whole value sent and as many of the caller's tokens (approve first) as the price asks for.
            Anybody may. Emits LiquidityAdded. Reverts with "dex: deadline passed", "dex: no pool", "dex: slippage
            exceeded", "dex: amount too small", "dex: reserve too large", "dex: pool paused" or "dex: token transfer
            failed".
    @param token The pool's token.
    @param tokenAmountMax The most to take, in token wei.
    @param minShares The fewest shares to accept.
    @param deadline The last moment, in unix seconds.
    @return The shares received.
    """
    self._check_deadline(deadline)
    pool: Pool = self._load(token)
    token_amount: uint256 = self._ceil_div(msg.value * pool.token, pool.native)
    total: uint256 = self.totalShares[token]
    shares: uint256 = msg.value * total // pool.native
    assert shares > 0, "dex: amount too small"
    assert shares >= minShares and token_amount <= tokenAmountMax, "dex: slippage exceeded"

    native_reserve: uint256 = pool.native + msg.value
    token_reserve: uint256 = pool.token + token_amount
    self._store(token, pool, native_reserve, token_reserve)
    guard: uint256 = trading_limits._scale(token, pool.native, pool.token, pool.updatedAt, native_reserve)
    trading_limits._check_not_paused(guard)
    self.totalShares[token] = total + shares
    self.sharesOf[token][msg.sender] += shares
    log LiquidityAdded(
        token=token,
        provider=msg.sender,
        nativeAmount=msg.value,
        tokenAmount=token_amount,
        shares=shares,
        nativeReserve=native_reserve,
        tokenReserve=token_reserve,
    )
    self._receive_tokens(token, token_amount)
    return shares


@external
def removeLiquidity(
    token: address, shares: uint256, minNative: uint256, minTokens: uint256, deadline: uint256
) -> Reserves:
    """
    @notice Gives the caller's shares back for its part of both reserves. Always works for who holds shares.
            Emits LiquidityRemoved. Reverts with "dex: deadline passed", "dex: no pool", "dex: insufficient shares",
            "dex: slippage exceeded", "dex: token transfer failed" or, if the caller refuses the coin, "dex: native
            transfer failed".
    @param token The pool's token.
    @param shares How many shares.
    @param minNative The least to accept, in native wei.
    @param minTokens The least to accept, in token wei.
    @param deadline The last moment, in unix seconds.
    @return What was paid, in native wei and token wei.
    """
    self._check_deadline(deadline)
    pool: Pool = self._load(token)
    held: uint256 = self.sharesOf[token][msg.sender]
    assert shares > 0 and shares <= held, "dex: insufficient shares"
    total: uint256 = self.totalShares[token]
    # The locked shares keep both reserves above zero.
    native_amount: uint256 = shares * pool.native // total
    token_amount: uint256 = shares * pool.token // total
    assert native_amount >= minNative and token_amount >= minTokens, "dex: slippage exceeded"

    native_reserve: uint256 = pool.native - native_amount
    token_reserve: uint256 = pool.token - token_amount
    self._store(token, pool, native_reserve, token_reserve)
    trading_limits._scale(token, pool.native, pool.token, pool.updatedAt, native_reserve)
    self.totalShares[token] = total - shares
    self.sharesOf[token][msg.sender] = held - shares
    log LiquidityRemoved(
        token=token,
        provider=msg.sender,
        nativeAmount=native_amount,
        tokenAmount=token_amount,
        shares=shares,
        nativeReserve=native_reserve,
        tokenReserve=token_reserve,
    )
    self._send_tokens(token, token_amount)
    self._send_native(msg.sender, native_amount)
    return Reserves(native=native_amount, token=token_amount)


@external
@payable
def buyTokens(token: address, minTokensOut: uint256, deadline: uint256 = max_value(uint256)) -> uint256:
    """
    @notice Buys tokens with the whole value sent. Anybody may. Emits TokensPurchased, after WhaleTrade if the trade is
            large and CircuitBreakerTripped if it moves the price too far. Reverts with "dex: deadline passed", "dex: no
            pool", "dex: slippage exceeded", "dex: amount too small", "dex: reserve too large", "dex: token transfer
            failed", and by the safeguards with "dex: pool paused", "dex: circuit breaker", "dex: price impact too
            high", "dex: pool daily limit exceeded", "dex: Large trade cooldown", "dex: Daily volume limit exceeded" or
            "dex: maximum holding exceeded".
    @param token The pool's token.
    @param minTokensOut The least to accept, in token wei.
    @param deadline The last moment, in unix seconds; none, unless given.
    @return The tokens bought, in token wei.
    """
    self._check_deadline(deadline)
    pool: Pool = self._load(token)
    guard: uint256 = trading_limits._open_guard(token)
    terms: ICreatorToken.PlatformFee = staticcall ICreatorToken(token).platformFee()
    fee: uint256 = 0
    tokens_out: uint256 = 0
    tokens_out, fee = self._quote_purchase(terms.rate, pool, msg.value)
    assert tokens_out > 0, "dex: amount too small"
    assert tokens_out >= minTokensOut, "dex: slippage exceeded"

    native_reserve: uint256 = pool.native + msg.value - fee
    token_reserve: uint256 = pool.token - tokens_out
    self._store(token, pool, native_reserve, token_reserve)
    trading_limits._record_trade(
        guard, token, pool.native, pool.token, pool.updatedAt, native_reserve, token_reserve
    )
    recipient: address = self._set_fee_aside(terms.recipient, fee)
    log TokensPurchased(
        token=token,
        buyer=msg.sender,
        nativeIn=msg.value,
        tokensOut=tokens_out,
        platformFee=fee,
        platformFeeRecipient=recipient,
        nativeReserve=native_reserve,
        tokenReserve=token_reserve,
    )
    self._send_tokens(token, tokens_out)
    return tokens_out


@external
def sellTokens(
    token: address, amount: uint256, minNativeOut: uint256, deadline: uint256 = max_value(uint256)
) -> uint256:
    """
    @notice Sells `amount` of the caller's tokens (approve first). Anybody may. Emits TokensSold, after what the
            safeguards emit. Reverts as `buyTokens` does, though never for the maximum holding, or, if the caller
            refuses the coin, with "dex: native transfer failed".
    @param token The pool's token.
    @param amount Token wei.
    @param minNativeOut The least to accept after all fees, in native wei.
    @param deadline The last moment, in unix seconds; none, unless given.
    @return What was paid, in native wei.
    """
    self._check_deadline(deadline)
    pool: Pool = self._load(token)
    guard: uint256 = trading_limits._open_guard(token)
    terms: ICreatorToken.PlatformFee = staticcall ICreatorToken(token).platformFee()
    gross: uint256 = 0
    fee: uint256 = 0
    gross, fee = self._quote_sale(terms.rate, pool, amount)
    native_out: uint256 = gross - fee
    assert native_out > 0, "dex: amount too small"
    assert native_out >= minNativeOut, "dex: slippage exceeded"

    native_reserve: uint256 = pool.native - gross
    token_reserve: uint256 = pool.token + amount
    self._store(token, pool, native_reserve, token_reserve)
    trading_limits._record_trade(
        guard, token, pool.native, pool.token, pool.updatedAt, native_reserve, token_reserve
    )
    recipient: address = self._set_fee_aside(terms.recipient, fee)
    log TokensSold(
        token=token,
        seller=msg.sender,
        tokensIn=amount,
        nativeOut=native_out,
        platformFee=fee,
        platformFeeRecipient=recipient,
        nativeReserve=native_reserve,
        tokenReserve=token_reserve,
    )
    self._receive_tokens(token, amount)
    self._send_native(msg.sender, native_out)
    return native_out


@external
def withdrawPlatformFees(recipient: address) -> uint256:
    """
    @notice Pays `recipient` all platform fees due to it. Anybody may call. Emits PlatformFeesWithdrawn.
            Reverts with "dex: no fees due" or, if the recipient refuses the coin, "dex: native transfer failed".
    @param recipient Who is paid.
    @return What was paid, in native wei.
    """
    amount: uint256 = self.platformFeesDue[recipient]
    assert amount > 0, "dex: no fees due"
    self.platformFeesDue[recipient] = 0
    log PlatformFeesWithdrawn(recipient=recipient, amount=amount)
    self._send_native(recipient, amount)
    return amount


@external
@view
def getTokensOut(token: address, nativeIn: uint256) -> uint256:
    """
    @notice What `buyTokens` would give now. Reverts with "dex: no pool".
    @param token The pool's token.
    @param nativeIn Native wei.
    @return Token wei; zero where a purchase would be too small.
    """
    pool: Pool = self._load(token)
    return self._quote_purchase((staticcall ICreatorToken(token).platformFee()).rate, pool, nativeIn)[0]


@external
@view
def getNativeOut(token: address, tokensIn: uint256) -> uint256:
    """
    @notice What `sellTokens` would pay now, after all fees. Reverts with "dex: no pool".
    @param token The pool's token.
    @param tokensIn Token wei.
    @return Native wei; zero where a sale would be too small.
    """
    pool: Pool = self._load(token)
    gross: uint256 = 0
    fee: uint256 = 0
    gross, fee = self._quote_sale((staticcall ICreatorToken(token).platformFee()).rate, pool, tokensIn)
    return gross - fee


@external
@view
def spotPrice(token: address) -> uint256:
    """
    @notice The price of an infinitely small trade before fees. Reverts with "dex: no pool".
    @dev One transaction can move it at will: whoever settles money by a price takes `cumulativePrice`.
    @param token The pool's token.
    @return Native wei per 10**18 token wei, rounded down.
    """
    return self._spot_price(self._load(token))


@external
@view
def cumulativePrice(token: address) -> PriceObservation:
    """
    @notice Spot price summed over seconds up to now: the difference of two observations divided by the seconds
            between them is the time-weighted average price. Reverts with "dex: no pool".
    @param token The pool's token.
    @return The sum, in native wei per 10**18 token wei times seconds, and the present time in unix seconds.
    """
    pool: Pool = self._load(token)
    return PriceObservation(
        cumulative=self._cumulative_prices[token] + self._price_seconds(pool), timestamp=block.timestamp
    )


@external
@view
def reserves(token: address) -> Reserves:
    """
    @notice The pool's reserves; zero where there is no pool.
    @param token The pool's token.
    @return Native wei and token wei.
    """
    packed: uint256 = self._packed_pools[token]
    return Reserves(native=packed & MAXIMUM_RESERVE, token=(packed >> RESERVE_BITS) & MAXIMUM_RESERVE)


@external
@view
def getTradingLimits(user: address, token: address) -> ITradingLimits.TradingLimits:
    """
    @notice What `user` may trade in a pool now, what is left of each limit and until when. Reverts with "dex: no pool".
    @param user The trader.
    @param token The pool's token.
    @return The limits; see ITradingLimits for units.
    """
    pool: Pool = self._load(token)
    return trading_limits._limits(user, token, pool.native, pool.token, pool.updatedAt)


@internal
@pure
def _quote_purchase(rate: uint256, pool: Pool, native_in: uint256) -> (uint256, uint256):
    """
    @param rate The platform fee's, in basis points.
    @return Tokens out and platform fee; the pool keeps the rest of `native_in`.
    """
    fee: uint256 = self._platform_fee(rate, native_in)
    weighted_in: uint256 = (native_in - fee) * INPUT_SHARE
    return (weighted_in * pool.token // (unsafe_mul(pool.native, BASIS_POINTS) + weighted_in), fee)


@internal
@pure
def _quote_sale(rate: uint256, pool: Pool, tokens_in: uint256) -> (uint256, uint256):
    """
    @param rate The platform fee's, in basis points.
    @return What leaves the pool, in native wei, and the platform fee contained in it.
    """
    weighted_in: uint256 = tokens_in * INPUT_SHARE
    gross: uint256 = weighted_in * pool.native // (unsafe_mul(pool.token, BASIS_POINTS) + weighted_in)
    return (gross, self._platform_fee(rate, gross))


@internal
@pure
def _platform_fee(rate: uint256, native_amount: uint256) -> uint256:
    # Rounded up.
    return (native_amount * rate + BASIS_POINTS - 1) // BASIS_POINTS


@internal
def _set_fee_aside(recipient: address, fee: uint256) -> address:
    if fee == 0:
        return empty(address)
    self.platformFeesDue[recipient] += fee
    return recipient


@internal
@view
def _load(token: address) -> Pool:
    packed: uint256 = self._packed_pools[token]
    assert packed != 0, "dex: no pool"
    return Pool(
        native=packed & MAXIMUM_RESERVE,
        token=(packed >> RESERVE_BITS) & MAXIMUM_RESERVE,
        updatedAt=packed >> (2 * RESERVE_BITS),
    )


@internal
def _store(token: address, before: Pool, native_reserve: uint256, token_reserve: uint256):
    assert max(native_reserve, token_reserve) <= MAXIMUM_RESERVE, "dex: reserve too large"
    if before.updatedAt < block.timestamp:
        self._cumulative_prices[token] += self._price_seconds(before)
    # The 40 bits left for the time last for 34 000 years.
    self._packed_pools[token] = (
        native_reserve | (token_reserve << RESERVE_BITS) | (block.timestamp << (2 * RESERVE_BITS))
    )


@internal
@view
def _price_seconds(pool: Pool) -> uint256:
    """
    @return The spot price times the seconds since the last change.
    """
    # At most 2**168 * 2**40, as is their sum since the beginning.
    return unsafe_mul(self._spot_price(pool), unsafe_sub(block.timestamp, pool.updatedAt))


@internal
@pure
def _spot_price(pool: Pool) -> uint256:
    return unsafe_div(unsafe_mul(pool.native, ONE_TOKEN), pool.token)


@internal
def _receive_tokens(token: address, amount: uint256):
    assert extcall IERC20(token).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "dex: token transfer failed"


@internal
def _send_tokens(token: address, amount: uint256):
    assert extcall IERC20(token).transfer(msg.sender, amount, default_return_value=True), "dex: token transfer failed"


@internal
def _send_native(receiver: address, amount: uint256):
    sent: bool = raw_call(receiver, b"", value=amount, revert_on_failure=False)
    assert sent, "dex: native transfer failed"


@internal
@pure
def _ceil_div(numerator: uint256, denominator: uint256) -> uint256:
    return (numerator + unsafe_sub(denominator, 1)) // denominator


@internal
@view
def _check_deadline(deadline: uint256):
    assert block.timestamp <= deadline, "dex: deadline passed"
