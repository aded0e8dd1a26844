"""Against the real contracts on a real chain: what the API prepares is signed, sent, and does what it said."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx2
import pytest
from eth_account import Account
from fastapi import FastAPI

from api.main import create_app
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.chain import Checkpoint, Pool, Token
from encore.settings import Settings, local_account_address, local_account_key
from tests.api.conftest import checked_client
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain, Contract, Economy
from tests.factories import ETHER, checkpoint, pool, save, token

TRADER = 5
WALLET = local_account_address(TRADER)
PENNILESS = "0x000000000000000000000000000000000000dEaD"
MINIMUM_STAKE = 100 * ETHER


@dataclass(frozen=True)
class Market:
    """A launched coin, and an API whose mirror a test brings up to date by `mirror`."""

    economy: Economy
    coin: Contract
    database: Database
    client: httpx2.AsyncClient

    async def mirror(self) -> int:
        """Copy what quotes need of the newest block into the mirror, as the indexer would; returns the block."""
        rpc = self.economy.chain.rpc
        block = await rpc.call("eth_getBlockByNumber", "latest", False)
        number = int(block["number"], 16)
        native, tokens = await self.economy.exchange.call("reserves", self.coin.address, block=number)
        address = self.coin.address.lower()
        async with self.database.write() as session:
            for model, key in ((Checkpoint, 31337), (Pool, address), (Token, address)):
                if (row := await session.get(model, key)) is not None:
                    await session.delete(row)
        supply = await self.coin.call("totalSupply", block=number)
        await save(
            self.database,
            checkpoint(number, int(block["timestamp"], 16)),
            token(address, total_supply=supply),
            pool(address, native=native, tokens=tokens),
        )
        return number

    async def prepare(self, **body: Any) -> dict[str, Any]:
        """Ask the API to prepare transactions of the trader's wallet."""
        response = await self.client.post(
            f"/api/v1/coins/{self.coin.address}/transactions", json={"wallet": WALLET, **body}
        )
        assert response.status_code == 200, response.text
        prepared: dict[str, Any] = response.json()
        return prepared

    async def execute(self, prepared: dict[str, Any]) -> list[dict[str, Any]]:
        """Sign every step with eth-account, exactly as it came, and send it; returns the receipts."""
        account = Account.from_key(local_account_key(TRADER))
        return [
            await self.economy.chain.send_raw(account.sign_transaction(step["transaction"]).raw_transaction.to_0x_hex())
            for step in prepared["steps"]
        ]

    async def tokens(self) -> int:
        """The trader's coins."""
        amount: int = await self.coin.call("balanceOf", WALLET)
        return amount

    async def native(self) -> int:
        """The trader's native wei."""
        return int(await self.economy.chain.rpc.call("eth_getBalance", WALLET, "latest"), 16)


@pytest.fixture
def settings(tmp_path: Any, sqlite_url: str, anvil: LocalChain) -> Settings:
    """Settings over the real chain; what the database is makes no difference here."""
    return Settings(data_dir=tmp_path, database_url=sqlite_url, rpc_urls=(anvil.url,), _env_file=None)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """The mirror."""
    opened = Database(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture
async def market(anvil: LocalChain, settings: Settings, database: Database) -> AsyncIterator[Market]:
    """A launched coin with a pool, mirrored."""
    async with RpcClient([anvil.url]) as rpc:
        economy = await Chain(rpc).deploy()
        coin = await economy.launch(2, seed=100 * ETHER)
        await economy.register(settings)
        app: FastAPI = create_app(settings)
        async with app.router.lifespan_context(app), checked_client(app) as client:
            opened = Market(economy, coin, database, client)
            await opened.mirror()
            yield opened


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


async def test_a_hundred_random_trades_go_as_quoted_to_the_wei(market: Market) -> None:
    random = Random(7)
    await market.coin.send("approve", market.economy.exchange.address, 2**256 - 1, sender=TRADER)
    await market.mirror()
    path = f"/api/v1/coins/{market.coin.address}/quote"
    for _ in range(100):
        held = await market.tokens()
        side = random.choice(["buy", "sell"]) if held > 10**6 else "buy"
        amount = (
            random.randrange(10**6, held) if side == "sell" else random.randrange(10**3, 10 ** random.randint(4, 18))
        )
        quote = (await market.client.get(path, params={"side": side, "amount": str(amount)})).json()
        if side == "buy":
            await market.economy.exchange.send("buyTokens", market.coin.address, 0, sender=TRADER, value=amount)
            got = await market.tokens() - held
        else:
            got = await market.economy.exchange.call("getNativeOut", market.coin.address, amount)
            await market.economy.exchange.send("sellTokens", market.coin.address, amount, got, sender=TRADER)
        assert quote["amount_out"] == str(got)
        await market.mirror()
        native, tokens = await market.economy.exchange.call("reserves", market.coin.address)
        assert quote["price_after"] == str(native * ETHER // tokens)


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
