from random import Random

from api.portfolio.rewards import mintable_rewards, pending_rewards
from encore.chain.rpc import RpcClient
from encore.settings import local_account_address
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain, Contract
from tests.factories import ETHER

CREATOR = 2
STAKER = 3


async def test_pending_rewards_are_what_the_contract_calculates_in_the_same_block(anvil: LocalChain) -> None:
    random = Random(5)
    async with RpcClient([anvil.url]) as rpc:
        economy = await Chain(rpc).deploy()
        coin = await economy.launch(CREATOR, seed=100 * ETHER)
        await economy.exchange.send("buyTokens", coin.address, 0, sender=STAKER, value=10**18)
        await coin.send("stake", 76_543 * ETHER + 789, sender=STAKER)
        launched = Contract(economy.chain, "BalancedCreatorToken", coin.address)
        wallet = local_account_address(STAKER)
        for turn in range(30):
            await rpc.call("evm_increaseTime", random.randrange(1, 40 * 86_400 if turn < 25 else 500 * 365 * 86_400))
            await rpc.call("evm_mine")
            if turn % 7 == 6:
                await coin.send("claimRewards", sender=STAKER)
                if await launched.call("claimableVestedTokens"):
                    await launched.send("claimVestedTokens", sender=CREATOR)
            block = await rpc.call("eth_getBlockByNumber", "latest", False)
            amount, _, last_claimed_at, _ = await coin.call("stakingInfo", wallet)
            assert pending_rewards(
                amount,
                last_claimed_at,
                int(block["timestamp"], 16),
                mintable=mintable_rewards(
                    await coin.call("totalSupply"),
                    await coin.call("maximumSupply"),
                    await launched.call("releasedSupply") + await launched.call("vestedTokensClaimed"),
                ),
            ) == await coin.call("calculateRewards", wallet)
