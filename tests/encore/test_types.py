from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import StatementError

from encore.db import Database
from encore.db.models.accounts import Account
from encore.db.models.chain import Balance
from encore.db.types import UINT256_MAX, wei_sum

AMOUNTS = st.lists(st.integers(0, UINT256_MAX), max_size=6)


@given(amounts=AMOUNTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_256_bit_integers_come_back_exact_sorted_and_summed(database: Database, amounts: list[int]) -> None:
    async with database.transaction() as connection:
        await connection.execute(delete(Balance))
        rows = [{"token": "0x1", "holder": str(index), "amount": amount} for index, amount in enumerate(amounts)]
        if rows:
            await connection.execute(insert(Balance), rows)
    async with database.read() as reader:
        stored = [row.amount for row in await reader.all(select(Balance.amount).order_by(Balance.amount))]
        total = await reader.scalar(select(wei_sum(Balance.amount)))
        positive = len(await reader.all(select(Balance.holder).where(Balance.amount > 0)))
    assert stored == sorted(amounts)
    assert total == sum(amounts)
    assert positive == sum(amount > 0 for amount in amounts)


@pytest.mark.parametrize("amount", [-1, UINT256_MAX + 1])
async def test_what_no_256_bit_integer_can_hold_is_refused(database: Database, amount: int) -> None:
    with pytest.raises(StatementError, match="is not an unsigned 256-bit integer"):
        async with database.transaction() as connection:
            await connection.execute(insert(Balance), {"token": "0x1", "holder": "0x2", "amount": amount})


async def test_times_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    moment = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    fields = {"display_name": "a", "source": "test", "external_id": "1"}
    async with database.write() as session:
        session.add(Account(**fields, created_at=moment))
    async with database.read() as reader:
        stored = await reader.scalar(select(Account.created_at))
    assert stored == moment
    assert stored.tzinfo == UTC
    with pytest.raises(StatementError, match="timezone-aware"):
        async with database.transaction() as connection:
            await connection.execute(insert(Account), fields | {"created_at": moment.replace(tzinfo=None)})


async def test_a_unit_of_work_that_fails_leaves_nothing(database: Database) -> None:
    async def fail_half_way() -> None:
        async with database.write() as session:
            session.add(Balance(token="0x1", holder="0x2", amount=1))  # noqa: S106 - a coin, not a secret
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_half_way()
    async with database.read() as reader:
        assert await reader.first(select(Balance)) is None
