"""Brings the whole local system up in order: schema, chain, contracts, indexer, oracle, API."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final

import aiohttp

from encore.chain.local_node import chain_command, find_anvil
from encore.chain.rpc import RpcClient
from encore.db import migrate
from encore.settings import Settings
from encore.stack.anvil_state import AnvilState
from encore.stack.contracts import ensure_deployed
from encore.stack.ports import wait_until_listening
from encore.stack.preflight import PreflightError, check_compiler, check_ports
from encore.stack.supervisor import Service, Supervisor

POLL_SECONDS: Final = 0.1


@asynccontextmanager
async def local_system(settings: Settings, say: Callable[[str], None]) -> AsyncIterator[Supervisor]:
    """Start everything, yield the supervisor once the API is ready, and stop everything on leaving.

    Raises `EncoreError` when a part cannot be started.
    """
    check_compiler()
    check_ports(settings)
    migrate.upgrade(settings.database)
    say("[green]✓[/] database schema")
    supervisor = Supervisor(settings.data_dir / "logs", say)
    async with RpcClient(settings.endpoints, attempts=3) as rpc:
        following: asyncio.Task[None] | None = None
        try:
            if settings.runs_own_chain:
                following = await _start_chain(settings, supervisor, rpc, say)
            await _check_chain_id(settings, rpc)
            await ensure_deployed(settings, rpc, supervisor.log_path("deploy"), say)
            for name in ("indexer", "oracle", "api", "webhooks"):
                await supervisor.start(_encore_service(name))
                say(f"[green]✓[/] {name}")
            await supervisor.first_of(_api_ready(settings))
            yield supervisor
        finally:
            if following is not None:
                following.cancel()
                with suppress(asyncio.CancelledError):
                    await following
            await supervisor.stop()


async def _start_chain(
    settings: Settings, supervisor: Supervisor, rpc: RpcClient, say: Callable[[str], None]
) -> asyncio.Task[None] | None:
    """Start the chain, its state made whole first; returns the task that takes note of what it mines."""
    folder = settings.data_dir / "chain"
    state = AnvilState(folder) if find_anvil() else None

    async def restore() -> None:
        if state and (restored := await state.restore()):
            say(f"[yellow]put {restored} transactions back on the chain[/]")

    await restore()
    await supervisor.start(Service("chain", chain_command(settings.chain_port, folder), before_restart=restore))
    await supervisor.first_of(wait_until_listening(settings.chain_port))
    kind = "anvil" if state else "py-evm (slower; install Node.js and run `make env` for anvil)"
    say(f"[green]✓[/] chain: {kind}")
    return asyncio.create_task(state.follow(rpc)) if state else None


async def _check_chain_id(settings: Settings, rpc: RpcClient) -> None:
    chain_id = int(await rpc.call("eth_chainId"), 16)
    if chain_id != settings.chain.chain_id:
        raise PreflightError(
            f"{settings.endpoints[0]} is chain {chain_id}, but {settings.network} is chain {settings.chain.chain_id}"
        )


def _encore_service(name: str) -> Service:
    return Service(name, [sys.executable, "-m", "encore", name, "run"])


async def _api_ready(settings: Settings) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"http://{settings.api_host}:{settings.api_port}/readyz") as response:
                    if response.status == HTTPStatus.OK:
                        return
            await asyncio.sleep(POLL_SECONDS)
