"""Supply released as a creator grows, by the oracle, on the real coin."""

from datetime import UTC, datetime, timedelta

from eth_utils.address import to_checksum_address
from sqlalchemy import select, update

from encore.chain.rpc import RpcClient
from encore.db.models.outbox import OutboxEntry
from tests.contracts_on_anvil import Contract
from tests.oracle.conftest import Loop
from tests.oracle.listening import Log, listened, save_all

WALLET = "0x" + "77" * 20
PORTION = 2_000_000 * 10**18
DAY = 86_400


async def launched(loop: Loop) -> Contract:
    """Launch a coin of a creator with 50 000 plays."""
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLET)
    await report(loop)
    assert await loop.oracle.launcher.launch_due() == 1
    await loop.settle()
    address = to_checksum_address(await loop.factory.call("coinOf", WALLET))
    return Contract(loop.economy.chain, "BalancedCreatorToken", address)


async def report(loop: Loop) -> None:
    """Write every figure that the chain does not have."""
    await loop.oracle.sync.run(everything=True)
    await loop.settle()


async def played(loop: Loop, plays: int) -> None:
    log = Log()
    log.play(1, 1, at=datetime.now(UTC), count=plays)
    log.plays[0].event_key = f"{plays} more"
    await save_all(loop.database, log.plays)
    await report(loop)


async def days_pass(rpc: RpcClient, days: int) -> None:
    await rpc.call("evm_increaseTime", days * DAY)
    await rpc.call("evm_mine")


async def test_supply_is_released_once_after_thirty_days_and_a_fifth_more_plays(loop: Loop, rpc: RpcClient) -> None:
    coin = await launched(loop)
    await played(loop, 10_000)
    assert await loop.oracle.releaser.release_due() == 0  # grown, but too soon

    await days_pass(rpc, 31)
    await played(loop, 1)
    assert await loop.oracle.releaser.release_due() == 1
    assert await loop.restarted_oracle().releaser.release_due() == 0  # under way
    await loop.settle()
    assert await coin.call("balanceOf", WALLET) == PORTION
    assert await loop.restarted_oracle().releaser.release_due() == 0

    await days_pass(rpc, 31)
    await played(loop, 11_000)  # 18 % above the mark
    assert await loop.oracle.releaser.release_due() == 0
    await played(loop, 2_000)
    assert await loop.oracle.releaser.release_due() == 1
    await loop.settle()
    assert await coin.call("balanceOf", WALLET) == 2 * PORTION


async def test_figures_that_are_too_old_release_nothing(loop: Loop, rpc: RpcClient) -> None:
    await launched(loop)
    await played(loop, 20_000)
    await days_pass(rpc, 31)
    await loop.indexer.catch_up()
    assert await loop.oracle.releaser.release_due() == 0


async def test_a_release_that_somebody_else_took_is_no_loss_and_not_tried_again(loop: Loop, rpc: RpcClient) -> None:
    coin = await launched(loop)
    await days_pass(rpc, 31)
    await played(loop, 20_000)
    assert await loop.oracle.releaser.release_due() == 1
    await coin.send("release", sender=7)
    await loop.settle()
    async with loop.database.read() as session:
        entries = await session.all(select(OutboxEntry.status, OutboxEntry.error).where(OutboxEntry.kind == "release"))
    assert [tuple(entry) for entry in entries] == [("failed", "release: too soon")]
    async with loop.database.write() as session:
        await session.execute(update(OutboxEntry).values(updated_at=datetime.now(UTC) - timedelta(hours=1)))
    assert await loop.oracle.releaser.release_due() == 0
    assert await coin.call("balanceOf", WALLET) == PORTION
