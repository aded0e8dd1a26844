from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from encore.chain import amm
from encore.chain.amm import Reserves, SwapError

RESERVE = st.integers(min_value=1, max_value=10**30)
AMOUNT = st.integers(min_value=1, max_value=10**30)
FEE_BPS = st.integers(min_value=0, max_value=1_000)
RESERVES = st.builds(Reserves, RESERVE, RESERVE)


@given(RESERVES, AMOUNT, FEE_BPS)
def test_a_buy_gives_what_exact_fractions_give(reserves: Reserves, native_in: int, fee_bps: int) -> None:
    fee = ceil(Fraction(native_in * fee_bps, 10_000))
    kept = native_in - fee
    after_pool_fee = Fraction(kept * 9_970, 10_000)
    out = floor(reserves.token * after_pool_fee / (reserves.native + after_pool_fee))
    if out == 0:
        with pytest.raises(SwapError, match="dex: amount too small"):
            amm.buy(reserves, native_in, fee_bps)
        return
    swap = amm.buy(reserves, native_in, fee_bps)
    assert (swap.amount_out, swap.platform_fee) == (out, fee)
    assert swap.reserves == Reserves(reserves.native + kept, reserves.token - out)
    assert swap.pool_fee == ceil(kept - after_pool_fee)


@given(RESERVES, AMOUNT, FEE_BPS)
def test_a_sale_gives_what_exact_fractions_give(reserves: Reserves, tokens_in: int, fee_bps: int) -> None:
    after_pool_fee = Fraction(tokens_in * 9_970, 10_000)
    gross = floor(reserves.native * after_pool_fee / (reserves.token + after_pool_fee))
    fee = ceil(Fraction(gross * fee_bps, 10_000))
    if gross == fee:
        with pytest.raises(SwapError, match="dex: amount too small"):
            amm.sell(reserves, tokens_in, fee_bps)
        return
    swap = amm.sell(reserves, tokens_in, fee_bps)
    assert (swap.amount_out, swap.platform_fee) == (gross - fee, fee)
    assert swap.reserves == Reserves(reserves.native - gross, reserves.token + tokens_in)
    assert swap.pool_fee == ceil(tokens_in - after_pool_fee)


@given(RESERVES, AMOUNT, FEE_BPS)
def test_no_trade_makes_the_pool_poorer(reserves: Reserves, amount: int, fee_bps: int) -> None:
    for swap in (amm.buy, amm.sell):
        try:
            after = swap(reserves, amount, fee_bps).reserves
        except SwapError:
            continue
        assert after.native * after.token >= reserves.native * reserves.token


@given(RESERVES, AMOUNT, FEE_BPS)
def test_selling_what_was_just_bought_never_pays(reserves: Reserves, native_in: int, fee_bps: int) -> None:
    try:
        bought = amm.buy(reserves, native_in, fee_bps)
        sold = amm.sell(bought.reserves, bought.amount_out, fee_bps)
    except SwapError:
        return
    assert sold.amount_out <= native_in


@given(RESERVES, AMOUNT, AMOUNT, FEE_BPS)
def test_who_pays_more_never_gets_less(reserves: Reserves, less: int, more: int, fee_bps: int) -> None:
    less, more = sorted((less, more))
    try:
        small, large = amm.buy(reserves, less, fee_bps), amm.buy(reserves, more, fee_bps)
    except SwapError:
        return
    assert small.amount_out <= large.amount_out
    assert small.price_impact_bps <= large.price_impact_bps


@given(RESERVES, AMOUNT)
def test_the_price_impact_is_how_far_the_average_price_is_from_the_spot_price(reserves: Reserves, amount: int) -> None:
    """Without rounding: 1 - out / (in after fees, at the spot price)."""
    assume(amount <= amm.MAXIMUM_RESERVE - reserves.token)
    after_fees = Fraction(amount * 9_970, 10_000)
    at_spot = after_fees * reserves.native / reserves.token
    out = after_fees * reserves.native / (reserves.token + after_fees)
    try:
        swap = amm.sell(reserves, amount, 0)
    except SwapError:
        return
    assert swap.price_impact_bps == ceil((1 - out / at_spot) * 10_000)
    assert 0 < swap.price_impact_bps <= 10_000


@given(AMOUNT, st.integers(min_value=0, max_value=10_000))
def test_the_slippage_floor_is_rounded_down(amount: int, slippage_bps: int) -> None:
    least = amm.with_slippage(amount, slippage_bps)
    assert least == floor(Fraction(amount * (10_000 - slippage_bps), 10_000))
    assert 0 <= least <= amount


def test_a_trade_that_the_pool_cannot_hold_is_refused_in_the_contracts_words() -> None:
    full = Reserves(amm.MAXIMUM_RESERVE, amm.MAXIMUM_RESERVE)
    for swap in (amm.buy, amm.sell):
        with pytest.raises(SwapError, match="dex: reserve too large"):
            swap(full, 10**6, 250)
