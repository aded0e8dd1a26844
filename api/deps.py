"""What requests are given: the process's resources, a snapshot of the database, and the block it is of."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from api.limits import Limiter, limiter
from api.mirror.figures import BlockFigures
from api.mirror.follower import TipFollower
from api.mirror.service import BlockNotIndexedError, MirrorView, Tip
from api.realtime import Hub
from api.telemetry import Telemetry
from api.wire import INT64_MAX
from encore.chain.deployments import Deployment, load_deployment
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.settings import Settings

Clock = Callable[[], float]
"""Returns the time in unix seconds."""

RPC_TIMEOUT_SECONDS = 5.0
RPC_ATTEMPTS = 2
BLOCK_WAIT_SECONDS = 5.0
"""How long a request waits for the block that it asks for: an indexer that runs needs far less."""
FARTHEST_BLOCK = 10_000
"""A block that is farther ahead of the mirror does not come while a request waits."""


@dataclass
class Resources:
    """What one API process holds open."""

    settings: Settings
    clock: Clock
    database: Database
    rpc: RpcClient
    follower: TipFollower
    limiter: Limiter
    telemetry: Telemetry
    hub: Hub = field(default_factory=Hub)
    figures: BlockFigures = field(default_factory=BlockFigures)
    block_wait_seconds: float = BLOCK_WAIT_SECONDS

    @classmethod
    def open(cls, settings: Settings, clock: Clock) -> "Resources":
        """Build the clients; they connect when they are first used.

        Raises `SettingsError` where the network needs settings that are missing.
        """
        settings.check_for_api()
        database = Database(settings.database)
        telemetry = Telemetry()
        opened = cls(
            settings,
            clock,
            database,
            RpcClient(
                settings.endpoints,
                timeout_seconds=RPC_TIMEOUT_SECONDS,
                attempts=RPC_ATTEMPTS,
                observer=telemetry.requested,
            ),
            TipFollower(database, settings.chain.chain_id),
            limiter(settings.redis_url),
            telemetry,
        )
        telemetry.watch(opened.follower, opened.hub)
        return opened

    @cached_property
    def deployment(self) -> Deployment:
        """Where the contracts are; raises `DeploymentError` until they are deployed."""
        return load_deployment(self.settings.deployment_path)

    @property
    def exchange(self) -> str:
        """The exchange's address in lower case."""
        return self.deployment.address("IntegratedCreatorDEX").lower()

    @asynccontextmanager
    async def view(self) -> AsyncIterator[MirrorView]:
        """Open one committed state of the mirror; raises `MirrorEmptyError` before the first block."""
        async with self.database.snapshot() as session:
            tip = await Tip.load(session, self.settings.chain.chain_id)
            yield MirrorView(session, tip, self.figures)

    async def close(self) -> None:
        """Close the clients."""
        await self.rpc.close()
        await self.limiter.close()
        await self.database.close()


async def resources(request: Request) -> Resources:
    """Return the process's resources."""
    held: Resources = request.app.state.resources
    return held


ResourcesDep = Annotated[Resources, Depends(resources)]


async def awaited_block(
    held: ResourcesDep,
    min_block: Annotated[
        int | None,
        Query(ge=0, le=INT64_MAX, description="wait until this block is indexed: to read what one has just written"),
    ] = None,
) -> None:
    """Wait, not for long, until the block is indexed that the request asks for; raises `BlockNotIndexedError`."""
    if min_block is None:
        return
    tip = held.follower.tip
    is_far = tip is not None and min_block > tip.number + FARTHEST_BLOCK
    if is_far or not await held.follower.reaches(min_block, held.block_wait_seconds):
        raise BlockNotIndexedError(f"block {min_block} is not indexed yet; ask again in a moment")


BlockDep = Annotated[None, Depends(awaited_block)]


async def mirror_view(held: ResourcesDep, response: Response, _block: BlockDep) -> AsyncIterator[MirrorView]:
    """Open one state of the mirror for the request, and say in the response's headers which block it is of."""
    async with held.view() as view:
        response.headers.update(view.tip.headers())
        yield view


ViewDep = Annotated[MirrorView, Depends(mirror_view, scope="function")]
