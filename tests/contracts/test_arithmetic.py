"""The compiled pricing functions against exact fractions, over all reserves and payments that proofs.md is about."""

from pathlib import Path
from typing import Any

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts import pricing
from tests.contracts.profiles import PROFILES, STATEFUL

EXCHANGE = Path(__file__).resolve().parents[2] / "contracts" / "exchange" / "IntegratedCreatorDEX.vy"
EXAMPLES = 5_000 if STATEFUL is PROFILES["audit"] else 50


def magnitudes(bits: int) -> st.SearchStrategy[int]:
    """Draw from 1 to 2**bits - 1, every number of bits being as likely."""
    return st.integers(1, bits).flatmap(lambda width: st.integers(1 << width - 1, (1 << width) - 1))


pools = st.tuples(magnitudes(108), magnitudes(108))
payments = st.just(0) | magnitudes(128)
rates = st.sampled_from([0, 1, 250, 999, 1_000]) | st.integers(0, 1_000)


@pytest.fixture(scope="module")
def exchange() -> Any:
    return boa.load(str(EXCHANGE), boa.env.generate_address("registry"))


@settings(max_examples=EXAMPLES, deadline=None)
@given(pool=pools, paid=payments, rate=rates)
def test_a_purchase_is_priced_to_the_wei_in_any_pool(
    exchange: Any, pool: tuple[int, int], paid: int, rate: int
) -> None:
    assert exchange.internal._quote_purchase(rate, (*pool, 0), paid) == (
        pricing.tokens_out(paid, *pool, rate),
        pricing.platform_fee(paid, rate),
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(pool=pools, paid=payments, rate=rates)
def test_a_sale_is_priced_to_the_wei_in_any_pool(exchange: Any, pool: tuple[int, int], paid: int, rate: int) -> None:
    gross, fee = exchange.internal._quote_sale(rate, (*pool, 0), paid)
    assert (gross - fee, fee) == pricing.native_out(paid, *pool, rate)
