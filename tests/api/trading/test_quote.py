from fractions import Fraction
from math import ceil, floor

import httpx2
import pytest

from encore.db import Database
from tests.api.conftest import EXCHANGE
from tests.factories import ETHER, address, checkpoint, pool, pool_guard, safeguards, save, token

COIN = address(0xC01)
PATH = f"/api/v1/coins/{COIN}/quote"


async def test_a_buy_quote_adds_up(client: httpx2.AsyncClient, database: Database) -> None:
    native, tokens, amount = 3 * ETHER + 7, 10**25 + 3, 10**16 + 1
    await save(
        database,
        checkpoint(),
        *safeguards(EXCHANGE),
        token(COIN, platform_fee_bps=333),
        pool(COIN, native=native, tokens=tokens),
        pool_guard(COIN, native=native, tokens=tokens),
    )
    quote = (
        (await client.get(PATH, params={"side": "buy", "amount": str(amount), "slippage_bps": 77}))
        .raise_for_status()
        .json()
    )
    fee = ceil(Fraction(amount * 333, 10_000))
    effective = Fraction((amount - fee) * 9_970, 10_000)
    out = floor(tokens * effective / (native + effective))
    assert quote["amount_out"] == str(out)
    assert quote["minimum_out"] == str(floor(Fraction(out * (10_000 - 77), 10_000)))
    assert quote["platform_fee"] == {"amount": str(fee), "currency": "native", "bps": 333}
    assert quote["pool_fee"] == {"amount": str(ceil(amount - fee - effective)), "currency": "native", "bps": 30}
    assert quote["price_before"] == str(native * ETHER // tokens)
    assert quote["price_after"] == str((native + amount - fee) * ETHER // (tokens - out))
    assert quote["price_impact_bps"] == ceil(10_000 * effective / (native + effective))


async def test_a_sale_quote_takes_its_fees_from_both_sides(client: httpx2.AsyncClient, database: Database) -> None:
    await save(
        database,
        checkpoint(),
        *safeguards(EXCHANGE),
        token(COIN),
        pool(COIN, native=2 * ETHER, tokens=10**25),
        pool_guard(COIN, native=2 * ETHER, tokens=10**25),
    )
    quote = (await client.get(PATH, params={"side": "sell", "amount": str(10**22)})).raise_for_status().json()
    effective = 10**22 * Fraction(9_970, 10_000)
    gross = floor(2 * ETHER * effective / (10**25 + effective))
    fee = ceil(gross * Fraction(250, 10_000))
    assert (quote["amount_out"], quote["platform_fee"]["amount"]) == (str(gross - fee), str(fee))
    assert quote["pool_fee"] == {"amount": str(10**22 * 3 // 1_000), "currency": "token", "bps": 30}
    assert quote["slippage_bps"] == 100


@pytest.mark.parametrize(
    ("amount", "words"), [("1", "dex: amount too small"), (str(2**256 - 1), "dex: reserve too large")]
)
async def test_what_the_exchange_would_refuse_is_told_in_its_words(
    client: httpx2.AsyncClient, database: Database, amount: str, words: str
) -> None:
    await save(database, checkpoint(), *safeguards(EXCHANGE), token(COIN), pool(COIN), pool_guard(COIN))
    response = await client.get(PATH, params={"side": "sell", "amount": amount})
    assert response.status_code == 422
    assert response.json()["type"] == "urn:encore:problem:swap-refused"
    assert words in response.json()["detail"]


async def test_a_coin_without_a_pool_cannot_be_quoted(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), token(COIN))
    response = await client.get(PATH, params={"side": "buy", "amount": "1"})
    assert (response.status_code, response.json()["type"]) == (409, "urn:encore:problem:no-pool")


async def test_a_wrong_parameter_is_named(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint(), *safeguards(EXCHANGE), token(COIN), pool(COIN), pool_guard(COIN))
    right = {"side": "buy", "amount": "1"}
    amounts = ["", "0", "-1", "1.5", "0x10", str(2**256), "9" * 5_000, "\u0661"]
    wrong = [("side", "hold"), ("slippage_bps", "10001"), *(("amount", amount) for amount in amounts)]
    for field, value in wrong:
        response = await client.get(PATH, params={**right, field: value})
        assert response.status_code == 422
        assert [(error["location"], error["field"]) for error in response.json()["errors"]] == [("query", field)]
