"""SQL: how far the mirror has got."""

from functools import cache
from typing import Any

from sqlalchemy import Executable, Row, bindparam, select

from encore.db import ReadSession
from encore.db.models.chain import Checkpoint


async def checkpoint(session: ReadSession, chain_id: int) -> Row[Any] | None:
    """Return the last block that is wholly in the mirror."""
    return await session.first(_checkpoint(), {"chain_id": chain_id})


@cache
def _checkpoint() -> Executable:
    columns = (Checkpoint.block_number, Checkpoint.block_hash, Checkpoint.timestamp)
    return select(*columns).where(Checkpoint.chain_id == bindparam("chain_id"))
