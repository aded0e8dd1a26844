import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from eth_account import Account

from encore.chain.rpc import RpcClient
from encore.settings import local_account_key
from encore.stack.journal import ChainJournal
from tests.conftest import LocalChain
from tests.support import eventually

STRANGER = "0x00000000000000000000000000000000000000AA"
TRANSFERS = 20


async def test_what_a_killed_chain_lost_is_put_back_in_order_and_once(
    start_chain: Callable[..., LocalChain], tmp_path: Path
) -> None:
    chain = start_chain(state_dir=tmp_path)
    async with RpcClient([chain.url]) as rpc:
        journal = ChainJournal(rpc)
        following = asyncio.create_task(journal.follow())
        for nonce in range(TRANSFERS):
            await rpc.call("eth_sendRawTransaction", signed_transfer(nonce))
        await eventually(lambda: mined(rpc, TRANSFERS))
        await eventually(lambda: noted(journal, TRANSFERS))
        chain.process.kill()
        chain.process.wait()
        restarted = start_chain(state_dir=tmp_path, port=chain.port)
        restored = await journal.replay()
        await eventually(lambda: mined(rpc, TRANSFERS))
        assert int(await rpc.call("eth_getBalance", STRANGER, "latest"), 16) == sum(range(1, TRANSFERS + 1))
        assert await journal.replay() == 0
        assert restored <= TRANSFERS
        assert restarted.process.poll() is None
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def signed_transfer(nonce: int) -> str:
    transaction = {
        "to": STRANGER,
        "value": nonce + 1,
        "nonce": nonce,
        "gas": 21_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 1,
        "chainId": 31337,
    }
    signed = Account.sign_transaction(transaction, local_account_key(2))
    return "0x" + bytes(signed.raw_transaction).hex()


async def mined(rpc: RpcClient, count: int) -> bool:
    return int(await rpc.call("eth_blockNumber"), 16) == count


async def noted(journal: ChainJournal, count: int) -> bool:
    return journal.last_block == count
