"""Against the real contracts on a real chain: what the API prepares is signed, sent, and does what it said."""

from typing import Any

import pytest
from eth_account import Account

from encore.settings import local_account_address, local_account_key
from tests.api.mirrored import TRADER, Market
from tests.factories import ETHER

WALLET = local_account_address(TRADER)
PENNILESS = "0x000000000000000000000000000000000000dEaD"
MINIMUM_STAKE = 100 * ETHER


async def test_a_buy_gives_exactly_what_was_quoted(market: Market) -> None:
    prepared = await market.prepare(side="buy", amount=str(10**17), slippage_bps=0)
    (step,) = prepared["steps"]
    assert step["action"] == "buy"
    assert step["transaction"].keys() == {
        *("type", "chainId", "from", "to", "data", "value", "nonce", "gas", "maxFeePerGas", "maxPriorityFeePerGas")
    }
    await market.execute(prepared)
    assert str(await market.tokens()) == prepared["quote"]["amount_out"]


async def test_a_sale_is_led_by_its_approval_only_when_it_needs_one(market: Market) -> None:
    await market.execute(await market.prepare(side="buy", amount=str(10**17)))
    bought = await market.tokens()
    await market.mirror()

    prepared = await market.prepare(side="sell", amount=str(bought // 2), slippage_bps=0)
    assert [step["action"] for step in prepared["steps"]] == ["approve", "sell"]
    before = await market.native()
    receipts = await market.execute(prepared)
    gas = sum(int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16) for receipt in receipts)
    assert str(await market.native() - before + gas) == prepared["quote"]["amount_out"]
    assert await market.tokens() == bought - bought // 2
    assert await market.coin.call("allowance", WALLET, market.economy.exchange.address) == 0

    await market.coin.send("approve", market.economy.exchange.address, 2**256 - 1, sender=TRADER)
    await market.mirror()
    again = await market.prepare(side="sell", amount=str(bought // 4))
    assert [step["action"] for step in again["steps"]] == ["sell"]


async def test_the_slippage_floor_and_the_deadline_are_enforced_by_the_chain(market: Market) -> None:
    prepared = await market.prepare(side="buy", amount=str(10**17), slippage_bps=50, deadline_seconds=60)
    await market.economy.exchange.send("buyTokens", market.coin.address, 0, sender=6, value=10**18)
    with pytest.raises(AssertionError, match="reverted"):
        await market.execute(prepared)

    await market.mirror()
    prepared = await market.prepare(side="buy", amount=str(10**17), deadline_seconds=60)
    await market.economy.chain.rpc.call("evm_increaseTime", 3_600)
    with pytest.raises(AssertionError, match="reverted"):
        await market.execute(prepared)


async def test_a_node_that_holds_the_key_takes_the_transaction_as_it_is(market: Market) -> None:
    prepared = await market.prepare(side="buy", amount=str(10**15))
    await market.economy.chain.rpc.call("eth_sendTransaction", prepared["steps"][0]["transaction"])
    assert str(await market.tokens()) == prepared["quote"]["amount_out"]


async def test_coins_are_staked_and_rewards_claimed_by_prepared_transactions(market: Market) -> None:
    await market.execute(await market.prepare(side="buy", amount=str(10**17)))
    await market.execute(await market.prepare(kind="stake", amount=str(MINIMUM_STAKE)))
    assert (await market.coin.call("stakingInfo", WALLET))[0] == MINIMUM_STAKE
    await market.economy.chain.rpc.call("evm_increaseTime", 366 * 86_400)
    await market.economy.chain.rpc.call("evm_mine")
    before = await market.tokens()
    await market.execute(await market.prepare(kind="claim"))
    assert await market.tokens() > before
    await market.execute(await market.prepare(kind="unstake"))
    assert not await market.coin.call("isStaking", WALLET)


async def test_liquidity_is_added_and_taken_back_as_quoted(market: Market) -> None:
    await market.execute(await market.prepare(side="buy", amount=str(10**18)))
    await market.mirror()
    before = await market.tokens()
    prepared = await market.prepare(kind="add_liquidity", native_amount=str(10**17), slippage_bps=0)
    assert [step["action"] for step in prepared["steps"]] == ["approve", "add_liquidity"]
    await market.execute(prepared)
    quote = prepared["liquidity"]
    assert str(before - await market.tokens()) == quote["token_amount"]
    assert str(await market.exchange.call("sharesOf", market.coin.address, WALLET)) == quote["shares"]
    assert await market.coin.call("allowance", WALLET, market.exchange.address) == 0

    await market.mirror()
    held = await market.tokens()
    prepared = await market.prepare(kind="remove_liquidity", shares=quote["shares"], slippage_bps=0)
    native = await market.native()
    (receipt,) = await market.execute(prepared)
    gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert str(await market.tokens() - held) == prepared["liquidity"]["token_amount"]
    assert str(await market.native() - native + gas) == prepared["liquidity"]["native_amount"]


async def test_coins_vote_and_their_revenue_is_claimed_by_prepared_transactions(market: Market) -> None:
    await market.execute(await market.prepare(side="buy", amount=str(10**18)))
    prepared = await market.prepare(kind="delegate", delegatee=WALLET)
    (receipt,) = await market.execute(prepared)
    # Room for what an estimate cannot know: revenue that the next second divides.
    assert int(prepared["steps"][0]["transaction"]["gas"], 16) - int(receipt["gasUsed"], 16) > 30_000
    assert await market.coin.call("getVotes", WALLET) == await market.tokens()
    await market.coin.send("distribute", sender=6, value=ETHER)
    await market.chain.wait(10)
    due = await market.coin.call("pendingRevenue", WALLET)
    before = await market.native()
    (receipt,) = await market.execute(await market.prepare(kind="claim_revenue"))
    gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert await market.native() - before + gas == due > 0


async def test_an_approval_is_a_transaction_or_a_signature(market: Market) -> None:
    await market.execute(await market.prepare(kind="approve", amount="12345"))
    assert await market.coin.call("allowance", WALLET, market.exchange.address) == 12_345
    permit = await market.get(f"{market.path}/permit", wallet=WALLET, amount="777", lasts_seconds=60)
    signed = Account.sign_typed_data(local_account_key(TRADER), full_message=permit["typed_data"])
    r, s = (number.to_bytes(32) for number in (signed.r, signed.s))
    deadline = int(permit["typed_data"]["message"]["deadline"])
    await market.coin.send("permit", WALLET, market.exchange.address, 777, deadline, signed.v, r, s, sender=6)
    assert await market.coin.call("allowance", WALLET, market.exchange.address) == 777


async def test_what_the_chain_would_refuse_is_told_before_anybody_signs(market: Market) -> None:
    refused: list[tuple[dict[str, str], str]] = [
        ({"side": "buy", "amount": str(10**24)}, "dex: price impact too high"),
        ({"side": "buy", "amount": str(10**18), "wallet": PENNILESS}, "nsufficient"),
        ({"kind": "stake", "amount": "1"}, "staking: amount below minimum"),
        ({"kind": "unstake"}, "staking: no position"),
        ({"kind": "claim"}, "staking: no position"),
    ]
    for body, words in refused:
        response = await market.client.post(
            f"/api/v1/coins/{market.coin.address}/transactions", json={"wallet": WALLET, **body}
        )
        assert response.status_code == 422
        assert response.json()["type"] == "urn:encore:problem:transaction-refused"
        assert words in response.json()["detail"]


async def test_a_body_that_is_wrong_is_named(market: Market) -> None:
    wrong: list[tuple[Any, str]] = [
        ({"side": "buy", "amount": 5, "wallet": WALLET}, "trade.amount"),
        ({"side": "buy", "amount": "5", "wallet": "0x12"}, "trade.wallet"),
        ({"side": "buy", "amount": "5", "wallet": WALLET, "key": "0x1"}, "trade.key"),
        ({"kind": "gamble", "wallet": WALLET}, "body"),
        ({"kind": ["trade"]}, "body"),
        ([], "body"),
    ]
    for body, field in wrong:
        response = await market.client.post(f"/api/v1/coins/{market.coin.address}/transactions", json=body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["location"] == "body"
        assert response.json()["errors"][0]["field"] == field
