"""`encore up` and `encore reset`."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from encore.chain.local_node import FUNDED_ACCOUNTS, FUNDS_IN_COINS
from encore.chain.networks import LOCAL_MNEMONIC
from encore.db import migrate
from encore.errors import SettingsError
from encore.settings import ORACLE_ACCOUNT_INDEX, Settings, load_settings, local_account_address
from encore.stack.local import local_system
from encore.stack.preflight import only_one, tool_path

OWNED_BY_THE_STACK: Final = ("chain", "deployments", "logs", "demo", "encore.db", "encore.db-wal", "encore.db-shm")
"""What the local system keeps in its data folder, and `encore reset` removes."""


@click.command()
@click.option("--api-port", type=int, help="Port of the API (ENCORE_API_PORT, 8000).")
@click.option("--chain-port", type=int, help="Port of the local chain (ENCORE_CHAIN_PORT, 8545).")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where chain and database live (ENCORE_DATA_DIR).")
@click.option("--database-url", help="sqlite:///… or postgresql://… (ENCORE_DATABASE_URL).")
@click.option("--demo", is_flag=True, help="Run `encore demo` once everything is up.")
def up(
    *, api_port: int | None, chain_port: int | None, data_dir: Path | None, database_url: str | None, demo: bool
) -> None:
    """Start the whole system here: chain, contracts, indexer, oracle and API; Ctrl-C stops all of it.

    Everything is kept in one data folder, and the next `encore up` goes on from there; `encore reset` empties it.
    A process that dies is started again.
    """
    flags = {"API_PORT": api_port, "CHAIN_PORT": chain_port, "DATA_DIR": data_dir, "DATABASE_URL": database_url}
    os.environ.update({f"ENCORE_{name}": str(value) for name, value in flags.items() if value is not None})
    settings = load_settings()
    os.environ["PATH"] = tool_path()
    with only_one(settings.data_dir):
        asyncio.run(_run(settings, demo=demo))


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(*, yes: bool) -> None:
    """Empty the data folder and the database of the local system, to start over from block 0."""
    settings = load_settings()
    if not settings.chain.is_local:
        raise SettingsError(f"`encore reset` is for the local network; ENCORE_NETWORK is {settings.network}")
    console = Console()
    database = "" if settings.database.startswith("sqlite") else f" and every table of {settings.database_name}"
    console.print(f"This removes the local chain, its deployments and its logs from {settings.data_dir}{database}.")
    if not yes:
        click.confirm("Go on?", abort=True)
    with only_one(settings.data_dir):
        if database:
            migrate.upgrade(settings.database)
            migrate.downgrade(settings.database, "base")
        for name in OWNED_BY_THE_STACK:
            path = settings.data_dir / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    console.print("done; `make up` starts afresh")


async def _run(settings: Settings, *, demo: bool) -> None:
    console = Console()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    starting = asyncio.create_task(_supervise(settings, console, demo=demo))
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({starting, stop}, return_when=asyncio.FIRST_COMPLETED)
    if stop.done():
        console.print("\nstopping …")
        starting.cancel()
    stop.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        console.print("stopped; `make up` goes on from here")


async def _supervise(settings: Settings, console: Console, *, demo: bool) -> None:
    async with local_system(settings, console.print) as supervisor:
        console.print(_welcome(settings))
        if demo:
            await asyncio.create_subprocess_exec(sys.executable, "-m", "encore", "demo")
        await supervisor.wait()


def _welcome(settings: Settings) -> Panel:
    api = f"http://{settings.api_host}:{settings.api_port}"
    command = Path(sys.executable).with_name("encore")
    shown = command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command
    table = Table.grid(padding=(0, 2))
    table.add_row("[bold]API[/]", api)
    table.add_row("[bold]Documentation[/]", f"{api}/docs")
    table.add_row("[bold]Live events[/]", f"{api}/api/v1/events")
    table.add_row("[bold]Chain[/]", f"{settings.endpoints[0]} (chain id {settings.chain.chain_id})")
    table.add_row("[bold]Data[/]", f"{settings.data_dir}")
    table.add_row("[bold]Database[/]", settings.database_name)
    if settings.runs_own_chain:
        table.add_row(
            "[bold]Accounts[/]",
            f"{FUNDED_ACCOUNTS}, with {FUNDS_IN_COINS:,} {settings.chain.currency} each, of the mnemonic",
        )
        table.add_row("", f"[dim]{LOCAL_MNEMONIC}[/]")
        for index in range(FUNDED_ACCOUNTS):
            role = {0: "owner", ORACLE_ACCOUNT_INDEX: "oracle"}.get(index, "yours")
            table.add_row(f"[dim]{index} {role}[/]", local_account_address(index))
    table.add_row("[bold]Try next[/]", f"{shown} demo")
    table.add_row("", f"{shown} import listens PATH --format lastfm")
    table.add_row("", f"curl {api}/api/v1/coins")
    table.add_row("[dim]Stop[/]", "[dim]Ctrl-C; `make up` goes on from here, `make reset` starts over[/]")
    return Panel(table, title="Encore is up", border_style="green", expand=False)
