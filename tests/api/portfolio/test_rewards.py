from random import Random

from api.portfolio.rewards import pending_rewards
from encore.chain.rpc import RpcClient
from encore.settings import local_account_address
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain
from tests.factories import ETHER

STAKER = 3


async def test_pending_rewards_are_what_the_contract_calculates_in_the_same_block(anvil: LocalChain) -> None:
    random = Random(5)
    async with RpcClient([anvil.url]) as rpc:
        economy = await Chain(rpc).deploy()
        coin = await economy.launch(2, seed=100 * ETHER)
        await economy.exchange.send("buyTokens", coin.address, 0, sender=STAKER, value=10**18)
        await coin.send("stake", 76_543 * ETHER + 789, sender=STAKER)
        wallet = local_account_address(STAKER)
        for turn in range(30):
            await rpc.call("evm_increaseTime", random.randrange(1, 40 * 86_400 if turn < 25 else 500 * 365 * 86_400))
            await rpc.call("evm_mine")
            if turn % 7 == 6:
                await coin.send("claimRewards", sender=STAKER)
            block = await rpc.call("eth_getBlockByNumber", "latest", False)
            amount, _, last_claimed_at, _ = await coin.call("stakingInfo", wallet)
            assert pending_rewards(
                amount,
                last_claimed_at,
                int(block["timestamp"], 16),
                mintable=await coin.call("rewardsRemaining"),
            ) == await coin.call("calculateRewards", wallet)
