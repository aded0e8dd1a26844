import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import orjson
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encore.chain.rpc import RpcClient
from encore.settings import local_account_key
from encore.stack.anvil_state import AnvilState, read_whole
from tests.conftest import LocalChain
from tests.support import eventually

STRANGER = "0x00000000000000000000000000000000000000AA"
TRANSFERS = 20
ROUNDS = 6


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


async def head_and_balance(rpc: RpcClient) -> tuple[int, int]:
    head, balance = await rpc.batch([("eth_blockNumber", []), ("eth_getBalance", [STRANGER, "latest"])])
    return int(head, 16), int(balance, 16)


async def transfer(rpc: RpcClient, state: AnvilState, nonces: range) -> None:
    """Send transfers and see each of them mined and taken note of."""
    for nonce in nonces:
        await rpc.call("eth_sendRawTransaction", signed_transfer(nonce))

    async def noted() -> bool:
        return state.noted == nonces.stop

    await eventually(noted)


async def test_a_chain_killed_again_and_again_keeps_every_transaction_once_and_its_clock(
    start_chain: Callable[..., LocalChain], tmp_path: Path
) -> None:
    state = AnvilState(tmp_path)
    await state.restore()
    chain = start_chain(state_dir=tmp_path)
    async with RpcClient([chain.url]) as rpc:
        genesis = (await rpc.call("eth_getBlockByNumber", "0x0", False))["hash"]
        for round_ in range(ROUNDS):
            following = asyncio.create_task(state.follow(rpc))
            await transfer(rpc, state, range(round_ * TRANSFERS, (round_ + 1) * TRANSFERS))
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            chain.process.kill()
            chain.process.wait()
            await state.restore()
            chain = start_chain(state_dir=tmp_path, port=chain.port)
            sent = (round_ + 1) * TRANSFERS
            assert await head_and_balance(rpc) == (sent, sent * (sent + 1) // 2)
            assert (await rpc.call("eth_getBlockByNumber", "0x0", False))["hash"] == genesis
        await rpc.call("eth_sendRawTransaction", signed_transfer(ROUNDS * TRANSFERS))
        await eventually(lambda: _mined(rpc, ROUNDS * TRANSFERS + 1))
        block = await rpc.call("eth_getBlockByNumber", "latest", False)
        assert abs(int(block["timestamp"], 16) - time.time()) < 10


async def test_what_the_supervisor_did_not_live_to_restore_is_restored_by_the_next_one(
    start_chain: Callable[..., LocalChain], tmp_path: Path
) -> None:
    state = AnvilState(tmp_path)
    await state.restore()
    chain = start_chain(state_dir=tmp_path)
    async with RpcClient([chain.url]) as rpc:
        following = asyncio.create_task(state.follow(rpc))
        await transfer(rpc, state, range(TRANSFERS))
        following.cancel()
    chain.process.kill()
    chain.process.wait()
    (tmp_path / "anvil.json").write_bytes(b'{"block": {"num')
    assert await AnvilState(tmp_path).restore() == TRANSFERS
    chain = start_chain(state_dir=tmp_path, port=chain.port)
    async with RpcClient([chain.url]) as rpc:
        assert await head_and_balance(rpc) == (TRANSFERS, TRANSFERS * (TRANSFERS + 1) // 2)
    assert await AnvilState(tmp_path).restore() == 0


async def _mined(rpc: RpcClient, number: int) -> bool:
    return int(await rpc.call("eth_blockNumber"), 16) == number


@given(blocks=st.integers(0, 4), ahead=st.integers(0, 2), lost=st.integers(0, 2), short=st.integers(0, 40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_state_file_is_whole_only_when_blocks_accounts_and_bytes_agree(
    tmp_path: Path, blocks: int, ahead: int, lost: int, short: int
) -> None:
    content = orjson.dumps(
        {
            "best_block_number": blocks,
            "blocks": [{"header": {"number": hex(number)}} for number in range(blocks + 1 - min(lost, blocks))],
            "transactions": [{"info": {"from": "0xa", "nonce": number}} for number in range(blocks)],
            "accounts": {"0xa": {"nonce": blocks + ahead}},
        }
    )
    path = tmp_path / "anvil.json"
    path.write_bytes(content[: len(content) - short])
    is_whole = short == 0 and (ahead == 0 or blocks == 0) and min(lost, blocks) == 0
    assert (read_whole(path) is not None) == is_whole


def test_a_missing_file_is_not_whole(tmp_path: Path) -> None:
    assert read_whole(tmp_path / "anvil.json") is None
