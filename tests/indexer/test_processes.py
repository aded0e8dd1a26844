"""`encore indexer` as a real process, on the real contracts, killed and restarted."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, update

from encore.chain.local_node import free_port
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.chain import Pool, Token
from encore.settings import local_account_address
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain, Contract, Economy
from tests.indexer import economy as model
from tests.indexer.command import Command, indexed_hash
from tests.indexer.node import FakeNode
from tests.indexer.replica import catch_up, dump, indexer_of
from tests.indexer.world import deployment
from tests.support import eventually, stop_process, wait_until_listening

ETHER = 10**18
SEED = 300 * ETHER
"""Wide enough that a trade of one coin meets no safeguard."""
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def is_level(database: Database, rpc: RpcClient) -> None:
    async def probe() -> bool:
        return bool(await indexed_hash(database) == (await rpc.call("eth_getBlockByNumber", "latest", False))["hash"])

    await eventually(probe)


async def trade(economy: Economy, coin: Contract, trader: int) -> None:
    await economy.exchange.send("buyTokens", coin.address, 1, sender=trader, value=ETHER)
    bought = await coin.call("balanceOf", local_account_address(trader))
    await coin.send("approve", economy.exchange.address, bought, sender=trader)
    await economy.exchange.send("sellTokens", coin.address, bought // 3, 1, sender=trader)
    await coin.send("stake", bought // 3, sender=trader)
    await coin.send("transfer", local_account_address(9), 12_345, sender=trader)


async def test_the_real_contracts_are_mirrored_through_a_reorg_and_verify_proves_it(
    database: Database, anvil: LocalChain, command: Callable[..., Command]
) -> None:
    encore = command(chain_port=str(anvil.port))
    process = encore.start()
    await encore.has_logged("waiting")

    async with RpcClient([anvil.url]) as rpc:
        economy = await Chain(rpc).deploy()
        await economy.register(encore.settings)
        await encore.has_logged("new heads by WebSocket")
        coin = await economy.launch(creator=2, seed=SEED)
        await trade(economy, coin, trader=3)
        await is_level(database, rpc)

        await rpc.call("anvil_reorg", 4, [])
        await trade(economy, coin, trader=4)
        await economy.exchange.send("withdrawPlatformFees", local_account_address(0), sender=5)
        await is_level(database, rpc)
        await encore.has_logged("reorg: undone")

        code, output = await encore.run("verify")
        assert code == 0, output
        assert "equal the chain's" in output
        await assert_mirrored(database, economy, coin)

        async with database.transaction() as connection:
            await connection.execute(update(Pool).values(token_reserve=Pool.token_reserve).where(Pool.token == ""))
            await connection.execute(update(Token).values(holder_count=Token.holder_count + 1))
        code, output = await encore.run("verify")
        assert code == 1
        assert "1 of" in output
        code, output = await encore.run("status")
        assert "0 blocks ahead" in output

    process.terminate()
    assert process.wait(timeout=10) == 0
    assert "indexer stopped" in encore.log.read_text()


async def assert_mirrored(database: Database, economy: Economy, coin: Contract) -> None:
    async with database.read() as session:
        token = await session.first(select(Token.__table__))
        pool = await session.first(select(Pool.__table__))
    assert token is not None
    assert pool is not None
    assert (token.address, token.creator) == (coin.address.lower(), local_account_address(2).lower())
    assert token.owner == local_account_address(2).lower()
    assert token.total_supply == await coin.call("totalSupply")
    assert (pool.native_reserve, pool.token_reserve) == tuple(await economy.exchange.call("reserves", coin.address))


@ON_SQLITE
async def test_a_second_indexer_is_refused_in_one_line(
    database: Database, anvil: LocalChain, command: Callable[..., Command]
) -> None:
    encore = command(chain_port=str(anvil.port))
    encore.start()
    await encore.has_logged("waiting")
    code, output = await encore.run("run")
    assert code == 1
    assert output.strip().startswith("encore: another indexer is writing to")
    assert "Traceback" not in output


@ON_SQLITE
async def test_rewinding_undoes_blocks_that_run_then_indexes_again(
    database: Database, node: FakeNode, command: Callable[..., Command]
) -> None:
    economy = model.Economy()
    node.start_chain(economy)
    node.mine(economy.setup(), economy)
    random = Random(5)
    for _ in range(20):
        economy = economy.copy()
        node.mine(economy.act(random, node.next_timestamp, 3), economy)
    encore = command(rpc_urls=node.url)
    encore.settings.deployment_path.parent.mkdir(parents=True)
    encore.settings.deployment_path.write_text(deployment().model_dump_json())
    async with indexer_of(database, node) as indexer:
        await catch_up(indexer)
        before: dict[str, Any] = await dump(database)

        code, output = await encore.run("rewind", "--to-block", "9")
        assert (code, "the mirror is at block 9" in output) == (0, True), output
        assert await indexed_hash(database) == node.canonical[9].hash
        code, output = await encore.run("rewind", "--to-block", "15")
        assert code == 1
        assert "is not between" in output
    async with indexer_of(database, node) as indexer:
        await catch_up(indexer)
    assert await dump(database) == before


@ON_SQLITE
async def test_backfill_indexes_up_to_a_block_without_a_gap_and_is_watched(
    database: Database, fresh_database: Database, node: FakeNode, command: Callable[..., Command]
) -> None:
    economy = model.Economy()
    node.start_chain(economy)
    node.mine(economy.setup(), economy)
    random = Random(5)
    for _ in range(20):
        economy = economy.copy()
        node.mine(economy.act(random, node.next_timestamp, 3), economy)
    port = free_port()
    encore = command(rpc_urls=node.url, indexer_metrics_port=str(port))
    encore.settings.deployment_path.parent.mkdir(parents=True)
    encore.settings.deployment_path.write_text(deployment().model_dump_json())

    for arguments, code, said in [
        (("--from", "7", "--to", "9"), 1, "goes on at block 1: --from 7 would leave out blocks"),
        (("--from", "0", "--to", "9"), 0, "the mirror is at block 9"),
        (("--from", "3", "--to", "15"), 0, "the mirror is at block 15"),
        (("--to", "9"), 0, "the mirror is at block 15"),
        (("--to", "99"), 1, "the chain is at block 21"),
    ]:
        exit_code, output = await encore.run("backfill", *arguments)
        assert (exit_code, said in output) == (code, True), output
        assert "Traceback" not in output
    assert await indexed_hash(database) == node.canonical[15].hash

    encore.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def is_ready() -> bool:
            try:
                async with session.get("/readyz") as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

        await eventually(is_ready)
        async with session.get("/metrics") as response:
            assert "encore_indexer_head_block 21.0" in (await response.text()).splitlines()
    async with indexer_of(fresh_database, node) as fresh:
        await catch_up(fresh)

    async def is_level() -> bool:
        return await indexed_hash(database) == node.head.hash

    await eventually(is_level)
    assert await dump(database) == await dump(fresh_database)


@pytest.fixture
def door_port() -> Iterator[int]:
    """A py-evm chain of the test's own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "encore.chain.evm_door", "--port", str(port)])
    wait_until_listening(port)
    yield port
    stop_process(process)


@ON_SQLITE
async def test_the_chain_for_machines_without_node_is_mirrored_too(
    database: Database, command: Callable[..., Command], door_port: int
) -> None:
    encore = command(chain_port=str(door_port))
    async with RpcClient([f"http://127.0.0.1:{door_port}"]) as rpc:
        economy = await Chain(rpc).deploy()
        await economy.register(encore.settings)
        process = encore.start()
        coin = await economy.launch(creator=2, seed=SEED)
        await trade(economy, coin, trader=3)
        await is_level(database, rpc)
        await assert_mirrored(database, economy, coin)
        code, output = await encore.run("verify")
        assert code == 0, output
    process.terminate()
    assert process.wait(timeout=10) == 0
