"""C11, IntegratedCreatorDEX: pools, liquidity, trades, quotes, fees and prices."""

from collections.abc import Callable
from math import isqrt
from typing import Any

import ape
import pytest

from tests.contracts import pricing
from tests.contracts.conftest import COIN, FOREVER, INITIAL_SUPPLY, ZERO_ADDRESS, Actors

NATIVE = 10 * COIN
TOKENS = 100_000 * COIN
RATE_BPS = 250
TOTAL_SHARES = isqrt(NATIVE * TOKENS)


@pytest.fixture
def expired(chain: Any) -> int:
    deadline: int = chain.pending_timestamp - 10
    return deadline


# createPool


def test_a_pool_opens_with_what_its_creator_brings(dex: Any, token: Any, actors: Actors) -> None:
    token.approve(dex, TOKENS, sender=actors.creator)
    before = dex.balance

    receipt = dex.createPool(token, TOKENS, actors.provider, value=NATIVE, sender=actors.creator)

    assert [event for event in receipt.events if event.contract_address == dex.address] == [
        dex.PoolCreated(token=token, provider=actors.provider),
        dex.MinimumLiquidityLocked(token=token, shares=1_000),
        dex.LiquidityAdded(
            token=token,
            provider=actors.provider,
            nativeAmount=NATIVE,
            tokenAmount=TOKENS,
            shares=TOTAL_SHARES - 1_000,
            nativeReserve=NATIVE,
            tokenReserve=TOKENS,
        ),
    ]
    assert tuple(dex.reserves(token)) == (NATIVE, TOKENS)
    assert dex.totalShares(token) == TOTAL_SHARES
    assert dex.sharesOf(token, actors.provider) == TOTAL_SHARES - 1_000
    assert dex.sharesOf(token, ZERO_ADDRESS) == 1_000
    assert (dex.balance - before, token.balanceOf(dex)) == (NATIVE, TOKENS)


def test_shares_sent_to_nobody_are_locked_for_ever(dex: Any, token: Any, actors: Actors) -> None:
    token.approve(dex, TOKENS, sender=actors.creator)
    dex.createPool(token, TOKENS, ZERO_ADDRESS, value=NATIVE, sender=actors.creator)

    assert dex.sharesOf(token, ZERO_ADDRESS) == dex.totalShares(token) == TOTAL_SHARES


def test_a_token_has_one_pool(pool: Any, funded_token: Any, actors: Actors) -> None:
    with ape.reverts("dex: pool exists"):
        pool.createPool(funded_token, COIN, actors.creator, value=COIN, sender=actors.creator)


def test_only_registered_tokens_have_pools(dex: Any, contracts: Any, actors: Actors) -> None:
    foreign = actors.stranger.deploy(
        contracts.CreatorToken,
        *("Fake", "FAKE", "", "", INITIAL_SUPPLY, actors.stranger, actors.stranger, actors.stranger),
    )
    foreign.approve(dex, FOREVER, sender=actors.stranger)
    with ape.reverts("dex: unknown token"):
        dex.createPool(foreign, COIN, actors.stranger, value=COIN, sender=actors.stranger)


@pytest.mark.parametrize(("native", "tokens"), [(1_000, 1_000), (0, COIN), (COIN, 0)])
def test_a_pool_needs_more_than_the_minimum_liquidity(
    dex: Any, token: Any, actors: Actors, native: int, tokens: int
) -> None:
    token.approve(dex, FOREVER, sender=actors.creator)
    with ape.reverts("dex: insufficient liquidity"):
        dex.createPool(token, tokens, actors.creator, value=native, sender=actors.creator)


def test_a_reserve_has_a_largest_size(contracts: Any, actors: Actors) -> None:
    dex = actors.creator.deploy(contracts.IntegratedCreatorDEX, actors.creator.deploy(contracts.OpenRegistry))
    token = actors.creator.deploy(contracts.PlainToken, 2**110, RATE_BPS)
    token.approve(dex, FOREVER, sender=actors.creator)
    with ape.reverts("dex: reserve too large"):
        dex.createPool(token, 2**108, actors.creator, value=COIN, sender=actors.creator)
    dex.createPool(token, 2**108 - 1, actors.creator, value=COIN, sender=actors.creator)

    with ape.reverts("dex: reserve too large"):
        dex.sellTokens(token, COIN, 0, sender=actors.creator)
    assert tuple(dex.reserves(token)) == (COIN, 2**108 - 1)


def test_a_pool_cannot_be_opened_with_tokens_that_one_lacks(dex: Any, token: Any, actors: Actors) -> None:
    token.approve(dex, FOREVER, sender=actors.stranger)
    with ape.reverts("erc20: transfer amount exceeds balance"):
        dex.createPool(token, TOKENS, actors.stranger, value=NATIVE, sender=actors.stranger)


# addLiquidity and removeLiquidity


def test_adding_liquidity_takes_tokens_at_the_pools_price(pool: Any, funded_token: Any, actors: Actors) -> None:
    receipt = pool.addLiquidity(funded_token, FOREVER, 0, FOREVER, value=COIN, sender=actors.provider)

    shares = TOTAL_SHARES // 10
    assert pool.LiquidityAdded.from_receipt(receipt) == [
        pool.LiquidityAdded(
            token=funded_token,
            provider=actors.provider,
            nativeAmount=COIN,
            tokenAmount=TOKENS // 10,
            shares=shares,
            nativeReserve=NATIVE + COIN,
            tokenReserve=TOKENS + TOKENS // 10,
        )
    ]
    assert pool.sharesOf(funded_token, actors.provider) == shares
    assert pool.totalShares(funded_token) == TOTAL_SHARES + shares
    assert tuple(pool.reserves(funded_token)) == (11 * COIN, 110_000 * COIN)


def test_adding_rounds_tokens_up_and_shares_down(pool: Any, funded_token: Any, actors: Actors) -> None:
    pool.buyTokens(funded_token, 0, value=COIN // 7, sender=actors.trader)
    native, tokens = pool.reserves(funded_token)
    total = pool.totalShares(funded_token)

    receipt = pool.addLiquidity(funded_token, FOREVER, 0, FOREVER, value=12_345, sender=actors.provider)

    (event,) = pool.LiquidityAdded.from_receipt(receipt)
    assert event.tokenAmount == -(-12_345 * tokens // native)
    assert event.shares == 12_345 * total // native


def test_adding_keeps_to_the_callers_limits(pool: Any, funded_token: Any, actors: Actors, expired: int) -> None:
    def add(max_tokens: int = FOREVER, min_shares: int = 0, deadline: int = FOREVER, value: int = COIN) -> None:
        pool.addLiquidity(funded_token, max_tokens, min_shares, deadline, value=value, sender=actors.provider)

    with ape.reverts("dex: slippage exceeded"):
        add(max_tokens=TOKENS // 10 - 1)
    with ape.reverts("dex: slippage exceeded"):
        add(min_shares=TOTAL_SHARES // 10 + 1)
    with ape.reverts("dex: deadline passed"):
        add(deadline=expired)
    with ape.reverts("dex: amount too small"):
        add(value=0)
    add(max_tokens=TOKENS // 10, min_shares=TOTAL_SHARES // 10)


def test_removing_liquidity_pays_its_part_of_both_reserves(pool: Any, funded_token: Any, actors: Actors) -> None:
    shares = TOTAL_SHARES // 4
    before = (actors.creator.balance, funded_token.balanceOf(actors.creator))

    receipt = pool.removeLiquidity(funded_token, shares, 0, 0, FOREVER, sender=actors.creator)

    native, tokens = shares * NATIVE // TOTAL_SHARES, shares * TOKENS // TOTAL_SHARES
    assert pool.LiquidityRemoved.from_receipt(receipt) == [
        pool.LiquidityRemoved(
            token=funded_token,
            provider=actors.creator,
            nativeAmount=native,
            tokenAmount=tokens,
            shares=shares,
            nativeReserve=NATIVE - native,
            tokenReserve=TOKENS - tokens,
        )
    ]
    assert actors.creator.balance == before[0] + native - receipt.total_fees_paid
    assert funded_token.balanceOf(actors.creator) == before[1] + tokens
    assert tuple(pool.reserves(funded_token)) == (NATIVE - native, TOKENS - tokens)


def test_removing_rounds_both_amounts_down(pool: Any, funded_token: Any, actors: Actors) -> None:
    pool.buyTokens(funded_token, 0, value=COIN // 7, sender=actors.trader)
    native, tokens = pool.reserves(funded_token)
    total = pool.totalShares(funded_token)

    receipt = pool.removeLiquidity(funded_token, 12_345, 0, 0, FOREVER, sender=actors.creator)

    (event,) = pool.LiquidityRemoved.from_receipt(receipt)
    assert event.nativeAmount == 12_345 * native // total < 12_345 * native / total
    assert event.tokenAmount == 12_345 * tokens // total < 12_345 * tokens / total


def test_everything_but_the_locked_shares_can_be_removed(pool: Any, funded_token: Any, actors: Actors) -> None:
    pool.removeLiquidity(funded_token, TOTAL_SHARES - 1_000, 0, 0, FOREVER, sender=actors.creator)

    native, tokens = pool.reserves(funded_token)
    assert pool.totalShares(funded_token) == 1_000
    assert native > 0
    assert tokens > 0


def test_removing_keeps_to_the_callers_limits(pool: Any, funded_token: Any, actors: Actors, expired: int) -> None:
    def remove(shares: int = TOTAL_SHARES // 10, native: int = 0, tokens: int = 0, deadline: int = FOREVER) -> None:
        pool.removeLiquidity(funded_token, shares, native, tokens, deadline, sender=actors.creator)

    with ape.reverts("dex: slippage exceeded"):
        remove(native=COIN + 1)
    with ape.reverts("dex: slippage exceeded"):
        remove(tokens=TOKENS // 10 + 1)
    with ape.reverts("dex: deadline passed"):
        remove(deadline=expired)
    for shares in (0, TOTAL_SHARES - 999):
        with ape.reverts("dex: insufficient shares"):
            remove(shares=shares)


def test_a_stranger_has_no_shares_to_remove(pool: Any, funded_token: Any, actors: Actors) -> None:
    with ape.reverts("dex: insufficient shares"):
        pool.removeLiquidity(funded_token, 1, 0, 0, FOREVER, sender=actors.stranger)


# buyTokens and sellTokens


def test_buying_gives_what_the_formula_says(pool: Any, funded_token: Any, actors: Actors) -> None:
    before = funded_token.balanceOf(actors.trader)
    quote = pool.getTokensOut(funded_token, COIN)

    receipt = pool.buyTokens(funded_token, quote, value=COIN, sender=actors.trader)

    fee = pricing.platform_fee(COIN, RATE_BPS)
    assert quote == pricing.tokens_out(COIN, NATIVE, TOKENS, RATE_BPS)
    assert pool.TokensPurchased.from_receipt(receipt) == [
        pool.TokensPurchased(
            token=funded_token,
            buyer=actors.trader,
            nativeIn=COIN,
            tokensOut=quote,
            platformFee=fee,
            platformFeeRecipient=actors.fee_recipient,
            nativeReserve=NATIVE + COIN - fee,
            tokenReserve=TOKENS - quote,
        )
    ]
    assert funded_token.balanceOf(actors.trader) == before + quote
    assert tuple(pool.reserves(funded_token)) == (NATIVE + COIN - fee, TOKENS - quote)
    assert pool.platformFeesDue(actors.fee_recipient) == fee


def test_selling_pays_what_the_formula_says(pool: Any, funded_token: Any, actors: Actors) -> None:
    amount = 5_000 * COIN
    before = actors.trader.balance
    quote = pool.getNativeOut(funded_token, amount)

    receipt = pool.sellTokens(funded_token, amount, quote, sender=actors.trader)

    paid, fee = pricing.native_out(amount, NATIVE, TOKENS, RATE_BPS)
    assert quote == paid
    assert pool.TokensSold.from_receipt(receipt) == [
        pool.TokensSold(
            token=funded_token,
            seller=actors.trader,
            tokensIn=amount,
            nativeOut=paid,
            platformFee=fee,
            platformFeeRecipient=actors.fee_recipient,
            nativeReserve=NATIVE - paid - fee,
            tokenReserve=TOKENS + amount,
        )
    ]
    assert actors.trader.balance == before + paid - receipt.total_fees_paid
    assert tuple(pool.reserves(funded_token)) == (NATIVE - paid - fee, TOKENS + amount)
    assert pool.platformFeesDue(actors.fee_recipient) == fee


def test_buying_keeps_to_the_callers_limits(pool: Any, funded_token: Any, actors: Actors, expired: int) -> None:
    quote = pool.getTokensOut(funded_token, COIN)
    with ape.reverts("dex: slippage exceeded"):
        pool.buyTokens(funded_token, quote + 1, value=COIN, sender=actors.trader)
    with ape.reverts("dex: deadline passed"):
        pool.buyTokens(funded_token, 0, expired, value=COIN, sender=actors.trader)
    with ape.reverts("dex: amount too small"):
        pool.buyTokens(funded_token, 0, value=0, sender=actors.trader)
    pool.buyTokens(funded_token, quote, FOREVER, value=COIN, sender=actors.trader)


def test_selling_keeps_to_the_callers_limits(pool: Any, funded_token: Any, actors: Actors, expired: int) -> None:
    quote = pool.getNativeOut(funded_token, COIN)
    with ape.reverts("dex: slippage exceeded"):
        pool.sellTokens(funded_token, COIN, quote + 1, sender=actors.trader)
    with ape.reverts("dex: deadline passed"):
        pool.sellTokens(funded_token, COIN, 0, expired, sender=actors.trader)
    for dust in (0, 1):
        with ape.reverts("dex: amount too small"):
            pool.sellTokens(funded_token, dust, 0, sender=actors.trader)
    pool.sellTokens(funded_token, COIN, quote, FOREVER, sender=actors.trader)


def test_selling_needs_tokens_and_an_allowance(pool: Any, funded_token: Any, actors: Actors) -> None:
    with ape.reverts("erc20: insufficient allowance"):
        pool.sellTokens(funded_token, COIN, 0, sender=actors.stranger)
    funded_token.approve(pool, FOREVER, sender=actors.stranger)
    with ape.reverts("erc20: transfer amount exceeds balance"):
        pool.sellTokens(funded_token, COIN, 0, sender=actors.stranger)


def test_without_a_pool_there_is_nothing_to_trade(dex: Any, token: Any, actors: Actors) -> None:
    assert tuple(dex.reserves(token)) == (0, 0)
    calls: list[Callable[[], Any]] = [
        lambda: dex.buyTokens(token, 0, value=COIN, sender=actors.trader),
        lambda: dex.sellTokens(token, COIN, 0, sender=actors.trader),
        lambda: dex.addLiquidity(token, COIN, 0, FOREVER, value=COIN, sender=actors.trader),
        lambda: dex.removeLiquidity(token, 1, 0, 0, FOREVER, sender=actors.trader),
        lambda: dex.getTokensOut(token, COIN),
        lambda: dex.getNativeOut(token, COIN),
        lambda: dex.spotPrice(token),
        lambda: dex.cumulativePrice(token),
    ]
    for call in calls:
        with ape.reverts("dex: no pool"):
            call()


def test_a_round_trip_never_gains(pool: Any, funded_token: Any, actors: Actors) -> None:
    receipt = pool.buyTokens(funded_token, 0, value=COIN, sender=actors.trader)
    bought = pool.TokensPurchased.from_receipt(receipt)[0].tokensOut

    assert pool.getNativeOut(funded_token, bought) < COIN * 95 // 100


# fees


@pytest.mark.parametrize("rate", [0, 1, 1_000])
def test_the_tokens_fee_rate_applies_at_once(pool: Any, funded_token: Any, actors: Actors, rate: int) -> None:
    funded_token.setPlatformFeeRate(rate, sender=actors.fee_recipient)

    assert pool.getTokensOut(funded_token, 12_345) == pricing.tokens_out(12_345, NATIVE, TOKENS, rate)
    assert pool.getNativeOut(funded_token, COIN) == pricing.native_out(COIN, NATIVE, TOKENS, rate)[0]


def test_fees_wait_for_the_recipient_of_the_time(pool: Any, funded_token: Any, actors: Actors) -> None:
    pool.buyTokens(funded_token, 0, value=COIN, sender=actors.trader)
    funded_token.setPlatformFeeRecipient(actors.stranger, sender=actors.fee_recipient)
    pool.buyTokens(funded_token, 0, value=2 * COIN, sender=actors.trader)

    fee = pricing.platform_fee(COIN, RATE_BPS)
    assert pool.platformFeesDue(actors.fee_recipient) == fee
    assert pool.platformFeesDue(actors.stranger) == 2 * fee


def test_anybody_sends_fees_to_their_recipient(pool: Any, funded_token: Any, actors: Actors) -> None:
    pool.buyTokens(funded_token, 0, value=COIN, sender=actors.trader)
    fee = pool.platformFeesDue(actors.fee_recipient)
    before = actors.fee_recipient.balance

    receipt = pool.withdrawPlatformFees(actors.fee_recipient, sender=actors.stranger)

    assert receipt.events == [pool.PlatformFeesWithdrawn(recipient=actors.fee_recipient, amount=fee)]
    assert actors.fee_recipient.balance == before + fee
    assert pool.platformFeesDue(actors.fee_recipient) == 0
    with ape.reverts("dex: no fees due"):
        pool.withdrawPlatformFees(actors.fee_recipient, sender=actors.stranger)


# prices


def test_the_spot_price_is_native_wei_for_a_whole_token(pool: Any, funded_token: Any, actors: Actors) -> None:
    assert pool.spotPrice(funded_token) == NATIVE * COIN // TOKENS
    pool.buyTokens(funded_token, 0, value=COIN, sender=actors.trader)

    native, tokens = pool.reserves(funded_token)
    assert pool.spotPrice(funded_token) == native * COIN // tokens


def test_the_cumulative_price_gives_the_time_weighted_average(
    chain: Any, pool: Any, funded_token: Any, actors: Actors
) -> None:
    chain.mine()
    first_price = pool.spotPrice(funded_token)
    start = pool.cumulativePrice(funded_token)
    assert start.timestamp == chain.blocks.head.timestamp

    chain.pending_timestamp = start.timestamp + 300
    traded = pool.buyTokens(funded_token, 0, value=5 * COIN, sender=actors.trader)
    second_price = pool.spotPrice(funded_token)
    chain.mine(timestamp=traded.timestamp + 100)
    end = pool.cumulativePrice(funded_token)

    before, after = traded.timestamp - start.timestamp, end.timestamp - traded.timestamp
    assert (before, after) == (300, 100)
    assert end.cumulative - start.cumulative == first_price * before + second_price * after


def test_the_fixed_terms_of_pools_are_readable(dex: Any) -> None:
    assert (dex.poolFeeRate(), dex.minimumLiquidity()) == (30, 1_000)


def test_the_registry_is_readable(dex: Any, deployer: Any) -> None:
    assert dex.registry() == deployer
