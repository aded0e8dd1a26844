"""Through an endpoint that fails and lies in every way, the index ends equal to one made without it, and says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from encore.chain import rpc as rpc_module
from encore.chain.deployments import Deployment, load_abi
from encore.chain.networks import network_named
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.settings import load_settings, local_account_address
from indexer import runner as runner_module
from indexer.heads import HeadSignal
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from indexer.telemetry import Telemetry
from indexer.verify import verify_mirror
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain, Contract, Economy
from tests.faulty_proxy import NETWORK_FAULTS, PROVIDER_FAULTS, FaultyProxy
from tests.indexer.long_run import SEED
from tests.indexer.replica import dump, events_mirrored, events_told
from tests.support import eventually

ETHER = 10**18
NETWORK: Final = replace(network_named("sepolia"), chain_id=31337)
"""Public, so that anvil's `finalized` tag (64 blocks back) counts, and final blocks are read by range."""
TIMEOUT_SECONDS = 0.5
FAULT_RATE = 0.3


@asynccontextmanager
async def indexer_at(
    rpc: RpcClient, database: Database, deployment: Deployment, telemetry: Telemetry
) -> AsyncIterator[Indexer]:
    registry = Registry(all_contracts(), load_abi)
    mirror = Mirror(database, registry, NETWORK.chain_id)
    indexer = Indexer(Source(rpc, NETWORK, registry.topics), mirror, registry, telemetry)
    await indexer.open(deployment)
    yield indexer


@asynccontextmanager
async def following(indexer: Indexer, url: str) -> AsyncIterator[None]:
    async with HeadSignal(url, poll_seconds=0.01) as heads, asyncio.TaskGroup() as group:
        task = group.create_task(indexer.run(heads))  # should it end, the test does
        yield
        task.cancel()


async def trade(economy: Economy, coin: Contract, trader: int) -> None:
    await economy.exchange.send("buyTokens", coin.address, 1, sender=trader, value=ETHER)
    bought = await coin.call("balanceOf", local_account_address(trader))
    await coin.send("approve", economy.exchange.address, bought, sender=trader)
    await economy.exchange.send("sellTokens", coin.address, bought // 3, 1, sender=trader)
    await coin.send("stake", bought // 3, sender=trader)


async def level(indexer: Indexer, rpc: RpcClient) -> None:
    async def is_level() -> bool:
        return bool(indexer.position.hash == (await rpc.call("eth_getBlockByNumber", "latest", False))["hash"])

    await eventually(is_level)


def samples(telemetry: Telemetry) -> dict[tuple[str, ...], float]:
    """Return the metrics by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(telemetry.exposition().decode())
        for sample in family.samples
    }


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between retries."""
    monkeypatch.setattr(rpc_module, "FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(runner_module, "LONGEST_RETRY_SECONDS", 0.05)


async def test_through_a_faulty_endpoint_the_mirror_ends_equal_to_a_fresh_one_and_the_metrics_tell_what_happened(
    database: Database,
    fresh_database: Database,
    anvil: LocalChain,
    tmp_path: Path,
) -> None:
    telemetry = Telemetry()
    kinds = (*NETWORK_FAULTS, *PROVIDER_FAULTS)
    proxy = FaultyProxy(anvil.url, SEED, 0, kinds, delay_seconds=2 * TIMEOUT_SECONDS)
    async with (
        RpcClient([anvil.url]) as rpc,
        proxy.serving(),
        RpcClient([proxy.url], timeout_seconds=TIMEOUT_SECONDS, attempts=2, observer=telemetry.requested) as faulty,
    ):
        economy = await Chain(rpc).deploy()
        coin = await economy.launch(creator=2, seed=300 * ETHER)
        await trade(economy, coin, trader=3)
        await rpc.call("anvil_mine", "0x60")  # what happened so far is final
        deployment = await economy.register(load_settings(data_dir=str(tmp_path)))

        async with indexer_at(faulty, database, deployment, telemetry) as indexer, following(indexer, proxy.url):
            proxy.fault_rate = FAULT_RATE
            while min(proxy.faults[kind] for kind in kinds) == 0:
                for receiver in (local_account_address(index) for index in range(4, 8)):
                    await coin.send("transfer", receiver, ETHER, sender=3)
                    await coin.send("delegate", receiver, sender=3)
                await level(indexer, rpc)
                await rpc.call("anvil_reorg", 3, [])
            proxy.fault_rate = 0
            await rpc.call("evm_mine")  # once this is indexed, every request that went wrong is over
            await level(indexer, rpc)
            position = indexer.position

            async def is_told() -> bool:
                return samples(telemetry)["encore_indexer_indexed_block",] == position.number

            await eventually(is_told)
        async with indexer_at(rpc, fresh_database, deployment, Telemetry()) as fresh:
            await fresh.catch_up()
            assert fresh.position.hash == position.hash

        assert await dump(database) == await dump(fresh_database)
        assert (await verify_mirror(database, rpc)).differences == []
    told, mirrored = await events_told(database), await events_mirrored(database)
    assert told <= mirrored
    assert_told(samples(telemetry), proxy, position.number)


def assert_told(metrics: dict[tuple[str, ...], float], proxy: FaultyProxy, height: int) -> None:
    """Compare the metrics with what the proxy did."""
    host = proxy.url.removeprefix("http://")
    errors = {key[2]: value for key, value in metrics.items() if key[0] == "encore_rpc_errors_total"}
    faults = proxy.faults
    assert {name[1] for name in metrics if name[0] == "encore_rpc_errors_total"} == {host}
    assert errors["HTTP 429"] == faults["429"]
    assert errors["HTTP 503"] == faults["503"]
    assert errors["connection"] == faults["lost request"] + faults["lost answer"]
    assert errors["malformed"] == faults["truncated"] + faults["partial batch"]
    assert errors["timeout"] >= faults["delayed"]
    assert errors["error object"] >= faults["too many results"]
    assert metrics["encore_rpc_requests_total", host] > sum(errors.values())
    assert metrics["encore_indexer_faults_total", "InconsistentNodeError"] >= faults["reordered logs"]
    assert metrics["encore_indexer_faults_total", "RpcUnavailableError"] > 0
    assert metrics["encore_indexer_reorgs_total",] > 0
    assert metrics["encore_indexer_events_total",] > 0
    assert metrics["encore_indexer_head_block",] == metrics["encore_indexer_indexed_block",] == height
    assert metrics["encore_indexer_lag_blocks",] == metrics["encore_indexer_lag_seconds",] == 0
