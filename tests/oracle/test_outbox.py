"""The outbox against a real chain and both databases: exactly once, in order, no nonce gap, whatever happens."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from encore.chain.outbox import FeePolicy, Intent, OutboxSender, Signer, enqueue
from encore.chain.outbox.fees import GWEI, Fees
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.outbox import OutboxEntry, OutboxTransaction
from tests.oracle.conftest import LOCAL, Recorder, send_unlocked
from tests.support import eventually

NewSender = Callable[[], OutboxSender]


async def queue(database: Database, *intents: Intent) -> list[int]:
    async with database.transaction() as connection:
        return await enqueue(connection, intents, datetime.now(UTC))


async def drain(sender: OutboxSender) -> None:
    """Run rounds until every entry is decided."""

    async def idle() -> bool:
        return (await sender.run_once()).is_idle

    await eventually(idle)


async def entries(database: Database) -> list[Any]:
    async with database.read() as session:
        return list(await session.all(select(OutboxEntry.__table__).order_by(OutboxEntry.id)))


async def nonces_used(rpc: RpcClient, signer: Signer) -> int:
    return int(await rpc.call("eth_getTransactionCount", signer.address, "latest"), 16)


async def mine(rpc: RpcClient, blocks: int = 1) -> None:
    await rpc.call("anvil_mine", hex(blocks))


async def test_what_is_queued_reaches_the_chain_once_and_in_order(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await queue(database, *(recorder.intent(number, signer.address) for number in range(40)))
    await drain(new_sender())
    assert await recorder.numbers() == list(range(40))
    rows = await entries(database)
    assert [row.status for row in rows] == ["confirmed"] * 40
    assert [row.nonce for row in rows] == list(range(40))
    assert await nonces_used(rpc, signer) == 40


async def test_queueing_the_same_intention_again_changes_nothing(
    database: Database, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    first = await queue(database, recorder.intent(7, signer.address))
    again = await queue(database, recorder.intent(7, signer.address), recorder.intent(8, signer.address))
    assert again[0] == first[0]
    await drain(new_sender())
    assert await queue(database, recorder.intent(7, signer.address)) == first
    await drain(new_sender())
    assert await recorder.numbers() == [7, 8]


async def test_a_call_that_would_revert_fails_with_its_reason_and_takes_no_nonce(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await recorder.close()
    await queue(database, recorder.intent(1, signer.address))
    await drain(new_sender())
    (row,) = await entries(database)
    assert (row.status, row.nonce, row.error, row.is_final) == ("failed", None, "recorder: closed", True)
    assert await nonces_used(rpc, signer) == 0


async def test_a_call_that_reverts_when_mined_fails_with_its_reason(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await rpc.call("evm_setAutomine", False)
    sender = new_sender()
    await queue(database, recorder.intent(1, signer.address))
    assert (await sender.run_once()).sent == 1
    await recorder.close()
    await mine(rpc)
    await drain(sender)
    (row,) = await entries(database)
    assert (row.status, row.nonce, row.error) == ("failed", 0, "recorder: closed")


async def test_a_seed_that_cannot_be_paid_fails_and_holds_nobody_up(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await rpc.call("anvil_setBalance", signer.address, hex(10**18))
    not_with_its_gas, not_at_all = (recorder.intent(seed, signer.address, value=seed) for seed in (10**18, 10**20))
    await queue(database, not_with_its_gas, not_at_all, recorder.intent(2, signer.address))
    await drain(new_sender())
    *refused, sent = await entries(database)
    assert [row.status for row in refused] == ["failed", "failed"]
    for row in refused:
        assert row.error.startswith(f"insufficient funds: {signer.address} has {10**18} wei and needs ")
    assert sent.status == "confirmed"


async def test_without_money_for_gas_everything_waits_in_its_order(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await rpc.call("anvil_setBalance", signer.address, hex(0))
    sender = new_sender()
    await queue(database, recorder.intent(1, signer.address), recorder.intent(2, signer.address))
    assert (await sender.run_once()).pending == 2
    assert "funds" in (await entries(database))[0].error
    await rpc.call("anvil_setBalance", signer.address, hex(10**18))
    await drain(sender)
    assert await recorder.numbers() == [1, 2]
    assert [row.error for row in await entries(database)] == [None, None]


async def test_a_crash_after_signing_sends_the_very_same_bytes_again(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await rpc.call("evm_setAutomine", False)
    await queue(database, recorder.intent(1, signer.address))
    await new_sender().run_once()
    (row,) = await entries(database)
    await rpc.call("anvil_dropAllTransactions")  # as if the process had died before it could broadcast
    await rpc.call("evm_setAutomine", True)
    await drain(new_sender())
    (after,) = await entries(database)
    assert (after.transaction_hash, after.nonce) == (row.transaction_hash, row.nonce)
    assert await recorder.numbers() == [1]


async def test_a_transaction_that_a_reorg_undid_is_sent_again(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    sender = new_sender()
    await queue(database, *(recorder.intent(number, signer.address) for number in range(5)))
    await drain(sender)
    before = await entries(database)
    await rpc.call("anvil_reorg", 3, [])
    assert len(await recorder.numbers()) < 5
    await drain(sender)
    assert await recorder.numbers() == list(range(5))
    after = await entries(database)
    assert [row.transaction_hash for row in after] == [row.transaction_hash for row in before]
    assert [row.status for row in after] == ["confirmed"] * 5


async def test_a_chain_restored_to_long_ago_gets_its_transactions_back(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    snapshot = await rpc.call("evm_snapshot")
    await queue(database, *(recorder.intent(number, signer.address) for number in range(3)))
    await drain(new_sender())
    await mine(rpc, 100)
    await drain(new_sender())
    assert all(row.is_final for row in await entries(database))
    await rpc.call("evm_revert", snapshot)
    await mine(rpc)
    await drain(new_sender())
    assert await recorder.numbers() == [0, 1, 2]


async def test_mined_entries_are_watched_until_they_are_final(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    sender = new_sender()
    await queue(database, recorder.intent(1, signer.address))
    await drain(sender)
    assert not (await entries(database))[0].is_final
    await mine(rpc, LOCAL.finality_blocks + 1)
    await sender.run_once()
    assert (await entries(database))[0].is_final


async def test_what_is_found_mined_when_it_is_final_already_is_final_though_the_chain_stands_still(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await queue(database, recorder.intent(1, signer.address))
    await new_sender().run_once()
    await mine(rpc, LOCAL.finality_blocks + 1)
    sender = new_sender()
    await drain(sender)
    await sender.run_once()
    assert [(row.status, row.is_final) for row in await entries(database)] == [("confirmed", True)]


async def test_a_stuck_transaction_is_outbid_at_the_same_nonce(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await rpc.call("evm_setAutomine", False)
    await queue(database, recorder.intent(1, signer.address), recorder.intent(2, signer.address))
    await new_sender().run_once()
    await rpc.call("anvil_dropAllTransactions")
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(200 * GWEI))
    await mine(rpc)
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(200 * GWEI))
    late = new_sender()
    await late.run_once()  # broadcasts what was signed, and hears that it offers too little
    late._broadcast_at.clear()  # as if the pause between broadcasts had passed
    await late.run_once()
    await mine(rpc)
    await drain(late)
    assert await recorder.numbers() == [1, 2]
    async with database.read() as session:
        signed = await session.all(select(OutboxTransaction.outbox_id, OutboxTransaction.hash))
    assert len(signed) == 4
    rows = await entries(database)
    assert [row.nonce for row in rows] == [0, 1]
    assert {row.transaction_hash for row in rows} < {transaction.hash for transaction in signed}


async def test_a_nonce_that_somebody_else_used_is_given_up_once_that_is_final(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await rpc.call("evm_setAutomine", False)
    sender = new_sender()
    await queue(database, recorder.intent(1, signer.address))
    await sender.run_once()
    await rpc.call("anvil_dropAllTransactions")
    await rpc.call("anvil_setNonce", signer.address, hex(1))  # the key was used elsewhere
    await mine(rpc)
    await sender.run_once()
    assert (await entries(database))[0].nonce == 0
    await mine(rpc, LOCAL.finality_blocks + 1)
    await rpc.call("evm_setAutomine", True)
    await drain(sender)
    (row,) = await entries(database)
    assert (row.status, row.nonce) == ("confirmed", 1)
    assert await recorder.numbers() == [1]


async def test_another_keys_entries_are_left_alone(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await queue(database, recorder.intent(1, "0x" + "11" * 20))
    await drain(new_sender())
    assert [row.status for row in await entries(database)] == ["pending"]
    assert await recorder.numbers() == []


async def test_nothing_is_sent_while_the_base_fee_is_above_the_cap(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(5_000 * GWEI))
    await mine(rpc)
    await queue(database, recorder.intent(1, signer.address))
    await new_sender().run_once()
    (row,) = await entries(database)
    assert row.status == "pending"
    assert "above the cap" in row.error


def test_the_key_shows_nowhere(signer: Signer) -> None:
    key = signer._account.key.hex()
    assert key not in repr(signer)
    assert key not in str(vars(Signer))


def test_a_replacement_offers_at_least_a_tenth_more_and_never_more_than_the_cap() -> None:
    policy = FeePolicy(cap=100)
    first = policy.first(base_fee=20, tip=2)
    assert first == Fees(42, 2)
    second = policy.replacement(first, base_fee=20, tip=2)
    assert second == Fees(48, 3)
    assert policy.replacement(second, base_fee=40, tip=4) == Fees(84, 4)
    assert policy.replacement(Fees(95, 10), base_fee=20, tip=2) is None
    assert policy.first(base_fee=101, tip=1) is None


async def test_a_strangers_transaction_does_not_disturb(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: NewSender
) -> None:
    await send_unlocked(rpc, recorder.address, recorder.intent(99, signer.address).data)
    await queue(database, recorder.intent(1, signer.address))
    await drain(new_sender())
    assert await recorder.numbers() == [99, 1]
