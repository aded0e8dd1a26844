"""A chain to send to: RPC clients, a signer, and a contract that writes down what reached it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from vyper import compile_code

from encore.chain.deployments import Deployment, load_abi
from encore.chain.networks import network_named
from encore.chain.outbox import FeePolicy, Intent, Node, OutboxSender, Signer
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.settings import Settings, load_settings, local_account_key
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from oracle.assembly import Oracle, assemble
from oracle.metrics import Metrics, metrics_of
from oracle.milestones import MILESTONES
from oracle.repository import activity, creators
from oracle.repository.creators import Comparison
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain, Contract, Economy
from tests.support import eventually

LOCAL = network_named("local")

RECORDER = """
# pragma version 0.4.3
# pragma evm-version cancun
event Recorded:
    number: uint256

isClosed: public(bool)

@external
@payable
def record(number: uint256):
    assert not self.isClosed, "recorder: closed"
    log Recorded(number=number)

@external
def close():
    self.isClosed = True
"""


@dataclass(frozen=True)
class Recorder:
    """The deployed recorder."""

    address: str
    rpc: RpcClient

    def intent(self, number: int, sender: str, *, value: int = 0) -> Intent:
        """Return the intention to record `number`."""
        data = keccak(text="record(uint256)")[:4] + encode(["uint256"], [number])
        return Intent(
            f"record:{number}", "record", str(number), LOCAL.chain_id, sender, self.address, "0x" + data.hex(), value
        )

    async def numbers(self) -> list[int]:
        """Return what was recorded, in the order of the chain."""
        logs = await self.rpc.call("eth_getLogs", {"address": self.address, "fromBlock": "0x0", "toBlock": "latest"})
        return [int(decode(["uint256"], bytes.fromhex(log["data"][2:]))[0]) for log in logs]

    async def close(self) -> None:
        """Make it refuse from the next block on, by a stranger who pays to be first in it."""
        await send_unlocked(self.rpc, self.address, "0x" + keccak(text="close()")[:4].hex(), tip=50 * GWEI)


async def send_unlocked(rpc: RpcClient, to: str | None, data: str, *, tip: int = GWEI) -> str:
    """Send a transaction from one of the chain's own accounts and return its hash."""
    sender = (await rpc.call("eth_accounts"))[5]
    transaction: dict[str, Any] = {
        "from": sender,
        "data": data,
        "maxFeePerGas": hex(100 * GWEI),
        "maxPriorityFeePerGas": hex(tip),
    }
    if to is not None:
        transaction["to"] = to
    hash_: str = await rpc.call("eth_sendTransaction", transaction)
    return hash_


async def deploy_recorder(rpc: RpcClient) -> Recorder:
    """Deploy the recorder and wait for it."""
    hash_ = await send_unlocked(rpc, None, compile_code(RECORDER, output_formats=["bytecode"])["bytecode"])

    async def mined() -> Any:
        return await rpc.call("eth_getTransactionReceipt", hash_)

    return Recorder((await eventually(mined))["contractAddress"], rpc)


@pytest.fixture
async def rpc(anvil: LocalChain) -> AsyncIterator[RpcClient]:
    async with RpcClient([anvil.url]) as client:
        yield client


@pytest.fixture
async def recorder(rpc: RpcClient) -> Recorder:
    return await deploy_recorder(rpc)


@pytest.fixture
def signer() -> Signer:
    return Signer(local_account_key(1), LOCAL.chain_id)


@pytest.fixture
def new_sender(database: Database, rpc: RpcClient, signer: Signer) -> Callable[[], OutboxSender]:
    """Make senders as a restarted process would: nothing in memory."""

    def make() -> OutboxSender:
        return OutboxSender(database, Node(rpc, LOCAL, signer.address), signer, FeePolicy(cap=1_000 * GWEI))

    return make


@dataclass
class Loop:
    """The contracts on a chain, the mirror of them, and an oracle; each part moves when it is told to."""

    settings: Settings
    database: Database
    economy: Economy
    deployment: Deployment
    indexer: Indexer
    oracle: Oracle

    @property
    def metrics_manager(self) -> Contract:
        return self.economy.contracts["CreatorMetricsManager"]

    @property
    def factory(self) -> Contract:
        return self.economy.contracts["CreatorTokenFactory"]

    def restarted_oracle(self) -> Oracle:
        """Return an oracle as after a restart: nothing in memory."""
        return assemble(self.settings, self.database, self.economy.chain.rpc, self.deployment)

    async def settle(self) -> None:
        """Send everything queued and mirror it."""

        async def idle() -> bool:
            return (await self.oracle.outbox.run_once()).is_idle

        await eventually(idle)
        await self.indexer.catch_up()

    async def on_chain(self, wallet: str) -> Metrics:
        """Return what the contract itself holds."""
        *figures, _observed_at = await self.metrics_manager.call("creatorMetrics", wallet)
        return Metrics(*figures)

    async def differences(self) -> list[Comparison]:
        """Return where counted figures differ from the mirror's, as `oracle diff` does."""
        now = self.oracle.context.clock()
        async with self.database.read() as session:
            counted = {key: metrics_of(found) for key, found in (await activity.activity(session, now)).items()}
            compared = await creators.comparisons(session, counted, MILESTONES[0])
        return [comparison for comparison in compared if comparison.counted != comparison.on_chain]


@asynccontextmanager
async def open_loop(
    chain: LocalChain, database: Database, data_dir: Path, *, minimum_followers: int = 5
) -> AsyncIterator[Loop]:
    """Deploy the contracts on `chain` and open the mirror of them; a launch takes 50 000 streams."""
    settings = load_settings(data_dir=data_dir, rpc_urls=(chain.url,), database_url=database.url)
    async with RpcClient([chain.url], attempts=2) as rpc:
        economy = await Chain(rpc).deploy(minimum_streams=50_000, minimum_followers=minimum_followers)
        deployment = await economy.register(settings)
        registry = Registry(all_contracts(), load_abi)
        mirror = Mirror(database, registry, LOCAL.chain_id)
        indexer = Indexer(Source(rpc, LOCAL, registry.topics), mirror, registry)
        await indexer.open(deployment)
        await indexer.catch_up()
        yield Loop(settings, database, economy, deployment, indexer, assemble(settings, database, rpc, deployment))


@pytest.fixture
async def loop(anvil: LocalChain, database: Database, tmp_path: Path) -> AsyncIterator[Loop]:
    async with open_loop(anvil, database, tmp_path) as opened:
        yield opened
