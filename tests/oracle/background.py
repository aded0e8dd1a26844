"""The oracle and the mirror running by themselves, as they do in production."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from encore.errors import DatabaseError, RpcError, RpcUnavailableError
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
    task = asyncio.create_task(_mirror_for_ever(loop))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _mirror_for_ever(loop: Loop) -> None:
    while True:
        with suppress(RpcError, RpcUnavailableError):
            await loop.indexer.catch_up()
        await asyncio.sleep(0.05)
