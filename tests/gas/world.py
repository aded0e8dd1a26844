"""Every operation of every contract, measured once."""

import asyncio

from encore.chain.local_node import chain_command, free_port
from encore.chain.rpc import RpcClient
from encore.stack.ports import wait_until_listening
from tests.gas.coins import (
    measure_erc20_with_votes,
    measure_minted_staking,
    measure_profile,
    measure_revenue_and_supply,
    measure_spark,
)
from tests.gas.exchange import measure_liquidity_and_guardians, measure_plain_pools, measure_pool
from tests.gas.governance import measure_governance, measure_proposal
from tests.gas.launch import create_token, launch_coin, measure_factories, measure_metrics
from tests.gas.meter import CREATOR, FAN, HOLDER, OWNER, Meter, SteadyChain, account
from tests.gas.nfts import measure_access, measure_marketplace, measure_music, measure_spark_nft


async def measure() -> Meter:
    """Measure on a chain of its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(*chain_command(port, None))
    try:
        await wait_until_listening(port)
        async with RpcClient([f"http://127.0.0.1:{port}"]) as rpc:
            return await _measure(rpc)
    finally:
        process.kill()
        await process.wait()


async def _measure(rpc: RpcClient) -> Meter:
    chain, meter = SteadyChain(rpc), Meter()
    economy = await chain.deploy_everything()
    await measure_metrics(meter, economy)
    coin, token = await launch_coin(meter, economy), await create_token(meter, economy)
    await measure_plain_pools(meter, chain)
    await measure_pool(meter, economy, token, "a creator's token")
    await measure_pool(meter, economy, coin, "a launched coin")
    await measure_liquidity_and_guardians(meter, economy, coin)
    for each, creator in ((token, FAN), (coin, CREATOR)):
        await measure_erc20_with_votes(meter, each)
        await measure_profile(meter, each, creator)
    await measure_revenue_and_supply(meter, economy, coin)
    await measure_factories(meter, economy)
    await measure_music(meter, economy)
    await measure_access(meter, economy)
    await measure_spark_nft(meter, economy)
    await measure_governance(meter, economy, token)
    for each in (token, coin):
        await measure_minted_staking(meter, each)
    await measure_spark(meter, economy)
    await measure_marketplace(meter, economy)

    spark, timelock = economy.contracts["SparkToken"], economy.contracts["CreatorTimelock"]
    await spark.send("delegate", account(OWNER))
    governor = economy.contracts["CreatorGovernor"]
    await measure_proposal(meter, governor, timelock, "SPARK's", voters=(OWNER, HOLDER))
    return meter
