"""All SQL of the outbox's sender: short transactions, each a state that a crash may leave behind."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update

from encore.chain.outbox.budget import Spending
from encore.chain.outbox.fees import Fees
from encore.chain.outbox.node import Receipt
from encore.chain.outbox.queue import Status
from encore.chain.outbox.signer import Call, SignedTransaction
from encore.db import Database
from encore.db.models.outbox import OutboxEntry, OutboxTransaction
from encore.db.types import wei_sum


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that has no nonce yet."""

    id: int
    kind: str
    subject: str
    call: Call


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed form of an entry."""

    hash: str
    raw: str
    gas_limit: int
    fees: Fees
    signed_at: datetime

    @property
    def most(self) -> int:
        """The most wei that its gas may cost."""
        return self.gas_limit * self.fees.max_fee_per_gas


@dataclass(frozen=True, slots=True)
class Travelling:
    """An entry that was signed and is not known to be mined; `attempts` are oldest first, never empty."""

    id: int
    kind: str
    subject: str
    call: Call
    nonce: int
    attempts: list[Attempt]

    @property
    def most(self) -> int:
        """The most wei that its gas may cost: any one of the attempts may be mined."""
        return max(attempt.most for attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class Mined:
    """An entry whose block is not known to be final."""

    id: int
    block_number: int
    block_hash: str


class OutboxStore:
    """The outbox of one sender on one chain."""

    def __init__(self, database: Database, chain_id: int, sender: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._mine: tuple[ColumnElement[bool], ...] = (
            OutboxEntry.chain_id == chain_id,
            OutboxEntry.sender == sender,
        )

    async def counts(self) -> dict[str, int]:
        """Return how many entries are pending and how many are sent."""
        statement = (
            select(OutboxEntry.status, func.count().label("entries"))
            .where(*self._mine, ~OutboxEntry.is_final, OutboxEntry.status.in_([Status.PENDING, Status.SENT]))
            .group_by(OutboxEntry.status)
        )
        async with self._database.read() as session:
            return {row.status: row.entries for row in await session.all(statement)}

    async def waiting(self, limit: int, first: Collection[str] = ()) -> list[Waiting]:
        """Return pending entries in the order they were queued, those of the kinds in `first` before all others."""
        statement = (
            select(*_columns())
            .where(*self._mine, ~OutboxEntry.is_final, OutboxEntry.status == Status.PENDING)
            .order_by(case((OutboxEntry.kind.in_(first), 0), else_=1), OutboxEntry.id)
            .limit(limit)
        )
        async with self._database.read() as session:
            return [Waiting(row.id, row.kind, row.subject, _call(row)) for row in await session.all(statement)]

    async def travelling(self) -> list[Travelling]:
        """Return the sent entries by nonce, with everything that was signed for them."""
        statement = (
            select(*_columns(), OutboxEntry.nonce, *OutboxTransaction.__table__.c)
            .join(OutboxTransaction, OutboxTransaction.outbox_id == OutboxEntry.id)
            .where(*self._mine, ~OutboxEntry.is_final, OutboxEntry.status == Status.SENT)
            .order_by(OutboxEntry.nonce, OutboxTransaction.signed_at)
        )
        entries: dict[int, Travelling] = {}
        async with self._database.read() as session:
            for row in await session.all(statement):
                entry = entries.setdefault(row.id, Travelling(row.id, row.kind, row.subject, _call(row), row.nonce, []))
                fees = Fees(row.max_fee_per_gas, row.max_priority_fee_per_gas)
                entry.attempts.append(Attempt(row.hash, row.raw, row.gas_limit, fees, row.signed_at))
        return list(entries.values())

    async def mined(self) -> list[Mined]:
        """Return the entries that were mined in blocks that are not known to be final."""
        statement = select(OutboxEntry.id, OutboxEntry.block_number, OutboxEntry.block_hash).where(
            *self._mine, ~OutboxEntry.is_final, OutboxEntry.block_number.is_not(None)
        )
        async with self._database.read() as session:
            return [Mined(row.id, row.block_number, row.block_hash) for row in await session.all(statement)]

    async def spending(self) -> Spending:
        """Sum up the gas of this day (UTC)."""
        today = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        async with self._database.read() as session:
            paid = await session.scalar(
                select(wei_sum(OutboxEntry.fee_paid)).where(*self._mine, OutboxEntry.mined_at >= today)
            )
        return Spending(int(paid), sum(entry.most for entry in await self.travelling()))

    async def unsettled(self) -> int:
        """Return how many entries were signed and are not known to be final."""
        async with self._database.read() as session:
            return int(
                await session.scalar(
                    select(func.count())
                    .select_from(OutboxEntry)
                    .where(*self._mine, ~OutboxEntry.is_final, OutboxEntry.nonce.is_not(None))
                )
            )

    async def hand_over(self, sender: str) -> int:
        """Let another sender send what waits; returns how many entries."""
        return await self._update(*self._mine, OutboxEntry.status == Status.PENDING, sender=sender)

    async def next_nonce(self, nonces_used: int) -> int:
        """Return the nonce after every one that an entry holds, or the chain's count where that is ahead."""
        async with self._database.read() as session:
            highest = await session.scalar(select(func.max(OutboxEntry.nonce)).where(*self._mine))
        return nonces_used if highest is None else max(int(highest) + 1, nonces_used)

    async def record_signed(
        self, entry_id: int, nonce: int, signed: SignedTransaction, gas_limit: int, fees: Fees
    ) -> None:
        """Store what is about to be broadcast: from here on the entry has this nonce and these bytes, come what may."""
        now = self._clock()
        async with self._database.transaction() as connection:
            await connection.execute(
                insert(OutboxTransaction).values(
                    hash=signed.hash,
                    outbox_id=entry_id,
                    raw=signed.raw,
                    gas_limit=gas_limit,
                    max_fee_per_gas=fees.max_fee_per_gas,
                    max_priority_fee_per_gas=fees.max_priority_fee_per_gas,
                    signed_at=now,
                )
            )
            await connection.execute(
                update(OutboxEntry)
                .where(OutboxEntry.id == entry_id)
                .values(status=Status.SENT, nonce=nonce, transaction_hash=signed.hash, error=None, updated_at=now)
            )

    async def record_broadcast(self, entry_id: int, refusal: str | None) -> None:
        """Count a broadcast and keep what the node said against it."""
        await self._update(OutboxEntry.id == entry_id, attempts=OutboxEntry.attempts + 1, error=refusal)

    async def record_obstacle(self, entry_id: int, error: str) -> None:
        """Keep why a pending entry could not be sent yet."""
        await self._update(OutboxEntry.id == entry_id, attempts=OutboxEntry.attempts + 1, error=error)

    async def record_refused(self, entry_id: int, reason: str) -> None:
        """Fail a pending entry that would revert: it takes no nonce and is never looked at again."""
        await self._update(
            OutboxEntry.id == entry_id,
            status=Status.FAILED,
            is_final=True,
            attempts=OutboxEntry.attempts + 1,
            error=reason,
        )

    async def record_mined(self, outcomes: Sequence[tuple[int, Receipt, str | None]]) -> None:
        """Confirm entries by their receipts, or fail those with a revert reason."""
        now = self._clock()
        async with self._database.transaction() as connection:
            for entry_id, receipt, revert in outcomes:
                await connection.execute(
                    update(OutboxEntry)
                    .where(OutboxEntry.id == entry_id)
                    .values(
                        status=Status.CONFIRMED if revert is None else Status.FAILED,
                        transaction_hash=receipt.transaction_hash,
                        block_number=receipt.block_number,
                        block_hash=receipt.block_hash,
                        gas_used=receipt.gas_used,
                        fee_paid=receipt.fee_paid,
                        mined_at=now,
                        error=revert,
                        updated_at=now,
                    )
                )

    async def record_final(self, entry_ids: Collection[int]) -> None:
        """Stop watching entries whose block can no longer be undone."""
        await self._update(OutboxEntry.id.in_(entry_ids), is_final=True)

    async def record_undone(self, entry_ids: Collection[int]) -> None:
        """Take entries back to sent: their block is gone."""
        await self._update(OutboxEntry.id.in_(entry_ids), **_NOT_MINED)

    async def record_lost(self, nonces_used: int) -> int:
        """Take back to sent what was mined at nonces that the chain says are unused; returns how many.

        So it is when a local chain was restored to an older state, final blocks and all.
        """
        return await self._update(
            *self._mine, OutboxEntry.nonce >= nonces_used, OutboxEntry.block_number.is_not(None), **_NOT_MINED
        )

    async def release_nonce(self, entry_id: int, reason: str) -> None:
        """Let an entry wait again whose nonce another transaction used for good: what was signed is void."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(OutboxTransaction).where(OutboxTransaction.outbox_id == entry_id))
            await connection.execute(
                update(OutboxEntry)
                .where(OutboxEntry.id == entry_id)
                .values(
                    status=Status.PENDING, nonce=None, transaction_hash=None, error=reason, updated_at=self._clock()
                )
            )

    async def _update(self, *conditions: ColumnElement[bool], **values: Any) -> int:
        async with self._database.transaction() as connection:
            result = await connection.execute(
                update(OutboxEntry).where(*conditions).values(updated_at=self._clock(), **values)
            )
            return result.rowcount


_NOT_MINED: dict[str, Any] = {
    "status": Status.SENT,
    "is_final": False,
    "block_number": None,
    "block_hash": None,
    "gas_used": None,
    "fee_paid": None,
    "mined_at": None,
    "error": None,
}


def _columns() -> tuple[Any, ...]:
    return (
        OutboxEntry.id,
        OutboxEntry.kind,
        OutboxEntry.subject,
        OutboxEntry.to_address,
        OutboxEntry.data,
        OutboxEntry.value,
    )


def _call(row: Any) -> Call:
    return Call(row.to_address, row.data, row.value)
