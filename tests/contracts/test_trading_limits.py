"""C12, trading safeguards: every limit at its edge, who may change or lift it, and what attackers get out of it."""

from collections.abc import Callable
from typing import Any

import ape
import pytest

from tests.contracts import safeguards
from tests.contracts.conftest import COIN, FOREVER, MIN_FOLLOWERS, MIN_STREAMS, WIDEST_SAFEGUARDS, ZERO_ADDRESS, Actors
from tests.contracts.safeguards import DAY, HOUR

NATIVE = 100 * COIN
TOKENS = 1_000_000 * COIN
SUPPLY = 100_000_000 * COIN
DEFAULTS = safeguards.Settings()
COOLDOWN = 4 * HOUR
ENDLESS = 2**256 - 1
# Purchases below 2 % of the reserve, together the daily 5 %.
SMALL_STEPS = (19 * COIN // 10, 19 * COIN // 10, 12 * COIN // 10)

Trades = Callable[..., Any]


@pytest.fixture
def token(create_token: Callable[..., Any], actors: Actors) -> Any:
    """A coin without platform fee, so that what is sent is what enters the reserve; traders have 100 000 each."""
    token = create_token("LIM", SUPPLY)
    token.setPlatformFeeRate(0, sender=actors.fee_recipient)
    for account in (actors.trader, actors.provider, actors.staker, actors.stranger):
        token.transfer(account, 100_000 * COIN, sender=actors.creator)
    return token


@pytest.fixture
def dex(contracts: Any, actors: Actors, deployer: Any, token: Any, chain: Any) -> Any:
    """An exchange with a pool of 100 native coins against a million tokens, at the beginning of a day."""
    dex = actors.owner.deploy(contracts.IntegratedCreatorDEX, deployer)
    chain.mine(timestamp=(chain.pending_timestamp // DAY + 1) * DAY)
    for account in (actors.creator, actors.trader, actors.provider, actors.staker, actors.stranger):
        token.approve(dex, FOREVER, sender=account)
    dex.createPool(token, TOKENS, actors.creator, value=NATIVE, sender=actors.creator)
    return dex


@pytest.fixture
def buy(dex: Any, token: Any) -> Trades:
    return lambda trader, native: dex.buyTokens(token, 0, value=native, sender=trader)


@pytest.fixture
def sell(dex: Any, token: Any) -> Trades:
    """Sells what takes `native` wei, or a wei more, out of the reserve."""

    def send(trader: Any, native: int) -> Any:
        reserve, tokens = dex.reserves(token)
        amount = -(-native * tokens * 10_000 // ((reserve - native) * 9_970))
        return dex.sellTokens(token, amount, 0, sender=trader)

    return send


@pytest.fixture
def crowd(accounts: Any, token: Any, dex: Any, actors: Actors) -> list[Any]:
    """Nine accounts with coins."""
    crowd = [account for account in accounts[:10] if account != actors.creator]
    for account in crowd:
        token.transfer(account, 50_000 * COIN, sender=actors.creator)
        token.approve(dex, FOREVER, sender=account)
    return crowd


def change(dex: Any, actors: Actors, **changes: int) -> Any:
    return dex.setSafeguards(tuple(DEFAULTS._replace(**changes)), sender=actors.owner)


def wait(chain: Any, seconds: int) -> None:
    chain.mine(timestamp=chain.pending_timestamp + seconds)


def exempt(dex: Any, token: Any, actors: Actors, chain: Any, account: Any, *, seconds: int = DAY) -> int:
    until: int = chain.pending_timestamp + seconds
    dex.grantExemption(account, token, until, sender=actors.owner)
    return until


# an account's daily net flow


def test_an_account_buys_up_to_five_percent_of_the_reserve_a_day(
    dex: Any, token: Any, buy: Trades, actors: Actors
) -> None:
    for native in SMALL_STEPS:
        buy(actors.trader, native)
    assert dex.getTradingLimits(actors.trader, token).accountNetFlow == 5 * COIN

    with ape.reverts("dex: Daily volume limit exceeded"):
        buy(actors.trader, 1)
    buy(actors.provider, COIN)


def test_an_account_sells_up_to_five_percent_of_the_reserve_a_day(
    dex: Any, token: Any, sell: Trades, actors: Actors
) -> None:
    for native in SMALL_STEPS:
        sell(actors.trader, native - 1)
    left = dex.getTradingLimits(actors.trader, token).nativeOutLeft
    assert 0 < left <= 3

    with ape.reverts("dex: Daily volume limit exceeded"):
        sell(actors.trader, left + 10)
    sell(actors.provider, COIN)


def test_the_limit_is_on_net_flow(dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors) -> None:
    for _ in range(4):  # far more than 5 % in all
        buy(actors.trader, 19 * COIN // 10)
        sell(actors.trader, 19 * COIN // 10)

    assert -10 < dex.getTradingLimits(actors.trader, token).accountNetFlow <= 0
    for native in SMALL_STEPS:
        buy(actors.trader, native)


def test_a_new_day_begins_at_midnight_with_the_reserve_of_its_first_trade(
    dex: Any, token: Any, buy: Trades, actors: Actors, chain: Any
) -> None:
    for native in SMALL_STEPS:
        buy(actors.trader, native)
    resets = dex.getTradingLimits(actors.trader, token).resetsAt
    assert resets % DAY == 0
    chain.pending_timestamp = resets - 1
    with ape.reverts("dex: Daily volume limit exceeded"):
        buy(actors.trader, 1)

    chain.mine(timestamp=resets)

    limits = dex.getTradingLimits(actors.trader, token)
    assert (limits.accountNetFlow, limits.poolNetFlow) == (0, 0)
    assert limits.accountDailyLimit == 105 * COIN * 5 // 100
    buy(actors.trader, COIN)
    assert dex.getTradingLimits(actors.trader, token).accountDailyLimit == 105 * COIN * 5 // 100


def test_accounts_pools_and_tokens_have_limits_of_their_own(
    dex: Any, token: Any, create_token: Callable[..., Any], buy: Trades, actors: Actors
) -> None:
    other = create_token("OTH", SUPPLY)
    other.approve(dex, FOREVER, sender=actors.creator)
    dex.createPool(other, TOKENS, actors.creator, value=NATIVE, sender=actors.creator)
    buy(actors.trader, 2 * COIN)

    with ape.reverts("dex: Large trade cooldown"):
        buy(actors.trader, 1)
    dex.buyTokens(other, 0, value=COIN, sender=actors.trader)
    assert dex.getTradingLimits(actors.provider, token).accountNetFlow == 0


# large trades


def test_a_large_trade_is_followed_by_a_cooldown(
    *, dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors, chain: Any
) -> None:
    receipt = buy(actors.trader, 2 * COIN)

    until = receipt.timestamp + COOLDOWN
    (bought,) = dex.TokensPurchased.from_receipt(receipt)
    assert dex.WhaleTrade.from_receipt(receipt) == [
        dex.WhaleTrade(
            token=token,
            trader=actors.trader,
            isPurchase=True,
            nativeAmount=2 * COIN,
            tokenAmount=bought.tokensOut,
            cooldownUntil=until,
        )
    ]
    chain.pending_timestamp = until - 2
    with ape.reverts("dex: Large trade cooldown"):
        buy(actors.trader, 1)
    chain.pending_timestamp = until - 1
    with ape.reverts("dex: Large trade cooldown"):
        sell(actors.trader, COIN)
    chain.pending_timestamp = until
    sell(actors.trader, COIN)


def test_a_large_sale_is_large_too(dex: Any, token: Any, sell: Trades, actors: Actors) -> None:
    receipt = sell(actors.trader, 2 * COIN)

    (sold,) = dex.TokensSold.from_receipt(receipt)
    (event,) = dex.WhaleTrade.from_receipt(receipt)
    assert (event.isPurchase, event.tokenAmount, event.nativeAmount) == (False, sold.tokensIn, sold.nativeOut)
    with ape.reverts("dex: Large trade cooldown"):
        sell(actors.trader, 1)


def test_a_wei_less_is_no_large_trade(dex: Any, token: Any, buy: Trades, actors: Actors) -> None:
    assert dex.getTradingLimits(actors.trader, token).largeTrade == 2 * COIN

    receipt = buy(actors.trader, 2 * COIN - 1)

    assert dex.WhaleTrade.from_receipt(receipt) == []
    buy(actors.trader, COIN)


def test_without_a_cooldown_large_trades_are_only_told(dex: Any, buy: Trades, actors: Actors) -> None:
    change(dex, actors, cooldown=0)
    receipt = buy(actors.trader, 2 * COIN)
    assert len(dex.WhaleTrade.from_receipt(receipt)) == 1

    buy(actors.trader, 2 * COIN)


# the largest holding


def test_nobody_buys_beyond_five_percent_of_the_supply(
    dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors
) -> None:
    maximum = SUPPLY * 5 // 100
    assert dex.getTradingLimits(actors.trader, token).maximumHolding == maximum
    quote = dex.getTokensOut(token, COIN)
    held = token.balanceOf(actors.trader)
    token.transfer(actors.trader, maximum - held - quote + 1, sender=actors.creator)

    with ape.reverts("dex: maximum holding exceeded"):
        buy(actors.trader, COIN)
    token.transfer(actors.creator, 1, sender=actors.trader)
    buy(actors.trader, COIN)

    assert token.balanceOf(actors.trader) == maximum
    with ape.reverts("dex: maximum holding exceeded"):
        buy(actors.trader, COIN)
    sell(actors.trader, COIN)


# the price impact of one trade


def test_no_trade_takes_more_than_its_part_of_a_reserve(
    *, dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors, chain: Any
) -> None:
    change(dex, actors, impact=200)
    for account in (actors.trader, actors.provider):
        exempt(dex, token, actors, chain, account)
    limit = NATIVE * 2 * 10_000 // (98 * 9_970)
    with ape.reverts("dex: price impact too high"):
        buy(actors.trader, limit + 100)
    with ape.reverts("dex: price impact too high"):
        sell(actors.trader, 2 * COIN + 100)

    assert dex.getTradingLimits(actors.trader, token).tokensOutPerTrade == TOKENS // 50
    assert dex.getTradingLimits(actors.trader, token).nativeOutPerTrade == NATIVE // 50
    assert dex.getTokensOut(token, limit) <= TOKENS // 50
    buy(actors.trader, limit)


# the pool's daily net flow


def test_a_pool_takes_thirty_percent_of_its_reserve_a_day_from_any_number_of_accounts(
    *, dex: Any, token: Any, buy: Trades, sell: Trades, crowd: list[Any], actors: Actors
) -> None:
    change(dex, actors, breaker=9_000)
    for account in crowd[:6]:
        buy(account, 5 * COIN)

    with ape.reverts("dex: pool daily limit exceeded"):
        buy(crowd[6], 1)
    limits = dex.getTradingLimits(crowd[6], token)
    assert (limits.nativeInLeft, limits.purchaseRefusal) == (0, "dex: pool daily limit exceeded")
    sell(crowd[7], 2 * COIN)
    buy(crowd[8], COIN)


def test_a_pool_gives_thirty_percent_of_its_reserve_a_day(
    dex: Any, token: Any, sell: Trades, crowd: list[Any], actors: Actors
) -> None:
    change(dex, actors, breaker=9_000)
    for account in crowd[:6]:
        token.transfer(account, 100_000 * COIN, sender=actors.creator)
        sell(account, 5 * COIN - 1)

    left = dex.getTradingLimits(crowd[6], token).nativeOutLeft
    assert left < 100
    with ape.reverts("dex: pool daily limit exceeded"):
        sell(crowd[6], 100)
    sell(crowd[6], left)
    limits = dex.getTradingLimits(crowd[7], token)
    assert (limits.nativeOutLeft, limits.saleRefusal) == (0, "dex: pool daily limit exceeded")
    assert limits.saleRefusedUntil == limits.resetsAt


# the circuit breaker


def push_price_up(buy: Trades, crowd: list[Any]) -> Any:
    """Move the price by more than a quarter, by accounts that each keep to their own limits; the last one trips."""
    receipts = [buy(account, 4 * COIN) for account in crowd[:3]]
    return receipts[-1]


def test_a_trade_that_moves_the_price_by_more_than_a_quarter_completes_and_trips(
    dex: Any, token: Any, buy: Trades, crowd: list[Any]
) -> None:
    start = dex.spotPrice(token)
    receipt = push_price_up(buy, crowd)

    price = dex.spotPrice(token)
    assert price * 4 > start * 5
    assert len(dex.TokensPurchased.from_receipt(receipt)) == 1
    (tripped,) = dex.CircuitBreakerTripped.from_receipt(receipt)
    assert (tripped.token, tripped.trader, tripped.until) == (token, crowd[2], receipt.timestamp + HOUR)
    assert (abs(tripped.startPrice - start) <= 1, abs(tripped.price - price) <= 1) == (True, True)


def test_a_tripped_breaker_stops_trading_for_an_hour_and_no_longer(
    *, dex: Any, token: Any, buy: Trades, sell: Trades, crowd: list[Any], chain: Any
) -> None:
    until = push_price_up(buy, crowd).timestamp + HOUR
    for seconds, trade in ((2, buy), (1, sell)):
        chain.pending_timestamp = until - seconds
        with ape.reverts("dex: circuit breaker"):
            trade(crowd[5], COIN)
    limits = dex.getTradingLimits(crowd[5], token)
    assert (limits.purchaseRefusal, limits.saleRefusal) == ("dex: circuit breaker", "dex: circuit breaker")
    assert limits.purchaseRefusedUntil == limits.saleRefusedUntil == limits.breakerUntil == until

    chain.pending_timestamp = until
    buy(crowd[5], COIN)


def test_a_falling_price_trips_too(dex: Any, sell: Trades, crowd: list[Any], token: Any, actors: Actors) -> None:
    for account in crowd[:4]:
        receipt = sell(account, 4 * COIN)

    (tripped,) = dex.CircuitBreakerTripped.from_receipt(receipt)
    assert tripped.price * 4 < tripped.startPrice * 3


def test_liquidity_comes_and_goes_while_the_breaker_is_tripped(
    dex: Any, token: Any, buy: Trades, crowd: list[Any], actors: Actors
) -> None:
    push_price_up(buy, crowd)
    dex.addLiquidity(token, FOREVER, 0, FOREVER, value=COIN, sender=actors.provider)

    dex.removeLiquidity(token, dex.sharesOf(token, actors.provider), 0, 0, FOREVER, sender=actors.provider)
    dex.removeLiquidity(token, dex.sharesOf(token, actors.creator), 0, 0, FOREVER, sender=actors.creator)


def test_each_hour_has_a_start_price_of_its_own(dex: Any, buy: Trades, crowd: list[Any], chain: Any) -> None:
    chain.pending_timestamp = chain.pending_timestamp // HOUR * HOUR + HOUR - 100
    for account in crowd[:2]:
        buy(account, 4 * COIN)
    chain.pending_timestamp = chain.pending_timestamp // HOUR * HOUR + HOUR

    receipt = buy(crowd[2], 4 * COIN)

    assert dex.CircuitBreakerTripped.from_receipt(receipt) == []


def test_after_a_short_pause_the_price_is_measured_from_where_it_was_left(
    *, dex: Any, buy: Trades, sell: Trades, crowd: list[Any], actors: Actors, chain: Any
) -> None:
    change(dex, actors, breaker_pause=300)
    chain.pending_timestamp = chain.pending_timestamp // HOUR * HOUR + HOUR
    push_price_up(buy, crowd)
    wait(chain, 300)

    for trade in (buy, sell):  # in the same hour
        assert dex.CircuitBreakerTripped.from_receipt(trade(crowd[5], COIN)) == []


# pauses


def test_a_guardian_pauses_a_pool_and_ends_the_pause(
    dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors
) -> None:
    dex.setGuardian(actors.stranger, True, sender=actors.owner)
    receipt = dex.pausePool(token, sender=actors.stranger)

    assert receipt.events == [dex.PoolPaused(token=token, guardian=actors.stranger)]
    for trade in (buy, sell):
        with ape.reverts("dex: pool paused"):
            trade(actors.trader, COIN)
    with ape.reverts("dex: pool paused"):
        dex.addLiquidity(token, FOREVER, 0, FOREVER, value=COIN, sender=actors.provider)
    with ape.reverts("dex: pool paused"):
        dex.pausePool(token, sender=actors.owner)
    limits = dex.getTradingLimits(actors.trader, token)
    assert (limits.paused, limits.purchaseRefusal, limits.saleRefusal) == (True, "dex: pool paused", "dex: pool paused")
    assert limits.purchaseRefusedUntil == ENDLESS
    dex.removeLiquidity(token, dex.sharesOf(token, actors.creator), 0, 0, FOREVER, sender=actors.creator)

    receipt = dex.unpausePool(token, sender=actors.owner)

    assert receipt.events == [dex.PoolUnpaused(token=token, guardian=actors.owner)]
    assert not dex.getTradingLimits(actors.trader, token).paused
    with ape.reverts("dex: pool not paused"):
        dex.unpausePool(token, sender=actors.owner)


def test_a_pause_outlasts_hours_days_and_the_breaker(
    *, dex: Any, token: Any, buy: Trades, crowd: list[Any], actors: Actors, chain: Any
) -> None:
    until = push_price_up(buy, crowd).timestamp + HOUR
    dex.pausePool(token, sender=actors.owner)
    dex.removeLiquidity(token, 10**18, 0, 0, FOREVER, sender=actors.creator)
    wait(chain, 2 * DAY)
    dex.removeLiquidity(token, 10**18, 0, 0, FOREVER, sender=actors.creator)

    with ape.reverts("dex: pool paused"):
        buy(crowd[5], COIN)
    dex.unpausePool(token, sender=actors.owner)
    assert dex.getTradingLimits(crowd[5], token).breakerUntil == until
    buy(crowd[5], COIN)


def test_ending_a_pause_does_not_end_the_breakers(
    dex: Any, token: Any, buy: Trades, crowd: list[Any], actors: Actors
) -> None:
    push_price_up(buy, crowd)
    dex.pausePool(token, sender=actors.owner)
    dex.unpausePool(token, sender=actors.owner)

    with ape.reverts("dex: circuit breaker"):
        buy(crowd[5], COIN)


def test_a_pool_cannot_be_paused_before_it_exists(dex: Any, create_token: Callable[..., Any], actors: Actors) -> None:
    with ape.reverts("dex: no pool"):
        dex.pausePool(create_token("NON"), sender=actors.owner)


# exemptions


def test_an_exemption_lifts_an_accounts_limits_for_a_time(
    dex: Any, token: Any, buy: Trades, actors: Actors, chain: Any
) -> None:
    token.transfer(actors.trader, SUPPLY // 10, sender=actors.creator)  # more than one may buy
    until = chain.pending_timestamp + HOUR
    receipt = dex.grantExemption(actors.trader, token, until, sender=actors.owner)

    assert receipt.events == [
        dex.ExemptionGranted(account=actors.trader, token=token, until=until, guardian=actors.owner)
    ]
    assert dex.exemptUntil(actors.trader, token) == until
    limits = dex.getTradingLimits(actors.trader, token)
    assert (limits.exemptUntil, limits.nativeInLeft, limits.holdingLeft) == (until, 30 * COIN, ENDLESS)
    for _ in range(2):  # beyond the daily 5 %, both large, and beyond the largest holding
        buy(actors.trader, 4 * COIN)
    assert dex.getTradingLimits(actors.trader, token).purchaseRefusal == ""

    chain.pending_timestamp = until
    with ape.reverts("dex: Large trade cooldown"):
        buy(actors.trader, 1)
    chain.pending_timestamp = until + COOLDOWN
    with ape.reverts("dex: Daily volume limit exceeded"):
        buy(actors.trader, 1)


def test_an_exemption_is_for_one_pool(
    dex: Any, token: Any, create_token: Callable[..., Any], actors: Actors, chain: Any
) -> None:
    other = create_token("OTH", SUPPLY)
    other.approve(dex, FOREVER, sender=actors.creator)
    dex.createPool(other, TOKENS, actors.creator, value=NATIVE, sender=actors.creator)
    exempt(dex, token, actors, chain, actors.trader)

    with ape.reverts("dex: Daily volume limit exceeded"):
        dex.buyTokens(other, 0, value=6 * COIN, sender=actors.trader)


def test_a_pools_limits_hold_for_the_exempt_too(
    *, dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors, chain: Any
) -> None:
    change(dex, actors, breaker=9_000)
    exempt(dex, token, actors, chain, actors.trader)
    with ape.reverts("dex: price impact too high"):
        buy(actors.trader, 12 * COIN)
    for _ in range(3):
        buy(actors.trader, 10 * COIN)
    with ape.reverts("dex: pool daily limit exceeded"):
        buy(actors.trader, 1)
    change(dex, actors)
    sell(actors.trader, COIN)  # the price is far from where the hour began
    with ape.reverts("dex: circuit breaker"):
        sell(actors.trader, COIN)


def test_a_guardian_revokes_an_exemption(dex: Any, token: Any, buy: Trades, actors: Actors, chain: Any) -> None:
    until = exempt(dex, token, actors, chain, actors.trader)
    receipt = dex.revokeExemption(actors.trader, token, sender=actors.owner)

    assert receipt.events == [dex.ExemptionRevoked(account=actors.trader, token=token, guardian=actors.owner)]
    assert dex.exemptUntil(actors.trader, token) == 0
    with ape.reverts("dex: Daily volume limit exceeded"):
        buy(actors.trader, 6 * COIN)
    with ape.reverts("dex: no exemption"):
        dex.revokeExemption(actors.trader, token, sender=actors.owner)
    chain.mine(timestamp=until + 1)
    with ape.reverts("dex: no exemption"):
        dex.revokeExemption(actors.trader, token, sender=actors.owner)


def test_an_exemption_ends_within_thirty_days(dex: Any, token: Any, actors: Actors, chain: Any) -> None:
    for offset in (0, 30 * DAY + 1):
        now = chain.pending_timestamp + 10
        chain.pending_timestamp = now
        with ape.reverts("dex: exemption out of range"):
            dex.grantExemption(actors.trader, token, now + offset, sender=actors.owner)
    chain.pending_timestamp = now + 10
    dex.grantExemption(actors.trader, token, now + 10 + 30 * DAY, sender=actors.owner)


def test_only_guardians_do_a_guardians_work(dex: Any, token: Any, actors: Actors, chain: Any) -> None:
    until = exempt(dex, token, actors, chain, actors.trader)
    dex.setGuardian(actors.owner, False, sender=actors.owner)
    for account in (actors.owner, actors.stranger):
        for method, *arguments in (
            (dex.grantExemption, actors.stranger, token, until),
            (dex.revokeExemption, actors.trader, token),
            (dex.pausePool, token),
            (dex.unpausePool, token),
        ):
            with ape.reverts("dex: caller is not a guardian"):
                method(*arguments, sender=account)


def test_the_owner_appoints_and_dismisses_guardians(dex: Any, actors: Actors) -> None:
    assert dex.isGuardian(actors.owner)
    for authorised in (True, False):
        receipt = dex.setGuardian(actors.stranger, authorised, sender=actors.owner)
        assert receipt.events == [dex.GuardianAuthorisationChanged(guardian=actors.stranger, authorised=authorised)]
        assert dex.isGuardian(actors.stranger) is authorised
    with ape.reverts("dex: guardian is the zero address"):
        dex.setGuardian(ZERO_ADDRESS, True, sender=actors.owner)
    with ape.reverts("ownable: caller is not the owner"):
        dex.setGuardian(actors.stranger, True, sender=actors.stranger)


# parameters


def test_deployment_logs_carry_owner_safeguards_and_guardian(dex: Any, actors: Actors) -> None:
    assert dex.creation_metadata.receipt.events == [
        dex.OwnershipTransferred(previous_owner=ZERO_ADDRESS, new_owner=actors.owner),
        dex.SafeguardsUpdated(500, 3_000, 200, COOLDOWN, 500, 1_000, 2_500, HOUR),
        dex.GuardianAuthorisationChanged(guardian=actors.owner, authorised=True),
    ]
    assert tuple(dex.safeguards()) == tuple(DEFAULTS)


@pytest.mark.parametrize("place", range(len(safeguards.OUT_OF_RANGE)), ids=safeguards.OUT_OF_RANGE)
@pytest.mark.parametrize("end", [safeguards.NARROWEST, safeguards.WIDEST], ids=["narrowest", "widest"])
def test_each_safeguard_has_bounds(dex: Any, actors: Actors, place: int, end: safeguards.Settings) -> None:
    values = list(DEFAULTS)
    values[place] = end[place]
    receipt = dex.setSafeguards(values, sender=actors.owner)
    assert receipt.events == [dex.SafeguardsUpdated(*values)]
    assert list(dex.safeguards()) == values

    values[place] += 1 if end is safeguards.WIDEST else -1
    if values[place] >= 0:
        with ape.reverts(safeguards.OUT_OF_RANGE[place]):
            dex.setSafeguards(values, sender=actors.owner)


def test_only_the_owner_changes_safeguards(dex: Any, actors: Actors) -> None:
    dex.setGuardian(actors.stranger, True, sender=actors.owner)
    with ape.reverts("ownable: caller is not the owner"):
        dex.setSafeguards(tuple(DEFAULTS), sender=actors.stranger)


def test_the_owner_hands_the_exchange_over(dex: Any, actors: Actors) -> None:
    receipt = dex.transferOwnership(actors.stranger, sender=actors.owner)

    assert receipt.events == [dex.OwnershipTransferred(previous_owner=actors.owner, new_owner=actors.stranger)]
    dex.setSafeguards(WIDEST_SAFEGUARDS, sender=actors.stranger)
    assert dex.owner() == actors.stranger


def test_narrower_limits_apply_at_once_and_let_flows_go_back(
    dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors
) -> None:
    for native in SMALL_STEPS:
        buy(actors.trader, native)
    change(dex, actors, account_daily=100)

    with ape.reverts("dex: Daily volume limit exceeded"):
        buy(actors.trader, 1)
    limits = dex.getTradingLimits(actors.trader, token)
    assert (limits.nativeInLeft, limits.nativeOutLeft) == (0, 6 * COIN)
    sell(actors.trader, COIN)  # still above the limit, but towards zero


# what clients read


def test_the_limits_of_a_new_trader(dex: Any, token: Any, actors: Actors, chain: Any) -> None:
    limits = dex.getTradingLimits(actors.trader, token)

    assert limits.purchaseRefusal == limits.saleRefusal == ""
    assert limits.purchaseRefusedUntil == limits.saleRefusedUntil == 0
    assert (limits.nativeInLeft, limits.nativeOutLeft) == (5 * COIN, 5 * COIN)
    assert (limits.accountNetFlow, limits.accountDailyLimit) == (0, 5 * COIN)
    assert (limits.poolNetFlow, limits.poolDailyLimit) == (0, 30 * COIN)
    assert (limits.tokensOutPerTrade, limits.nativeOutPerTrade) == (TOKENS // 10, NATIVE // 10)
    assert (limits.maximumHolding, limits.holdingLeft) == (SUPPLY // 20, SUPPLY // 20 - 100_000 * COIN)
    assert (limits.largeTrade, limits.cooldownUntil) == (2 * COIN, 0)
    assert (limits.breakerUntil, limits.paused, limits.exemptUntil) == (0, False, 0)
    assert limits.resetsAt == (chain.pending_timestamp // DAY + 1) * DAY
    with ape.reverts("dex: no pool"):
        dex.getTradingLimits(actors.trader, actors.trader)


def test_a_refusal_is_told_in_the_words_that_a_trade_would_revert_with(
    *, dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors, chain: Any
) -> None:
    def told(side: str) -> tuple[str, int]:
        limits = dex.getTradingLimits(actors.trader, token)
        reason, until = getattr(limits, f"{side}Refusal"), getattr(limits, f"{side}RefusedUntil")
        trade = buy if side == "purchase" else sell
        with ape.reverts(reason):
            trade(actors.trader, 10)
        return reason, until

    receipt = buy(actors.trader, 5 * COIN)
    cooldown = ("dex: Large trade cooldown", receipt.timestamp + COOLDOWN)
    assert told("purchase") == told("sale") == cooldown
    wait(chain, COOLDOWN)
    resets = dex.getTradingLimits(actors.trader, token).resetsAt
    assert told("purchase") == ("dex: Daily volume limit exceeded", resets)
    sell(actors.trader, 10 * COIN - 1_000)
    wait(chain, COOLDOWN)
    sell(actors.trader, dex.getTradingLimits(actors.trader, token).nativeOutLeft - 2)
    assert dex.getTradingLimits(actors.trader, token).nativeOutLeft <= 2
    chain.mine(timestamp=resets)
    token.transfer(actors.trader, SUPPLY // 20, sender=actors.creator)
    assert told("purchase") == ("dex: maximum holding exceeded", ENDLESS)
    assert dex.getTradingLimits(actors.trader, token).saleRefusal == ""


# launches


def test_the_first_trades_of_a_launched_coin(
    *, contracts: Any, metrics: Any, deployer: Any, actors: Actors, accounts: Any, chain: Any
) -> None:
    dex = actors.owner.deploy(contracts.IntegratedCreatorDEX, deployer)
    factory = actors.owner.deploy(contracts.CreatorTokenFactory, deployer, metrics, dex, actors.fee_recipient, COIN)
    deployer.setFactory(factory, True, sender=actors.owner)
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, COIN, 1, sender=actors.oracle)
    factory.launchCreatorCoin(actors.creator, "A Coin", "COIN", "", "", value=COIN, sender=actors.creator)
    coin = contracts.BalancedCreatorToken.at(factory.coinOf(actors.creator))

    limits = dex.getTradingLimits(actors.trader, coin)
    assert (limits.nativeInLeft, limits.largeTrade) == (COIN // 20, COIN // 50)
    with ape.reverts("dex: price impact too high"):
        dex.buyTokens(coin, 0, value=COIN, sender=actors.trader)  # not the whole launch to one bot
    with ape.reverts("dex: Daily volume limit exceeded"):
        dex.buyTokens(coin, 0, value=COIN // 10, sender=actors.trader)
    dex.buyTokens(coin, 0, value=COIN // 20, sender=actors.trader)
    assert coin.balanceOf(actors.trader) < limits.maximumHolding

    coin.approve(dex, FOREVER, sender=actors.trader)
    chain.mine(timestamp=dex.getTradingLimits(actors.trader, coin).cooldownUntil)
    dex.sellTokens(coin, coin.balanceOf(actors.trader) // 2, 0, sender=actors.trader)


# liquidity and the limits


def test_limits_grow_and_shrink_with_the_pool(dex: Any, token: Any, buy: Trades, actors: Actors) -> None:
    buy(actors.trader, COIN)
    dex.addLiquidity(token, FOREVER, 0, FOREVER, value=101 * COIN, sender=actors.creator)

    limits = dex.getTradingLimits(actors.trader, token)
    assert (limits.accountDailyLimit, limits.poolDailyLimit) == (10 * COIN, 60 * COIN)
    assert (limits.accountNetFlow, limits.poolNetFlow) == (COIN, 2 * COIN)  # the pool's is its share of the reserve

    total = dex.totalShares(token)
    dex.removeLiquidity(token, total * 9 // 10, 0, 0, FOREVER, sender=actors.creator)
    limits = dex.getTradingLimits(actors.trader, token)
    assert abs(limits.accountDailyLimit - COIN) <= 2
    assert abs(limits.poolNetFlow - 2 * COIN // 10) <= 2


def test_a_pool_that_was_almost_emptied_can_be_filled_again(dex: Any, token: Any, buy: Trades, actors: Actors) -> None:
    buy(actors.trader, COIN)
    shares = dex.sharesOf(token, actors.creator)
    dex.removeLiquidity(token, shares, 0, 0, FOREVER, sender=actors.creator)
    dex.addLiquidity(token, FOREVER, 0, FOREVER, value=NATIVE, sender=actors.creator)

    limit = dex.getTradingLimits(actors.provider, token).accountDailyLimit
    assert 5 * NATIVE // 101 < limit < 6 * NATIVE // 101
    buy(actors.provider, COIN)


# attacks


def test_limit_bypass_with_many_accounts(dex: Any, token: Any, buy: Trades, crowd: list[Any], actors: Actors) -> None:
    start = dex.spotPrice(token)
    bought = 0
    reasons = set()
    for account in crowd:
        try:
            buy(account, 5 * COIN)
            bought += 1
        except ape.exceptions.ContractLogicError as refusal:
            reasons.add(str(refusal))

    assert (bought, reasons) == (3, {"dex: circuit breaker"})
    assert dex.spotPrice(token) < start * 4 // 3


def test_many_accounts_and_patience_move_a_pool_by_no_more_than_its_day(
    dex: Any, token: Any, buy: Trades, crowd: list[Any], chain: Any
) -> None:
    reasons = set()
    for account in crowd:
        wait(chain, HOUR)
        try:
            buy(account, 5 * COIN)
        except ape.exceptions.ContractLogicError as refusal:
            reasons.add(str(refusal))

    assert reasons == {"dex: pool daily limit exceeded"}
    assert dex.reserves(token).native <= NATIVE * 130 // 100


def test_splitting_a_trade_gains_nothing_against_the_daily_limit(
    dex: Any, token: Any, buy: Trades, actors: Actors
) -> None:
    for _ in range(5):
        buy(actors.trader, COIN)

    with ape.reverts("dex: Daily volume limit exceeded"):
        buy(actors.trader, 1)


def test_wash_trading_does_not_shut_a_pool(dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors) -> None:
    for _ in range(20):  # 76 % of the reserve, back and forth
        buy(actors.stranger, 19 * COIN // 10)
        sell(actors.stranger, 19 * COIN // 10)

    limits = dex.getTradingLimits(actors.trader, token)
    assert limits.nativeInLeft == limits.accountDailyLimit
    buy(actors.trader, COIN)
    sell(actors.provider, COIN)


def test_breaker_griefing_costs_its_price_each_time_and_locks_nobodys_liquidity(
    *, dex: Any, token: Any, buy: Trades, crowd: list[Any], actors: Actors, chain: Any
) -> None:
    until = push_price_up(buy, crowd).timestamp + HOUR
    dex.removeLiquidity(token, dex.sharesOf(token, actors.creator) // 2, 0, 0, FOREVER, sender=actors.creator)
    chain.mine(timestamp=until)

    # The pause cannot be prolonged from outside, and the next one costs another quarter of the price.
    receipt = buy(crowd[4], COIN)
    assert dex.CircuitBreakerTripped.from_receipt(receipt) == []
    for account in crowd[:3]:  # whoever paid for it sits in a cooldown or at the end of a limit
        with ape.reverts():
            buy(account, 4 * COIN)


def test_moving_liquidity_widens_no_limit(dex: Any, token: Any, buy: Trades, actors: Actors) -> None:
    for native in SMALL_STEPS:
        buy(actors.trader, native)
    share_before = dex.reserves(token).native / NATIVE

    dex.addLiquidity(token, FOREVER, 0, FOREVER, value=10 * NATIVE, sender=actors.creator)
    flow = dex.getTradingLimits(actors.trader, token)
    assert flow.poolNetFlow * 100 // flow.poolDailyLimit == round((share_before - 1) / 0.3 * 100, 6) // 1
    dex.removeLiquidity(token, dex.totalShares(token) * 10 // 11, 0, 0, FOREVER, sender=actors.creator)
    with ape.reverts("dex: Daily volume limit exceeded"):
        buy(actors.trader, COIN)


def test_sandwich_against_minimum_out_with_limits(
    dex: Any, token: Any, buy: Trades, sell: Trades, actors: Actors
) -> None:
    floor = dex.getTokensOut(token, COIN) * 99 // 100
    buy(actors.stranger, 5 * COIN)  # the front-run

    with ape.reverts("dex: slippage exceeded"):
        dex.buyTokens(token, floor, value=COIN, sender=actors.trader)
    dex.buyTokens(token, floor * 9 // 10, value=COIN, sender=actors.trader)  # who asked for little
    with ape.reverts("dex: Large trade cooldown"):
        sell(actors.stranger, COIN)  # the back-run has to wait, and the price with it is anybody's


def test_using_an_exemption_after_its_end(dex: Any, token: Any, buy: Trades, actors: Actors, chain: Any) -> None:
    until = exempt(dex, token, actors, chain, actors.trader, seconds=60)
    chain.pending_timestamp = until - 1
    buy(actors.trader, 6 * COIN)
    chain.pending_timestamp = until

    with ape.reverts("dex: Large trade cooldown"):
        buy(actors.trader, COIN)


# gas


@pytest.mark.parametrize(
    ("fee_rate", "most_for_a_purchase", "most_for_a_sale"), [(0, 67_000, 76_000), (250, 75_000, 83_500)]
)
def test_what_the_safeguards_leave_of_the_gas_goal(
    *, contracts: Any, actors: Actors, chain: Any, fee_rate: int, most_for_a_purchase: int, most_for_a_sale: int
) -> None:
    """A returning trader of a plain ERC-20, all safeguards on; docs/contracts/trading-safeguards.md accounts for it."""
    dex = actors.owner.deploy(contracts.IntegratedCreatorDEX, actors.owner.deploy(contracts.OpenRegistry))
    token = actors.owner.deploy(contracts.PlainToken, 1_000 * TOKENS, fee_rate)
    token.transfer(actors.trader, TOKENS // 50, sender=actors.owner)
    for account in (actors.owner, actors.trader):
        token.approve(dex, FOREVER, sender=account)
    chain.mine(timestamp=(chain.pending_timestamp // DAY + 1) * DAY)
    dex.createPool(token, TOKENS, actors.owner, value=NATIVE, sender=actors.owner)
    for _ in range(2):
        bought = dex.buyTokens(token, 0, value=COIN, sender=actors.trader)
        sold = dex.sellTokens(token, 9_000 * COIN, 0, sender=actors.trader)

    assert bought.gas_used < most_for_a_purchase
    assert sold.gas_used < most_for_a_sale
