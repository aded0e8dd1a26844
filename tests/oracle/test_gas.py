"""What writing costs on the real contracts: estimates that are true, batches that pay, and waiting for cheaper gas."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db.models.outbox import OutboxEntry
from encore.db.models.revenue import Revenue
from oracle import jobs as jobs_module
from oracle.context import Context
from oracle.distributions import Distributor, next_month
from oracle.dry_run import due
from oracle.estimates import Estimate, estimates
from oracle.gas import GasOutlook
from oracle.metrics import Metrics
from oracle.publisher import _batches
from oracle.quorum import Moment
from oracle.repository.gas_prices import hourly_gas_prices, save_gas_price
from oracle.repository.publishing import Standing
from oracle.repository.state import State, save_synced
from tests.oracle.background import running
from tests.oracle.conftest import LOCAL, Loop
from tests.oracle.listening import Log, listened, save_all
from tests.support import eventually

WALLETS = ["0x" + f"{number:02x}" * 20 for number in range(1, 100)]
COIN = 10**18
HOUR = timedelta(hours=1)


async def rows(loop: Loop) -> list[Any]:
    async with loop.database.read() as session:
        return list(await session.all(select(OutboxEntry.__table__).order_by(OutboxEntry.id)))


async def sync(loop: Loop) -> None:
    await loop.oracle.sync.run(everything=True)
    await loop.settle()


async def is_sent(loop: Loop) -> bool:
    return (await loop.oracle.outbox.run_once()).is_idle


async def play(loop: Loop, creator_id: int, count: int) -> None:
    log = Log()
    log.play(creator_id, 1, at=datetime.now(UTC), count=count)
    log.plays[0].event_key = f"{creator_id} {datetime.now(UTC)}"
    await save_all(loop.database, log.plays)


def assert_true(shown: list[Estimate], sent: list[Any]) -> None:
    """Each estimate is of the transaction sent for it, within a tenth of the gas that this used."""
    assert [each.intent.data for each in shown] == [row.data for row in sent]
    for each, row in zip(shown, sent, strict=True):
        assert row.status == "confirmed"
        assert abs(each.gas - row.gas_used) <= row.gas_used / 10, (each.intent.kind, each.gas, row.gas_used)


async def test_estimates_of_figures_and_launches_are_within_a_tenth_of_the_gas_used(loop: Loop, rpc: RpcClient) -> None:
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
    for number in range(2, 62):
        await listened(loop.database, number, plays=1_000 * number, fans=2, wallet=WALLETS[number])
    shown = await due(loop.oracle, None)
    assert await rows(loop) == []
    await sync(loop)
    figures = await rows(loop)
    assert [each.intent.subject for each in shown] == ["30 creators", "31 creators"]
    shown = [each for each in shown if each.obstacle is None]
    for each, row in zip(shown, figures, strict=True):
        assert abs(each.gas - row.gas_used) <= row.gas_used / 10

    await rpc.call("evm_increaseTime", 3_600)  # within a second the time of observation would not change, and be free
    await rpc.call("evm_mine")
    for number in range(2, 62):
        await play(loop, number, 3)
    launch, *updates = sorted(await due(loop.oracle, None), key=lambda each: each.intent.kind)
    assert await loop.oracle.launcher.launch_due() == 1
    await sync(loop)
    launched, *updated = (await rows(loop))[2:]
    assert_true([launch], [launched])
    for each, row in zip(updates, updated, strict=True):
        assert abs(each.gas - row.gas_used) <= row.gas_used / 10
    assert launch.intent.value == launched.value > 0


async def test_estimates_of_releases_and_distributions_are_within_a_tenth_of_the_gas_used(
    loop: Loop, rpc: RpcClient
) -> None:
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLETS[0])
    now = datetime.now(UTC)
    await save_all(loop.database, [earned(5 * COIN, "before", now - HOUR)])
    await sync(loop)
    assert await loop.oracle.launcher.launch_due() == 1
    await loop.settle()
    coin = to_checksum_address(await loop.factory.call("coinOf", WALLETS[0]))
    await loop.economy.exchange.send("buyTokens", coin, 0, sender=5, value=COIN // 100)
    await rpc.call("evm_increaseTime", 31 * 86_400)
    await rpc.call("evm_mine")
    await play(loop, 1, 20_000)
    await save_all(loop.database, [earned(COIN, "since", datetime.now(UTC) + timedelta(seconds=5))])
    await sync(loop)
    month_over = next_month(datetime.now(UTC) + timedelta(days=1))
    context = Context(
        loop.database, loop.oracle.contracts, LOCAL.chain_id, loop.oracle.signer.address, lambda: month_over
    )
    distributor = Distributor(context)
    intents = [*await loop.oracle.releaser.due(), *await distributor.due()]
    shown = await estimates(loop.oracle.node, intents, GWEI)
    assert [each.intent.kind for each in shown] == ["release", "distribution"]
    assert [each.cost for each in shown] == [each.gas * GWEI for each in shown]
    before = len(await rows(loop))
    await loop.oracle.releaser.release_due()
    await distributor.distribute_due()
    await eventually(lambda: is_sent(loop))
    assert_true(shown, (await rows(loop))[before:])


async def test_what_would_revert_is_shown_with_the_contracts_words(loop: Loop) -> None:
    await listened(loop.database, 1, plays=5_000, fans=3, wallet="0x" + "00" * 20)
    (shown,) = await due(loop.oracle, None)
    assert (shown.obstacle, shown.gas, shown.cost) == ("metrics: creator is the zero address", 0, 0)


async def test_a_batch_costs_at_most_three_fifths_of_single_writes_and_unchanged_figures_nothing(
    loop: Loop, rpc: RpcClient
) -> None:
    for number in range(50):
        await listened(loop.database, number + 1, plays=2_000 + number, fans=2, wallet=WALLETS[number])
    await sync(loop)
    for number in range(50):
        await play(loop, number + 1, 5)
    await sync(loop)
    _, batch = await rows(loop)
    balance = await loop.oracle.balance()
    for _ in range(3):
        await sync(loop)
    assert await loop.oracle.balance() == balance  # unchanged figures
    assert len(await rows(loop)) == 2

    singles = []
    for number in range(10):
        figures = await loop.on_chain(WALLETS[number])
        changed = (figures.monthly_streams + 5, figures.followers, figures.monthly_revenue, figures.engagement_score)
        receipt = await loop.metrics_manager.send("updateCreatorMetrics", WALLETS[number], *changed, sender=1)
        singles.append(int(receipt["gasUsed"], 16))
    share = batch.gas_used / 50 / (sum(singles) / len(singles))
    assert share <= 0.60, share


def standing(number: int, *, failed: bool) -> Standing:
    return Standing(
        number,
        WALLETS[0],
        Metrics(1, 1, 1, 1),
        mirrored=None,
        reported=None,
        is_mirrored=False,
        has_coin=False,
        write_failed=failed,
        write_failed_alone=False,
    )


@given(st.lists(st.booleans(), max_size=160), st.integers(1, 50))
def test_batches_are_few_and_even_and_leave_nobody_out(failed: list[bool], size: int) -> None:
    chosen = [standing(number, failed=each) for number, each in enumerate(failed)]
    batches = list(_batches(chosen, size, Moment(chain_time=0, quorum=1, epoch_seconds=3_600)))
    assert sorted(each.creator_id for batch in batches for each in batch) == list(range(len(chosen)))
    together = [batch for batch in batches if not batch[0].write_failed]
    assert all(len(batch) == 1 for batch in batches if any(each.write_failed for each in batch))
    assert len(together) == -(-failed.count(False) // size)
    if together:
        assert max(map(len, together)) - min(map(len, together)) <= 1


async def keep_prices(loop: Loop, *prices: int) -> None:
    """Keep a price for each of the last hours."""
    now = datetime.now(UTC)
    async with loop.database.transaction() as connection:
        for ago, price in enumerate(prices, start=1):
            await save_gas_price(connection, LOCAL.chain_id, now - ago * HOUR, price)


async def set_base_fee(rpc: RpcClient, gwei: int) -> None:
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))
    await rpc.call("evm_mine")


async def synced_ago(loop: Loop, ago: timedelta) -> None:
    async with loop.database.transaction() as connection:
        await save_synced(connection, LOCAL.chain_id, datetime.now(UTC) - ago)


async def streams(loop: Loop, wallet: str) -> int:
    return (await loop.on_chain(wallet)).monthly_streams


async def test_while_gas_is_dear_only_milestones_are_written_and_the_rest_once_it_is_cheaper(
    loop: Loop, rpc: RpcClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(jobs_module, "LOOK_SECONDS", 0.05)
    for number in (1, 2):
        await listened(loop.database, number, plays=2_000, fans=2, wallet=WALLETS[number])
    await sync(loop)
    await keep_prices(loop, *[GWEI] * 5)
    await synced_ago(loop, HOUR)
    await set_base_fee(rpc, 50)
    await eventually(lambda: seen_dear(loop))
    await play(loop, 1, 1)
    async with running(loop):
        await play(loop, 2, 3_000)
        await eventually(lambda: reaches(loop, WALLETS[2], 5_000))
        assert await streams(loop, WALLETS[1]) == 2_000
        while not await reaches(loop, WALLETS[1], 2_001):
            await set_base_fee(rpc, 0)


async def seen_dear(loop: Loop) -> bool:
    return (await loop.oracle.gas_prices.outlook()).is_dear


async def reaches(loop: Loop, wallet: str, plays: int) -> bool:
    return await streams(loop, wallet) == plays


async def test_figures_wait_for_cheaper_gas_no_longer_than_the_patience_allows(loop: Loop, rpc: RpcClient) -> None:
    await listened(loop.database, 1, plays=2_000, fans=2, wallet=WALLETS[0])
    await sync(loop)
    await play(loop, 1, 1)
    await keep_prices(loop, *[GWEI] * 5)
    await set_base_fee(rpc, 50)
    await synced_ago(loop, 7 * HOUR)
    async with running(loop):
        await eventually(lambda: reaches(loop, WALLETS[0], 2_001))


async def test_the_typical_price_is_the_median_of_the_hours_of_a_day(loop: Loop) -> None:
    prices = loop.oracle.gas_prices
    await keep_prices(loop, 5, 9)
    assert (await prices.outlook()).typical is None  # too few
    await keep_prices(loop, 5, 9, 1_000, *[7] * 40)
    assert (await prices.outlook()).typical == 7
    assert [GasOutlook(price, 100).is_dear for price in (100, 125, 126)] == [False, False, True]
    assert not GasOutlook(10**9, None).is_dear


async def test_looks_at_the_price_add_up_by_the_hour_and_are_forgotten_after_a_month(loop: Loop) -> None:
    now = datetime(2026, 11, 20, 12, 34, tzinfo=UTC)
    async with loop.database.transaction() as connection:
        for moment, price in (
            (now - timedelta(days=31), 1),
            (now - HOUR, 10),
            (now, 20),
            (now + timedelta(minutes=5), 40),
        ):
            await save_gas_price(connection, LOCAL.chain_id, moment, price)
    async with loop.database.read() as session:
        assert await hourly_gas_prices(session, LOCAL.chain_id, now - timedelta(days=60)) == [10, 30]


def test_nothing_waits_before_the_first_sync(loop: Loop) -> None:
    assert not loop.oracle.gas_prices.should_wait(GasOutlook(10**9, 1), State())


def earned(wei: int, key: str, at: datetime) -> Revenue:
    return Revenue(creator_id=1, amount_wei=wei, earned_at=at, source="test", event_key=key)
