"""The real contracts on a real chain, mirrored by the real indexer, behind the application."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from eth_account import Account
from eth_utils.crypto import keccak

from api.main import create_app
from encore.chain.deployments import load_abi
from encore.chain.networks import network_named
from encore.chain.outbox.reverts import revert_reason
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.errors import RpcError
from encore.settings import Settings, local_account_address, local_account_key
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from tests.api.conftest import checked_client
from tests.contracts_on_anvil import Chain, Contract, Economy
from tests.factories import ETHER

TRADER = 5


@dataclass
class Market:
    """A launched coin and its mirror, which a test brings up to date by `mirror`."""

    economy: Economy
    coin: Contract
    database: Database
    client: httpx2.AsyncClient
    indexer: Indexer

    @property
    def chain(self) -> Chain:
        return self.economy.chain

    @property
    def exchange(self) -> Contract:
        return self.economy.exchange

    @property
    def path(self) -> str:
        return f"/api/v1/coins/{self.coin.address}"

    async def mirror(self) -> int:
        """Index up to the newest block; returns its number."""
        await self.indexer.catch_up()
        return self.indexer.position.number

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Read something that the API has."""
        answer: dict[str, Any] = (await self.client.get(path, params=params)).raise_for_status().json()
        return answer

    async def prepare(self, *, trader: int = TRADER, **body: Any) -> dict[str, Any]:
        """Ask the API to prepare transactions of a trader's wallet."""
        request = {"wallet": local_account_address(trader), **body}
        response = await self.client.post(f"{self.path}/transactions", json=request)
        assert response.status_code == 200, response.text
        prepared: dict[str, Any] = response.json()
        return prepared

    async def execute(self, prepared: dict[str, Any], *, trader: int = TRADER) -> list[dict[str, Any]]:
        """Sign every step with eth-account, exactly as it came, and send it; returns the receipts."""
        account = Account.from_key(local_account_key(trader))
        return [
            await self.chain.send_raw(account.sign_transaction(step["transaction"]).raw_transaction.to_0x_hex())
            for step in prepared["steps"]
        ]

    async def tokens(self, trader: int = TRADER) -> int:
        """A trader's coins."""
        amount: int = await self.coin.call("balanceOf", local_account_address(trader))
        return amount

    async def native(self, trader: int = TRADER) -> int:
        """A trader's native wei."""
        return int(await self.chain.rpc.call("eth_getBalance", local_account_address(trader), "latest"), 16)

    async def outcome(self, data: str, *, trader: int = TRADER, value: int = 0, at: int) -> int | str:
        """What a call of the exchange would return at a time (unix seconds) in the newest block, or its refusal."""
        call = {"from": local_account_address(trader), "to": self.exchange.address, "data": data, "value": hex(value)}
        try:
            return int(await self.chain.rpc.call("eth_call", call, "latest", {}, {"time": hex(at)}), 16)
        except RpcError as error:
            return revert_reason(error)

    def events_of(self, receipt: dict[str, Any]) -> list[str]:
        """The names of the exchange's events in a receipt."""
        names = {
            event_topic(entry): entry["name"] for entry in load_abi("IntegratedCreatorDEX") if entry["type"] == "event"
        }
        return [names[log["topics"][0]] for log in receipt["logs"] if log["topics"][0] in names]


def event_topic(abi: dict[str, Any]) -> str:
    """The topic by which an event's logs are found."""
    return "0x" + keccak(text=f"{abi['name']}({','.join(entry['type'] for entry in abi['inputs'])})").hex()


@asynccontextmanager
async def market_of(settings: Settings, *, seed: int = 100 * ETHER, governed: bool = False) -> AsyncIterator[Market]:
    """Deploy what coins need (all where `governed`), launch account 2's with `seed` wei, index it and open the API."""
    database = Database(settings.database)
    async with AsyncExitStack() as opened, RpcClient(list(settings.endpoints)) as rpc:
        opened.push_async_callback(database.close)
        chain = Chain(rpc)
        economy = await chain.deploy_everything() if governed else await chain.deploy()
        launched = await economy.launch(2, seed=seed)
        coin = Contract(economy.chain, "BalancedCreatorToken", launched.address)
        registry, network = Registry(all_contracts(), load_abi), network_named("local")
        indexer = Indexer(Source(rpc, network, registry.topics), Mirror(database, registry, network.chain_id), registry)
        await indexer.open(await economy.register(settings))
        app = create_app(settings)
        async with app.router.lifespan_context(app), checked_client(app) as client:
            market = Market(economy, coin, database, client, indexer)
            await market.mirror()
            yield market
