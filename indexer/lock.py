"""One writer per mirror."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import make_url

from encore.db import Database
from encore.db.lock import process_lock
from indexer.errors import AlreadyRunningError

WAIT_SECONDS: Final = 5.0
"""How long to wait for a writer that is just ending: a killed one's server side may be finishing its statement."""
RETRY_SECONDS: Final = 0.1


@asynccontextmanager
async def writer_lock(database: Database, *, wait_seconds: float = WAIT_SECONDS) -> AsyncIterator[None]:
    """Hold the right to write the mirror; raises `AlreadyRunningError` when another has it and keeps it."""
    lock = process_lock(database, "indexer")
    try:
        for _ in range(round(wait_seconds / RETRY_SECONDS)):
            if await lock.try_take():
                break
            await asyncio.sleep(RETRY_SECONDS)
        else:
            shown = make_url(database.url).render_as_string(hide_password=True)
            raise AlreadyRunningError(f"another indexer is writing to {shown}; stop it first")
        yield
    finally:
        await lock.release()
