"""From plays to the contract: what is written, when, and what is not; on a real chain with the real contracts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from encore.chain.rpc import RpcClient
from encore.db.models.outbox import OutboxEntry
from encore.settings import local_account_address
from oracle.errors import NotAuthorisedError
from oracle.metrics import Metrics
from oracle.publisher import Written
from oracle.sync import Synced
from tests.oracle.conftest import Loop
from tests.oracle.listening import Log, follow, listened, save_all

WALLETS = ["0x" + f"{number:02x}" * 20 for number in range(1, 200)]
ZERO = "0x" + "00" * 20


async def outbox(loop: Loop) -> list[Any]:
    async with loop.database.read() as session:
        return list(await session.all(select(OutboxEntry.__table__).order_by(OutboxEntry.id)))


async def more_plays(loop: Loop, creator_id: int, plays: int) -> None:
    log = Log()
    log.play(creator_id, 1, at=datetime.now(UTC), count=plays)
    log.plays[0].event_key = f"more-{creator_id}-{plays}"
    await save_all(loop.database, log.plays)


async def sync(loop: Loop, *, everything: bool = False) -> Written:
    synced: Synced = await loop.oracle.sync.run(everything=everything)
    return synced.written


async def test_whoever_passed_the_first_milestone_is_on_chain_after_a_sync(loop: Loop) -> None:
    await listened(loop.database, 1, plays=1_000, fans=3, wallet=WALLETS[0])
    await listened(loop.database, 2, plays=2_000_000, fans=4, wallet=WALLETS[1])
    await listened(loop.database, 3, plays=999, fans=2, wallet=WALLETS[2])
    await listened(loop.database, 4, plays=5_000, fans=2, wallet=None)
    assert await sync(loop) == Written(creators=2, transactions=1)
    await loop.settle()
    first, third = await loop.on_chain(WALLETS[0]), await loop.on_chain(WALLETS[2])
    assert (first.monthly_streams, first.followers) == (1_000, 3)
    assert third == Metrics(0, 0, 0, 0)
    assert await loop.differences() == []
    assert await loop.metrics_manager.call("milestoneReached", WALLETS[1], 1_000_000)


async def test_figures_on_their_way_are_not_sent_again_even_by_another_process(loop: Loop) -> None:
    await listened(loop.database, 1, plays=60_000, fans=3, wallet=WALLETS[0])
    assert (await sync(loop, everything=True)).creators == 1
    assert (await loop.restarted_oracle().sync.run(everything=True)).written == Written()  # still pending
    await loop.oracle.outbox.run_once()
    assert (await loop.restarted_oracle().sync.run(everything=True)).written == Written()  # sent, not mirrored
    await loop.settle()
    assert (await loop.restarted_oracle().sync.run(everything=True)).written == Written()  # mirrored
    assert len(await outbox(loop)) == 1


async def test_between_hours_only_a_crossed_milestone_is_worth_its_gas(loop: Loop) -> None:
    await listened(loop.database, 1, plays=1_200, fans=3, wallet=WALLETS[0])
    await sync(loop)
    await loop.settle()
    await more_plays(loop, 1, 100)
    assert await sync(loop) == Written()
    assert [each.counted.monthly_streams for each in await loop.differences()] == [1_300]
    await more_plays(loop, 1, 3_700)
    assert (await sync(loop)).creators == 1
    await loop.settle()
    assert await loop.differences() == []
    await more_plays(loop, 1, 1)
    assert (await sync(loop, everything=True)).creators == 1
    await loop.settle()
    assert await loop.differences() == []


async def test_a_follower_who_completes_the_requirements_is_written_at_once(loop: Loop) -> None:
    await listened(loop.database, 1, plays=50_000, fans=4, wallet=WALLETS[0])
    await sync(loop)
    await loop.settle()
    assert await loop.oracle.launcher.launch_due() == 0
    await listened(loop.database, 2, plays=5, fans=5, wallet=WALLETS[1])
    await save_all(loop.database, [follow(1, 5)])
    assert (await sync(loop)).creators == 1
    await loop.settle()
    assert await loop.oracle.launcher.launch_due() == 1


async def test_a_coin_is_launched_once_the_chain_says_so(loop: Loop) -> None:
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
    await listened(loop.database, 2, plays=49_999, fans=5, wallet=WALLETS[1])
    await listened(loop.database, 3, plays=50_000, fans=4, wallet=WALLETS[2])
    await sync(loop)
    assert await loop.oracle.launcher.launch_due() == 0
    await loop.settle()
    assert await loop.oracle.launcher.launch_due() == 1
    assert await loop.restarted_oracle().launcher.launch_due() == 0
    await loop.settle()
    assert await loop.oracle.launcher.launch_due() == 0
    coins = [int(await loop.factory.call("coinOf", wallet), 16) != 0 for wallet in WALLETS[:3]]
    assert coins == [True, False, False]


async def test_a_launch_that_failed_is_tried_again_after_a_pause(loop: Loop, rpc: RpcClient) -> None:
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
    await sync(loop)
    await loop.settle()
    await rpc.call("anvil_setBalance", loop.oracle.signer.address, hex(10**18))
    assert await loop.oracle.launcher.launch_due() == 1
    await loop.settle()
    assert [row.status for row in await outbox(loop)] == ["confirmed", "failed"]
    assert await loop.oracle.launcher.launch_due() == 0
    await rpc.call("anvil_setBalance", loop.oracle.signer.address, hex(2 * 10**18))
    async with loop.database.write() as session:
        await session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.kind == "launch")
            .values(updated_at=datetime.now(UTC) - timedelta(minutes=1))
        )
    assert await loop.oracle.launcher.launch_due() == 1
    await loop.settle()
    assert [row.status for row in await outbox(loop)] == ["confirmed", "failed", "confirmed"]


async def test_figures_too_old_for_a_launch_are_written_anew(loop: Loop, rpc: RpcClient) -> None:
    await loop.metrics_manager.send("setLaunchRequirements", 60_000, 5, 3_600)
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
    await loop.indexer.catch_up()
    await sync(loop)
    await loop.settle()
    await rpc.call("evm_increaseTime", 3_601)
    await rpc.call("evm_mine")
    await loop.metrics_manager.send("setLaunchRequirements", 50_000, 5, 3_600)
    await loop.indexer.catch_up()
    assert await loop.oracle.launcher.launch_due() == 0
    assert (await sync(loop)).creators == 1
    await loop.settle()
    assert await loop.oracle.launcher.launch_due() == 1


async def test_one_update_that_reverts_takes_the_others_down_only_once(loop: Loop) -> None:
    await listened(loop.database, 1, plays=1_000, fans=3, wallet=WALLETS[0])
    await listened(loop.database, 2, plays=2_000, fans=3, wallet=ZERO)  # which the contract refuses
    await listened(loop.database, 3, plays=3_000, fans=3, wallet=WALLETS[1])
    assert await sync(loop) == Written(creators=3, transactions=1)
    await loop.settle()
    assert await sync(loop) == Written(creators=3, transactions=3)
    await loop.settle()
    assert [row.status for row in await outbox(loop)] == ["failed", "confirmed", "failed", "confirmed"]
    assert (await outbox(loop))[2].error == "metrics: creator is the zero address"
    assert [each.wallet for each in await loop.differences()] == [ZERO]
    assert await sync(loop) == Written()
    assert await sync(loop, everything=True) == Written(creators=1, transactions=1)


async def test_batches_fit_half_a_block(loop: Loop, rpc: RpcClient) -> None:
    await rpc.call("evm_setBlockGasLimit", hex(3_000_000))
    await rpc.call("evm_mine")
    for number in range(30):
        await listened(loop.database, number + 1, plays=1_000 + number, fans=1, wallet=WALLETS[number])
    written = await sync(loop)
    assert written.creators == 30
    assert written.transactions > 1
    await loop.settle()
    assert await loop.differences() == []


async def test_a_key_without_the_role_is_told_how_to_get_it(loop: Loop) -> None:
    await listened(loop.database, 1, plays=1_000, fans=3, wallet=WALLETS[0])
    await loop.metrics_manager.send("setOracle", loop.oracle.signer.address, False)
    with pytest.raises(NotAuthorisedError, match=f"{local_account_address(1)} is no authorised oracle .*grant_oracle"):
        await sync(loop)
    assert await outbox(loop) == []


async def test_nothing_is_launched_without_the_launchers_role(loop: Loop) -> None:
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
    await sync(loop)
    await loop.settle()
    await loop.factory.send("setLauncher", loop.oracle.signer.address, False)
    assert await loop.oracle.launcher.launch_due() == 0
    await loop.factory.send("setLauncher", loop.oracle.signer.address, True)
    assert await loop.oracle.launcher.launch_due() == 1


async def test_a_creator_who_lost_listeners_stays_right_on_chain(loop: Loop) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet=WALLETS[0])
    await sync(loop)
    await loop.settle()
    async with loop.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM plays")
    assert (await sync(loop, everything=True)).creators == 1
    await loop.settle()
    assert (await loop.on_chain(WALLETS[0])).monthly_streams == 0
    assert await loop.differences() == []
