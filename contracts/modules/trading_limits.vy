# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title Trading safeguards of the exchange
@license Apache-2.0
@notice What one account may trade in one pool in a day, how soon after a large trade, and how much it may come to hold;
        how far a pool may be moved by one trade, in a day, and in an hour before trading pauses by itself. Guardians
        exempt accounts from their own limits for a time, and pause pools. Liquidity can always be removed.
@dev Limits are on net flow, the change of the native reserve by trades: gross volume would let anybody trade a pool
     shut against itself. Accounts are free to make, so an account's limits only slow down; the pool's hold against any
     number of accounts. A pool's flow of the day is not counted but derived: reserve now less reserve at the day's
     first trade, which liquidity, when it comes or goes, scales as it scales the reserve. That and the state of the
     breaker are one slot, read by every trade and written by the first one of an hour.
     Days and hours are UTC's: around their turn twice the limit goes through.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable

from ..interfaces import ITradingLimits

uses: ownable


event SafeguardsUpdated:
    accountDailyFlowBps: uint256
    poolDailyFlowBps: uint256
    largeTradeBps: uint256
    largeTradeCooldown: uint256
    maximumHoldingBps: uint256
    maximumImpactBps: uint256
    breakerBps: uint256
    breakerDuration: uint256


event GuardianAuthorisationChanged:
    guardian: indexed(address)
    authorised: bool


event ExemptionGranted:
    account: indexed(address)
    token: indexed(address)
    until: uint256
    guardian: indexed(address)


event ExemptionRevoked:
    account: indexed(address)
    token: indexed(address)
    guardian: indexed(address)


event PoolPaused:
    token: indexed(address)
    guardian: indexed(address)


event PoolUnpaused:
    token: indexed(address)
    guardian: indexed(address)


# `nativeAmount` is what entered (a purchase) or left the reserve: the platform's fee is not in it.
event WhaleTrade:
    token: indexed(address)
    trader: indexed(address)
    isPurchase: bool
    nativeAmount: uint256
    tokenAmount: uint256
    cooldownUntil: uint256


# Prices in native wei for 10**18 token wei, rounded down.
event CircuitBreakerTripped:
    token: indexed(address)
    trader: indexed(address)
    startPrice: uint256
    price: uint256
    until: uint256


BASIS_POINTS: constant(uint256) = 10_000
ONE_TOKEN: constant(uint256) = 10**18
HOUR: constant(uint256) = 3_600
DAY: constant(uint256) = 86_400
# Seconds: an appeal buys time, not a privilege.
LONGEST_EXEMPTION: constant(uint256) = 30 * DAY

# The safeguards in the order of their struct, 32 bits each: one slot.
SETTING_MASK: constant(uint256) = 2**32 - 1
POOL_DAILY_SHIFT: constant(uint256) = 32
LARGE_TRADE_SHIFT: constant(uint256) = 64
COOLDOWN_SHIFT: constant(uint256) = 96
HOLDING_SHIFT: constant(uint256) = 128
IMPACT_SHIFT: constant(uint256) = 160
BREAKER_SHIFT: constant(uint256) = 192
BREAKER_DURATION_SHIFT: constant(uint256) = 224

# A pool's guard: native reserve at the day's first trade (108 bits), price at the hour's (112), end of the breaker's
# pause in unix seconds (35), whether a guardian paused it (1): one slot.
RESERVE_MASK: constant(uint256) = 2**108 - 1
START_PRICE_SHIFT: constant(uint256) = 108
PRICE_MASK: constant(uint256) = 2**112 - 1
BREAKER_UNTIL_SHIFT: constant(uint256) = 220
BREAKER_UNTIL_MASK: constant(uint256) = 2**35 - 1
PAUSED: constant(uint256) = 1 << 255
# Native wei for a token wei, times 2**76: from a coin for 10**22 tokens to 10**10 coins for a token, prices keep eight
# digits or more; those out of range count as its ends.
PRICE_BITS: constant(uint256) = 76

# An account's books in a pool: net flow of its day plus 2**127 (128 bits), end of its cooldown in unix seconds (64),
# the day (64): one slot. No account moves 2**127 wei in a day.
BALANCED: constant(uint256) = 2**127
FLOW_MASK: constant(uint256) = 2**128 - 1
COOLDOWN_UNTIL_SHIFT: constant(uint256) = 128
COOLDOWN_UNTIL_MASK: constant(uint256) = 2**64 - 1
ACCOUNT_DAY_SHIFT: constant(uint256) = 192

isGuardian: public(HashMap[address, bool])
# account -> token -> unix seconds.
exemptUntil: public(HashMap[address, HashMap[address, uint256]])

_packed_safeguards: uint256
# token -> guard.
_guards: HashMap[address, uint256]
# token -> account -> books.
_accounts: HashMap[address, HashMap[address, uint256]]


@deploy
def __init__():
    """
    @notice The owner becomes the first guardian. Emits SafeguardsUpdated and GuardianAuthorisationChanged.
    """
    self._set_safeguards(
        ITradingLimits.Safeguards(
            accountDailyFlowBps=500,
            poolDailyFlowBps=3_000,
            largeTradeBps=200,
            largeTradeCooldown=4 * HOUR,
            maximumHoldingBps=500,
            maximumImpactBps=1_000,
            breakerBps=2_500,
            breakerDuration=HOUR,
        )
    )
    self._set_guardian(ownable.owner, True)


@external
def setSafeguards(newSafeguards: ITradingLimits.Safeguards):
    """
    @notice Changes the limits of all pools from now on. The owner only. Emits SafeguardsUpdated. Reverts with
            "ownable: caller is not the owner" or, naming the first that is out of its bounds, "dex: account limit out
            of range" (100 to 10 000 bps), "dex: pool limit out of range" (500 to 10 000), "dex: large trade out of
            range" (10 to 5 000), "dex: cooldown out of range" (up to 24 h), "dex: holding out of range" (50 to 10 000),
            "dex: impact out of range" (100 to 5 000), "dex: breaker out of range" (500 to 9 000) or "dex: breaker
            pause out of range" (5 min to 24 h).
    @param newSafeguards All of them, also those that stay.
    """
    ownable._check_owner()
    self._set_safeguards(newSafeguards)


@external
def setGuardian(guardian: address, authorised: bool):
    """
    @notice Makes an account a guardian or dismisses it. The owner only. Emits GuardianAuthorisationChanged.
            Reverts with "ownable: caller is not the owner" or "dex: guardian is the zero address".
    @param guardian The account.
    @param authorised Whether it is a guardian from now on; what it granted or paused stays.
    """
    ownable._check_owner()
    assert guardian != empty(address), "dex: guardian is the zero address"
    self._set_guardian(guardian, authorised)


@external
def grantExemption(account: address, token: address, until: uint256):
    """
    @notice Lifts an account's daily limit, cooldown and maximum holding in one pool for a time; the pool's own limits
            stay. Replaces an earlier exemption. Guardians only. Emits ExemptionGranted.
            Reverts with "dex: caller is not a guardian" or "dex: exemption out of range".
    @param account Who appealed.
    @param token The pool's token.
    @param until The end, in unix seconds: later than now, at most 30 days ahead.
    """
    self._check_guardian()
    assert until > block.timestamp and until <= block.timestamp + LONGEST_EXEMPTION, "dex: exemption out of range"
    self.exemptUntil[account][token] = until
    log ExemptionGranted(account=account, token=token, until=until, guardian=msg.sender)


@external
def revokeExemption(account: address, token: address):
    """
    @notice Ends an exemption at once. Guardians only. Emits ExemptionRevoked.
            Reverts with "dex: caller is not a guardian" or "dex: no exemption".
    @param account Who was exempt.
    @param token The pool's token.
    """
    self._check_guardian()
    assert self._is_exempt(account, token), "dex: no exemption"
    self.exemptUntil[account][token] = 0
    log ExemptionRevoked(account=account, token=token, guardian=msg.sender)


@external
def pausePool(token: address):
    """
    @notice Stops purchases, sales and additions of liquidity; removing it still works. Guardians only.
            Emits PoolPaused. Reverts with "dex: caller is not a guardian", "dex: no pool" or "dex: pool paused".
    @param token The pool's token.
    """
    self._check_guardian()
    guard: uint256 = self._guards[token]
    assert guard != 0, "dex: no pool"
    assert guard & PAUSED == 0, "dex: pool paused"
    self._guards[token] = guard | PAUSED
    log PoolPaused(token=token, guardian=msg.sender)


@external
def unpausePool(token: address):
    """
    @notice Ends a guardian's pause, not the circuit breaker's. Guardians only. Emits PoolUnpaused.
            Reverts with "dex: caller is not a guardian" or "dex: pool not paused".
    @param token The pool's token.
    """
    self._check_guardian()
    guard: uint256 = self._guards[token]
    assert guard & PAUSED != 0, "dex: pool not paused"
    self._guards[token] = guard ^ PAUSED
    log PoolUnpaused(token=token, guardian=msg.sender)


@external
@view
def safeguards() -> ITradingLimits.Safeguards:
    """
    @notice The limits of all pools.
    @return Shares in basis points, times in seconds.
    """
    settings: uint256 = self._packed_safeguards
    return ITradingLimits.Safeguards(
        accountDailyFlowBps=settings & SETTING_MASK,
        poolDailyFlowBps=self._setting(settings, POOL_DAILY_SHIFT),
        largeTradeBps=self._setting(settings, LARGE_TRADE_SHIFT),
        largeTradeCooldown=self._setting(settings, COOLDOWN_SHIFT),
        maximumHoldingBps=self._setting(settings, HOLDING_SHIFT),
        maximumImpactBps=self._setting(settings, IMPACT_SHIFT),
        breakerBps=self._setting(settings, BREAKER_SHIFT),
        breakerDuration=settings >> BREAKER_DURATION_SHIFT,
    )


@internal
def _open(token: address, native: uint256, tokens: uint256):
    """
    @dev To be called when a pool comes to be, with its reserves.
    """
    self._guards[token] = native | self._price(native, tokens) << START_PRICE_SHIFT


@internal
def _scale(token: address, native: uint256, tokens: uint256, changed_at: uint256, native_after: uint256) -> uint256:
    """
    @dev To be called when liquidity comes or goes, with the reserves before it, when they last changed, and the native
         reserve after it: flows keep their proportion to the reserve, so that nobody widens or narrows the limits by
         moving liquidity.
    @return The guard, for who asks whether the pool is paused.
    """
    guard: uint256 = self._current_guard(self._guards[token], native, tokens, changed_at)
    # Rounded up: never zero, from which nothing could scale back.
    reserve: uint256 = min(((guard & RESERVE_MASK) * native_after + native - 1) // native, RESERVE_MASK)
    self._guards[token] = guard >> START_PRICE_SHIFT << START_PRICE_SHIFT | reserve
    return guard


@internal
@view
def _check_not_paused(guard: uint256):
    assert guard & PAUSED == 0, "dex: pool paused"


@internal
@view
def _open_guard(token: address) -> uint256:
    """
    @return The guard of a pool in which trading goes on.
    """
    guard: uint256 = self._guards[token]
    if guard >> BREAKER_UNTIL_SHIFT != 0:
        self._check_not_paused(guard)
        assert block.timestamp >= guard >> BREAKER_UNTIL_SHIFT, "dex: circuit breaker"
    return guard


@internal
def _record_trade(
    stored_guard: uint256,
    token: address,
    native: uint256,
    tokens: uint256,
    changed_at: uint256,
    native_after: uint256,
    tokens_after: uint256,
):
    """
    @dev To be called by every trade of msg.sender with what `_open_guard` returned, the reserves before it, when they
         last changed, and the reserves after it. Reverts with "dex: price impact too high", "dex: pool daily limit
         exceeded", "dex: Large trade cooldown", "dex: Daily volume limit exceeded" or, for a purchase, "dex: maximum
         holding exceeded". Emits WhaleTrade and CircuitBreakerTripped.
    """
    guard: uint256 = stored_guard
    if unsafe_div(changed_at, HOUR) != unsafe_div(block.timestamp, HOUR):
        guard = self._current_guard(guard, native, tokens, changed_at)
    # Reserves are below 2**108, shares and seconds below 2**32: where a product or a sum of them is unsafe here, it
    # cannot overflow. Differences follow from the side of the trade or from a share of at most 10 000 bps.
    settings: uint256 = self._packed_safeguards
    reserve: uint256 = guard & RESERVE_MASK
    account_limit: uint256 = unsafe_mul(reserve, settings & SETTING_MASK) // BASIS_POINTS
    pool_limit: uint256 = unsafe_mul(reserve, (settings >> POOL_DAILY_SHIFT) & SETTING_MASK) // BASIS_POINTS
    maximum_impact: uint256 = (settings >> IMPACT_SHIFT) & SETTING_MASK

    account: uint256 = self._accounts[token][msg.sender]
    today: uint256 = unsafe_div(block.timestamp, DAY)
    flow: uint256 = BALANCED
    if account >> ACCOUNT_DAY_SHIFT == today:
        flow = account & FLOW_MASK
    cooldown_until: uint256 = (account >> COOLDOWN_UNTIL_SHIFT) & COOLDOWN_UNTIL_MASK

    native_amount: uint256 = 0
    token_amount: uint256 = 0
    within_limit: bool = False
    is_purchase: bool = native_after > native
    # A trade towards zero passes whatever the flow is. The price impact, fees left out, is the part that leaves the
    # reserve that pays.
    if is_purchase:
        native_amount = unsafe_sub(native_after, native)
        token_amount = unsafe_sub(tokens, tokens_after)
        assert unsafe_mul(token_amount, BASIS_POINTS) <= unsafe_mul(tokens, maximum_impact), "dex: price impact too high"
        assert native_after <= unsafe_add(reserve, pool_limit), "dex: pool daily limit exceeded"
        flow += native_amount
        within_limit = flow <= unsafe_add(BALANCED, account_limit)
    else:
        native_amount = unsafe_sub(native, native_after)
        token_amount = unsafe_sub(tokens_after, tokens)
        assert unsafe_mul(native_amount, BASIS_POINTS) <= unsafe_mul(native, maximum_impact), "dex: price impact too high"
        assert native_after >= unsafe_sub(reserve, pool_limit), "dex: pool daily limit exceeded"
        flow -= native_amount
        within_limit = flow >= unsafe_sub(BALANCED, account_limit)
    if block.timestamp < cooldown_until:
        assert self._is_exempt(msg.sender, token), "dex: Large trade cooldown"
    if not within_limit:
        assert self._is_exempt(msg.sender, token), "dex: Daily volume limit exceeded"
    if is_purchase:
        self._check_holding((settings >> HOLDING_SHIFT) & SETTING_MASK, token, token_amount, tokens)

    if unsafe_mul(native_amount, BASIS_POINTS) >= unsafe_mul(reserve, (settings >> LARGE_TRADE_SHIFT) & SETTING_MASK):
        cooldown_until = unsafe_add(block.timestamp, (settings >> COOLDOWN_SHIFT) & SETTING_MASK)
        log WhaleTrade(
            token=token,
            trader=msg.sender,
            isPurchase=is_purchase,
            nativeAmount=native_amount,
            tokenAmount=token_amount,
            cooldownUntil=cooldown_until,
        )
    self._accounts[token][msg.sender] = flow | cooldown_until << COOLDOWN_UNTIL_SHIFT | today << ACCOUNT_DAY_SHIFT

    start_price: uint256 = (guard >> START_PRICE_SHIFT) & PRICE_MASK
    price: uint256 = self._price(native_after, tokens_after)
    moved: uint256 = unsafe_sub(max(price, start_price), min(price, start_price))
    if unsafe_mul(moved, BASIS_POINTS) > unsafe_mul(start_price, (settings >> BREAKER_SHIFT) & SETTING_MASK):
        # It completes, or that it tripped would be undone too. What comes after is measured from where it left off.
        until: uint256 = block.timestamp + (settings >> BREAKER_DURATION_SHIFT)
        guard = reserve | price << START_PRICE_SHIFT | until << BREAKER_UNTIL_SHIFT
        log CircuitBreakerTripped(
            token=token,
            trader=msg.sender,
            startPrice=start_price * ONE_TOKEN >> PRICE_BITS,
            price=price * ONE_TOKEN >> PRICE_BITS,
            until=until,
        )
    if guard != stored_guard:
        self._guards[token] = guard


@internal
@view
def _limits(
    account: address, token: address, native: uint256, tokens: uint256, changed_at: uint256
) -> ITradingLimits.TradingLimits:
    """
    @return What `getTradingLimits` tells of a pool with these reserves.
    """
    settings: uint256 = self._packed_safeguards
    guard: uint256 = self._current_guard(self._guards[token], native, tokens, changed_at)
    reserve: uint256 = guard & RESERVE_MASK
    books: uint256 = self._accounts[token][account]
    today: uint256 = block.timestamp // DAY
    account_flow: int256 = 0
    if books >> ACCOUNT_DAY_SHIFT == today:
        account_flow = convert(books & FLOW_MASK, int256) - convert(BALANCED, int256)

    limits: ITradingLimits.TradingLimits = empty(ITradingLimits.TradingLimits)
    limits.resetsAt = (today + 1) * DAY
    limits.accountNetFlow = account_flow
    limits.accountDailyLimit = reserve * (settings & SETTING_MASK) // BASIS_POINTS
    limits.poolNetFlow = convert(native, int256) - convert(reserve, int256)
    limits.poolDailyLimit = reserve * self._setting(settings, POOL_DAILY_SHIFT) // BASIS_POINTS
    limits.tokensOutPerTrade = tokens * self._setting(settings, IMPACT_SHIFT) // BASIS_POINTS
    limits.nativeOutPerTrade = native * self._setting(settings, IMPACT_SHIFT) // BASIS_POINTS
    limits.largeTrade = self._ceil_bps(reserve, self._setting(settings, LARGE_TRADE_SHIFT))
    limits.cooldownUntil = (books >> COOLDOWN_UNTIL_SHIFT) & COOLDOWN_UNTIL_MASK
    limits.maximumHolding = (
        staticcall IERC20(token).totalSupply() * self._setting(settings, HOLDING_SHIFT) // BASIS_POINTS
    )
    limits.breakerUntil = (guard >> BREAKER_UNTIL_SHIFT) & BREAKER_UNTIL_MASK
    limits.paused = guard & PAUSED != 0
    limits.exemptUntil = self.exemptUntil[account][token]

    limits.nativeInLeft = self._left(limits.poolNetFlow, limits.poolDailyLimit)
    limits.nativeOutLeft = self._left(-limits.poolNetFlow, limits.poolDailyLimit)
    pool_in_left: uint256 = limits.nativeInLeft
    pool_out_left: uint256 = limits.nativeOutLeft
    exempt: bool = self._is_exempt(account, token)
    if exempt:
        limits.holdingLeft = max_value(uint256)
    else:
        limits.nativeInLeft = min(pool_in_left, self._left(account_flow, limits.accountDailyLimit))
        limits.nativeOutLeft = min(pool_out_left, self._left(-account_flow, limits.accountDailyLimit))
        held: uint256 = staticcall IERC20(token).balanceOf(account)
        if held < limits.maximumHolding:
            limits.holdingLeft = limits.maximumHolding - held

    if limits.paused:
        limits.purchaseRefusal = "dex: pool paused"
        limits.purchaseRefusedUntil = max_value(uint256)
    elif block.timestamp < limits.breakerUntil:
        limits.purchaseRefusal = "dex: circuit breaker"
        limits.purchaseRefusedUntil = limits.breakerUntil
    elif not exempt and block.timestamp < limits.cooldownUntil:
        limits.purchaseRefusal = "dex: Large trade cooldown"
        limits.purchaseRefusedUntil = limits.cooldownUntil
    if len(limits.purchaseRefusal) > 0:
        limits.saleRefusal = limits.purchaseRefusal
        limits.saleRefusedUntil = limits.purchaseRefusedUntil
        return limits

    if pool_in_left == 0:
        limits.purchaseRefusal = "dex: pool daily limit exceeded"
        limits.purchaseRefusedUntil = limits.resetsAt
    elif limits.nativeInLeft == 0:
        limits.purchaseRefusal = "dex: Daily volume limit exceeded"
        limits.purchaseRefusedUntil = limits.resetsAt
    elif limits.holdingLeft == 0:
        limits.purchaseRefusal = "dex: maximum holding exceeded"
        limits.purchaseRefusedUntil = max_value(uint256)
    if pool_out_left == 0:
        limits.saleRefusal = "dex: pool daily limit exceeded"
        limits.saleRefusedUntil = limits.resetsAt
    elif limits.nativeOutLeft == 0:
        limits.saleRefusal = "dex: Daily volume limit exceeded"
        limits.saleRefusedUntil = limits.resetsAt
    return limits


@internal
@view
def _check_holding(maximum_bps: uint256, token: address, tokens_out: uint256, token_reserve: uint256):
    holding: uint256 = staticcall IERC20(token).balanceOf(msg.sender) + tokens_out
    # The reserve is a part of the supply: who stays below that share of it need not ask for the whole.
    if holding * BASIS_POINTS > unsafe_mul(token_reserve, maximum_bps):
        if holding * BASIS_POINTS > staticcall IERC20(token).totalSupply() * maximum_bps:
            assert self._is_exempt(msg.sender, token), "dex: maximum holding exceeded"


@internal
@view
def _current_guard(guard: uint256, native: uint256, tokens: uint256, changed_at: uint256) -> uint256:
    """
    @return The guard, with the reserves before the first change of this hour and this day as what limits refer to.
    """
    if changed_at // HOUR == block.timestamp // HOUR:
        return guard
    reserve: uint256 = guard & RESERVE_MASK
    if changed_at // DAY != block.timestamp // DAY:
        reserve = native
    return (
        guard >> BREAKER_UNTIL_SHIFT << BREAKER_UNTIL_SHIFT
        | self._price(native, tokens) << START_PRICE_SHIFT
        | reserve
    )


@internal
@view
def _is_exempt(account: address, token: address) -> bool:
    return block.timestamp < self.exemptUntil[account][token]


@internal
@pure
def _price(native: uint256, tokens: uint256) -> uint256:
    return min(unsafe_div(native << PRICE_BITS, tokens), PRICE_MASK)


@internal
@pure
def _left(flow: int256, limit: uint256) -> uint256:
    return convert(max(convert(limit, int256) - flow, 0), uint256)


@internal
@pure
def _setting(settings: uint256, offset: uint256) -> uint256:
    return (settings >> offset) & SETTING_MASK


@internal
@pure
def _ceil_bps(amount: uint256, share: uint256) -> uint256:
    return (amount * share + BASIS_POINTS - 1) // BASIS_POINTS


@internal
def _set_safeguards(new: ITradingLimits.Safeguards):
    assert self._is_within(new.accountDailyFlowBps, 100, BASIS_POINTS), "dex: account limit out of range"
    assert self._is_within(new.poolDailyFlowBps, 500, BASIS_POINTS), "dex: pool limit out of range"
    assert self._is_within(new.largeTradeBps, 10, 5_000), "dex: large trade out of range"
    assert self._is_within(new.largeTradeCooldown, 0, DAY), "dex: cooldown out of range"
    assert self._is_within(new.maximumHoldingBps, 50, BASIS_POINTS), "dex: holding out of range"
    assert self._is_within(new.maximumImpactBps, 100, 5_000), "dex: impact out of range"
    assert self._is_within(new.breakerBps, 500, 9_000), "dex: breaker out of range"
    assert self._is_within(new.breakerDuration, 300, DAY), "dex: breaker pause out of range"
    self._packed_safeguards = (
        new.accountDailyFlowBps
        | new.poolDailyFlowBps << POOL_DAILY_SHIFT
        | new.largeTradeBps << LARGE_TRADE_SHIFT
        | new.largeTradeCooldown << COOLDOWN_SHIFT
        | new.maximumHoldingBps << HOLDING_SHIFT
        | new.maximumImpactBps << IMPACT_SHIFT
        | new.breakerBps << BREAKER_SHIFT
        | new.breakerDuration << BREAKER_DURATION_SHIFT
    )
    log SafeguardsUpdated(
        accountDailyFlowBps=new.accountDailyFlowBps,
        poolDailyFlowBps=new.poolDailyFlowBps,
        largeTradeBps=new.largeTradeBps,
        largeTradeCooldown=new.largeTradeCooldown,
        maximumHoldingBps=new.maximumHoldingBps,
        maximumImpactBps=new.maximumImpactBps,
        breakerBps=new.breakerBps,
        breakerDuration=new.breakerDuration,
    )


@internal
@pure
def _is_within(figure: uint256, least: uint256, most: uint256) -> bool:
    return figure >= least and figure <= most


@internal
def _set_guardian(guardian: address, authorised: bool):
    self.isGuardian[guardian] = authorised
    log GuardianAuthorisationChanged(guardian=guardian, authorised=authorised)


@internal
@view
def _check_guardian():
    assert self.isGuardian[msg.sender], "dex: caller is not a guardian"
