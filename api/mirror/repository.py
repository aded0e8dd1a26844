"""SQL: how far the mirror has got."""

from functools import cache

from sqlalchemy import Executable, bindparam, select

from encore.db import ReadSession, Row
from encore.db.models.chain import Checkpoint


async def checkpoint(session: ReadSession, chain_id: int) -> Row | None:
    """Return the last block that is wholly in the mirror."""
    return await session.first(_checkpoint(), {"chain_id": chain_id})


@cache
def _checkpoint() -> Executable:
    columns = (Checkpoint.block_number, Checkpoint.block_hash, Checkpoint.timestamp)
    return select(*columns).where(Checkpoint.chain_id == bindparam("chain_id"))
