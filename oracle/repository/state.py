"""How the oracle of a chain stands: when it last wrote everything, and whether it is paused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.db import ReadSession
from encore.db.models.oracle import OracleState
from oracle.repository.sql import insert_into


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when, and why."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class State:
    """`synced_at` is when all that differed was last queued."""

    synced_at: datetime | None = None
    pause: Pause | None = None


async def state_of(session: ReadSession, chain_id: int) -> State:
    """Return how the oracle of a chain stands."""
    row = await session.first(select(OracleState.__table__).where(OracleState.chain_id == chain_id))
    if row is None:
        return State()
    return State(row.synced_at, None if row.paused_at is None else Pause(row.paused_at, row.pause_reason))


async def save_synced(connection: AsyncConnection, chain_id: int, now: datetime) -> None:
    """Remember that all that differed was queued at `now`."""
    await _save(connection, chain_id, synced_at=now)


async def save_pause(connection: AsyncConnection, chain_id: int, pause: Pause | None) -> None:
    """Pause the oracle of a chain, or let it go on."""
    await _save(
        connection,
        chain_id,
        paused_at=None if pause is None else pause.since,
        pause_reason=None if pause is None else pause.reason,
    )


async def _save(connection: AsyncConnection, chain_id: int, **values: Any) -> None:
    statement = insert_into(connection, OracleState).values(chain_id=chain_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["chain_id"], set_=values))
