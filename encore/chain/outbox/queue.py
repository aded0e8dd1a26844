"""Queueing intended transactions, in the database transaction of whatever decided on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.db.models.outbox import OutboxEntry


class Status(StrEnum):
    """How far an outbox entry has got; see `OutboxEntry`."""

    PENDING = "pending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction that must reach the chain once. Addresses lower case, `data` as 0x hex, `value` in wei.

    `idempotency_key` names the intention: queueing the same key again changes nothing.
    """

    idempotency_key: str
    kind: str
    subject: str
    chain_id: int
    sender: str
    to: str
    data: str
    value: int = 0


async def enqueue(connection: AsyncConnection, intents: Sequence[Intent], now: datetime) -> list[int]:
    """Store `intents` as pending, in order, and return their outbox ids (those of earlier rows for known keys)."""
    if not intents:
        return []
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    await connection.execute(
        insert(OutboxEntry).on_conflict_do_nothing(index_elements=["idempotency_key"]),
        [
            {
                "idempotency_key": intent.idempotency_key,
                "kind": intent.kind,
                "subject": intent.subject,
                "chain_id": intent.chain_id,
                "sender": intent.sender,
                "to_address": intent.to,
                "data": intent.data,
                "value": intent.value,
                "status": Status.PENDING,
                "is_final": False,
                "attempts": 0,
                "created_at": now,
                "updated_at": now,
            }
            for intent in intents
        ],
    )
    rows = await connection.execute(
        select(OutboxEntry.idempotency_key, OutboxEntry.id).where(
            OutboxEntry.idempotency_key.in_([intent.idempotency_key for intent in intents])
        )
    )
    ids = {row.idempotency_key: row.id for row in rows}
    return [ids[intent.idempotency_key] for intent in intents]
