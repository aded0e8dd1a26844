"""The oracle and the mirror running by themselves, as they do in production."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from encore.errors import DatabaseError
from indexer.heads import HeadSignal
from oracle.errors import NotAuthorisedError
from oracle.jobs import Jobs
from oracle.leader import leadership
from tests.oracle.conftest import LOCAL, Loop


@asynccontextmanager
async def running(loop: Loop) -> AsyncIterator[asyncio.Task[None]]:
    """Run the oracle and the mirror in the background."""
    async with leadership(loop.database, LOCAL.chain_id) as lock, mirroring(loop):
        oracle = asyncio.create_task(Jobs(loop.restarted_oracle(), lock).run())
        try:
            yield oracle
        finally:
            oracle.cancel()
            with suppress(asyncio.CancelledError, NotAuthorisedError, DatabaseError):
                await oracle


@asynccontextmanager
async def mirroring(loop: Loop) -> AsyncIterator[None]:
    """Run the mirror alone in the background."""
    heads = HeadSignal(loop.settings.rpc_urls[0], poll_seconds=0.05)
    task = asyncio.create_task(loop.indexer.run(heads))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
