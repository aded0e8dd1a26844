"""The day's budget for gas holds: against a real chain, whatever is queued, stuck, undone or restarted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from encore.chain.outbox import FeePolicy, GasBudget, Intent, Node, OutboxSender, Signer, Spending, enqueue
from encore.chain.outbox import sender as sender_module
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.outbox import OutboxEntry
from tests.oracle.conftest import LOCAL, Recorder
from tests.support import eventually

CAP = 1_000 * GWEI
MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)
NewSender = Callable[..., OutboxSender]


class Clock:
    """A time of day that a test sets."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budgeted(
    database: Database, rpc: RpcClient, signer: Signer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> NewSender:
    """Make senders with a budget, as a restarted process would, which look again at once."""
    monkeypatch.setattr(sender_module, "FIRST_HOLD_SECONDS", 0.0)
    monkeypatch.setattr(sender_module, "REBROADCAST_SECONDS", 0.0)

    def make(daily: int, *, reserve: int = 0, cap: int = CAP) -> OutboxSender:
        budget = GasBudget(daily, reserve, frozenset({"urgent"}))
        return OutboxSender(database, Node(rpc, LOCAL, signer.address), signer, FeePolicy(cap, budget), clock)

    return make


async def queue(database: Database, *intents: Intent) -> None:
    async with database.transaction() as connection:
        await enqueue(connection, intents, MORNING)


async def entries(database: Database) -> list[Any]:
    async with database.read() as session:
        return list(await session.all(select(OutboxEntry.__table__).order_by(OutboxEntry.id)))


async def rounds(sender: OutboxSender) -> None:
    """Work until a round changes nothing and nothing is on its way."""

    async def settled() -> bool:
        before = await sender.progress()
        after = await sender.run_once()
        return after.sent == 0 and before.pending == after.pending

    await eventually(settled)


async def cost_of_one(rpc: RpcClient, recorder: Recorder, signer: Signer) -> int:
    """Return the most that the sender would commit for one recording as fees stand."""
    intent = recorder.intent(1, signer.address)
    head = await Node(rpc, LOCAL, signer.address).head()
    gas = int(await rpc.call("eth_estimateGas", {"from": signer.address, "to": intent.to, "data": intent.data}), 16)
    return gas * 5 // 4 * (2 * head.base_fee + head.tip)


async def test_what_a_day_cost_never_exceeds_the_budget_and_the_rest_goes_the_next_day(
    *, database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, budgeted: NewSender, clock: Clock
) -> None:
    daily = 5 * await cost_of_one(rpc, recorder, signer)
    await queue(database, *(recorder.intent(number, signer.address) for number in range(40)))
    days = 0
    while (await budgeted(daily).progress()).pending:
        await rounds(budgeted(daily))
        waiting = [row for row in await entries(database) if row.status == "pending"]
        if waiting:
            assert "left of the day's budget" in waiting[0].error
        spending = await budgeted(daily).spending()
        assert 0 < spending.paid <= daily
        assert spending.committed == 0
        clock.now += timedelta(days=1)
        days += 1
    rows = await entries(database)
    paid = [sum(row.fee_paid for row in rows if row.mined_at.day == 20 + day) for day in range(days)]
    assert days > 1
    assert all(0 < each <= daily for each in paid)
    assert await recorder.numbers() == list(range(40))


async def test_what_is_paid_is_what_the_chain_took(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, budgeted: NewSender
) -> None:
    before = int(await rpc.call("eth_getBalance", signer.address, "latest"), 16)
    await queue(database, *(recorder.intent(number, signer.address, value=7) for number in range(3)))
    sender = budgeted(10**18)
    await rounds(sender)
    after = int(await rpc.call("eth_getBalance", signer.address, "latest"), 16)
    assert (await sender.spending()).paid == before - after - 3 * 7


async def test_what_is_signed_counts_as_much_as_it_may_cost_until_it_is_mined(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, budgeted: NewSender
) -> None:
    await rpc.call("evm_setAutomine", False)
    daily = 3 * await cost_of_one(rpc, recorder, signer)
    await queue(database, *(recorder.intent(number, signer.address) for number in range(10)))
    await budgeted(daily).run_once()
    spending = await budgeted(daily).spending()
    assert 0 < spending.committed <= daily
    assert (await budgeted(daily).run_once()).sent == 3  # a restarted process sends no more
    await rpc.call("evm_setAutomine", True)
    await rpc.call("evm_mine")
    await rounds(budgeted(daily))
    assert (await budgeted(daily).spending()).paid <= daily


async def test_the_reserve_is_for_urgent_entries_which_pass_those_that_wait(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, budgeted: NewSender
) -> None:
    one = await cost_of_one(rpc, recorder, signer)
    await queue(database, *(recorder.intent(number, signer.address) for number in range(30)))
    sender = budgeted(2 * one, reserve=3 * one // 2)
    await rounds(sender)
    assert await recorder.numbers() == []
    await queue(database, replace(recorder.intent(99, signer.address), kind="urgent"))
    await rounds(sender)
    assert await recorder.numbers() == [99]
    assert (await sender.spending()).paid <= 2 * one


async def test_a_stuck_transaction_is_not_outbid_beyond_the_budget(
    *, database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, budgeted: NewSender, clock: Clock
) -> None:
    await rpc.call("evm_setAutomine", False)
    daily = await cost_of_one(rpc, recorder, signer) * 105 // 100  # a replacement takes an eighth more
    await queue(database, recorder.intent(1, signer.address))
    await budgeted(daily).run_once()
    (sent,) = await entries(database)
    clock.now += timedelta(hours=1)
    await budgeted(daily).run_once()
    (still,) = await entries(database)
    assert still.transaction_hash == sent.transaction_hash
    await budgeted(2 * daily).run_once()
    (outbid,) = await entries(database)
    assert outbid.transaction_hash != sent.transaction_hash


async def test_what_a_reorg_undid_counts_as_under_way_again(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, budgeted: NewSender
) -> None:
    await queue(database, recorder.intent(1, signer.address))
    sender = budgeted(10**18)
    await rounds(sender)
    paid = (await sender.spending()).paid
    await rpc.call("evm_setAutomine", False)
    await rpc.call("anvil_reorg", 1, [])
    await rpc.call("anvil_dropAllTransactions")
    await sender.run_once()
    undone = await sender.spending()
    assert undone.paid == 0
    assert undone.committed > paid


@given(
    daily=st.integers(0, 1_000),
    reserve=st.integers(0, 1_000),
    spent=st.integers(0, 2_000),
    cost=st.integers(1, 2_000),
    kind=st.sampled_from(["urgent", "metrics"]),
)
def test_nothing_is_allowed_beyond_what_is_left(daily: int, reserve: int, spent: int, cost: int, kind: str) -> None:
    budget = GasBudget(daily, reserve, frozenset({"urgent"}))
    spending = Spending(spent // 2, spent - spent // 2)
    if budget.objection(spending, cost, kind) is None:
        assert spent + cost <= daily - (reserve if kind == "metrics" else 0)
    assert GasBudget().objection(spending, cost, kind) is None
