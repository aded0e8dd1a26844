"""Revenue shared out once a month: to the wei, once, and only where revenue backing is enabled."""

from datetime import UTC, datetime, timedelta

from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from encore.db.models.chain import Launch
from encore.db.models.outbox import OutboxEntry
from encore.db.models.revenue import Revenue
from oracle.context import Context
from oracle.distributions import Distributor, month_of, next_month
from tests.contracts_on_anvil import Contract
from tests.oracle.conftest import LOCAL, Loop
from tests.oracle.listening import listened, save_all

WALLET = "0x" + "77" * 20
COIN = 10**18


def earned(wei: int, key: str, at: datetime) -> Revenue:
    return Revenue(creator_id=1, amount_wei=wei, earned_at=at, source="test", event_key=key)


def distributor(loop: Loop, now: datetime) -> Distributor:
    """Return a distributor that takes `now` for the time of day."""
    oracle = loop.oracle
    return Distributor(Context(loop.database, oracle.contracts, LOCAL.chain_id, oracle.signer.address, lambda: now))


async def launched(loop: Loop, *, revenue: int) -> datetime:
    """Launch a coin of a creator who had earned `revenue` wei before, and let a fan buy some; returns when."""
    await listened(loop.database, 1, plays=50_000, fans=5, wallet=WALLET)
    await save_all(loop.database, [earned(revenue, "before", datetime.now(UTC) - timedelta(hours=1))])
    await loop.oracle.sync.run(everything=True)
    await loop.settle()
    assert await loop.oracle.launcher.launch_due() == 1
    await loop.settle()
    coin = to_checksum_address(await loop.factory.call("coinOf", WALLET))
    await loop.economy.exchange.send("buyTokens", coin, 0, sender=5, value=COIN // 100)
    async with loop.database.read() as session:
        return datetime.fromtimestamp(await session.scalar(select(Launch.timestamp)), UTC)


async def entries(loop: Loop) -> list[tuple[str, int]]:
    async with loop.database.read() as session:
        rows = await session.all(
            select(OutboxEntry.status, OutboxEntry.value)
            .where(OutboxEntry.kind == "distribution")
            .order_by(OutboxEntry.id)
        )
    return [(row.status, row.value) for row in rows]


async def test_what_was_earned_since_the_launch_is_shared_when_the_month_is_over(loop: Loop) -> None:
    at = await launched(loop, revenue=5 * COIN)
    await save_all(
        loop.database, [earned(3 * COIN, "a", at + timedelta(seconds=1)), earned(7, "b", at + timedelta(seconds=2))]
    )
    over = next_month(at)
    assert await distributor(loop, over - timedelta(seconds=1)).distribute_due() == 0
    outlook = await distributor(loop, over - timedelta(days=1)).outlook()
    assert (outlook.due_at, outlook.creators, outlook.amount) == (over, 1, 3 * COIN + 7)

    assert await distributor(loop, over).distribute_due() == 1
    assert (
        await distributor(loop, over + timedelta(days=3)).distribute_due() == 0
    )  # under way, from another process too
    await loop.settle()
    assert await entries(loop) == [("confirmed", 3 * COIN + 7)]
    assert await loop.factory.call("creatorRevenueDue", WALLET) == 3 * COIN + 7 - (3 * COIN + 7) // 10
    coin = Contract(
        loop.economy.chain, "BalancedCreatorToken", to_checksum_address(await loop.factory.call("coinOf", WALLET))
    )
    assert int(await loop.economy.chain.rpc.call("eth_getBalance", coin.address, "latest"), 16) == (3 * COIN + 7) // 10


async def test_revenue_recorded_late_goes_out_with_the_next_month_and_nothing_twice(loop: Loop) -> None:
    at = await launched(loop, revenue=5 * COIN)
    await save_all(loop.database, [earned(COIN, "a", at + timedelta(seconds=1))])
    over = next_month(at)
    assert await distributor(loop, over).distribute_due() == 1
    await loop.settle()
    await save_all(loop.database, [earned(2 * COIN, "late", at + timedelta(seconds=3))])
    assert await distributor(loop, over + timedelta(days=1)).distribute_due() == 0
    assert await distributor(loop, next_month(over)).distribute_due() == 1
    await loop.settle()
    assert await distributor(loop, next_month(next_month(over))).distribute_due() == 0
    assert await entries(loop) == [("confirmed", COIN), ("confirmed", 2 * COIN)]


async def test_nothing_is_shared_while_revenue_backing_is_not_enabled(loop: Loop) -> None:
    at = await launched(loop, revenue=COIN - 1)
    await save_all(loop.database, [earned(4 * COIN, "a", at + timedelta(seconds=1))])
    assert await distributor(loop, next_month(at)).distribute_due() == 0
    assert await entries(loop) == []


async def test_a_distribution_that_failed_is_owed_again(loop: Loop) -> None:
    at = await launched(loop, revenue=2 * COIN)
    await save_all(loop.database, [earned(10**25, "more than the key has", at + timedelta(seconds=1))])
    over = next_month(at)
    assert await distributor(loop, over).distribute_due() == 1
    await loop.settle()
    async with loop.database.write() as session:
        await session.execute(update(Revenue).where(Revenue.amount_wei == 10**25).values(amount_wei=10**18))
    assert await distributor(loop, over + timedelta(hours=1)).distribute_due() == 1
    await loop.settle()
    assert await entries(loop) == [("failed", 10**25), ("confirmed", 10**18)]


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year < 9_999))
def test_the_next_month_begins_after_this_one_with_nothing_between(moment: datetime) -> None:
    assert month_of(moment) <= moment < next_month(moment)
    assert month_of(next_month(moment) - timedelta(microseconds=1)) == month_of(moment)
