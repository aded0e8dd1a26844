"""SQL: how far the mirror has got."""

from typing import Any

from sqlalchemy import Row, select

from encore.db import ReadSession
from encore.db.models.chain import Checkpoint


async def checkpoint(session: ReadSession, chain_id: int) -> Row[Any] | None:
    """Return the last block that is wholly in the mirror."""
    return await session.first(
        select(Checkpoint.block_number, Checkpoint.block_hash, Checkpoint.timestamp).where(
            Checkpoint.chain_id == chain_id
        )
    )
