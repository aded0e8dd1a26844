"""What requests are given: the process's resources, a snapshot of the database, and the block it is of."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request, Response

from api.mirror.service import MirrorView, Tip
from api.realtime import Hub
from encore.chain.deployments import Deployment, load_deployment
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.settings import Settings

Clock = Callable[[], float]
"""Returns the time in unix seconds."""

RPC_TIMEOUT_SECONDS = 5.0
RPC_ATTEMPTS = 2


@dataclass
class Resources:
    """What one API process holds open."""

    settings: Settings
    clock: Clock
    database: Database
    rpc: RpcClient
    hub: Hub = field(default_factory=Hub)

    @classmethod
    def open(cls, settings: Settings, clock: Clock) -> "Resources":
        """Build the clients; they connect when they are first used.

        Raises `SettingsError` where the network needs settings that are missing.
        """
        settings.check_for_api()
        return cls(
            settings,
            clock,
            Database(settings.database),
            RpcClient(settings.endpoints, timeout_seconds=RPC_TIMEOUT_SECONDS, attempts=RPC_ATTEMPTS),
        )

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
            yield MirrorView(session, await Tip.load(session, self.settings.chain.chain_id))

    async def close(self) -> None:
        """Close the clients."""
        await self.rpc.close()
        await self.database.close()


async def resources(request: Request) -> Resources:
    """Return the process's resources."""
    held: Resources = request.app.state.resources
    return held


ResourcesDep = Annotated[Resources, Depends(resources)]


async def mirror_view(held: ResourcesDep, response: Response) -> AsyncIterator[MirrorView]:
    """Open one state of the mirror for the request, and say in the response's headers which block it is of."""
    async with held.view() as view:
        response.headers.update(view.tip.headers())
        yield view


ViewDep = Annotated[MirrorView, Depends(mirror_view, scope="function")]
