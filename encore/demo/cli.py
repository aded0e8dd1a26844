"""`encore demo`: the whole loop on made-up listeners."""

import asyncio
import random
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from encore.chain.rpc import RpcClient
from encore.demo.listening import QUALIFYING_CREATORS, write_log
from encore.demo.system import Api, DemoError, launch_requirements, until
from encore.demo.trading import WALLET_INDEXES, Trader
from encore.errors import RpcUnavailableError
from encore.settings import Settings, load_settings

LAUNCHES_WITHIN_SECONDS: Final = 120.0
_ETHER: Final = Decimal(10) ** 18


@click.command()
@click.option("--rounds", type=click.IntRange(min=0), default=3, show_default=True, help="how often each wallet acts")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="of the made-up listeners and the wallets' choices"
)
def demo(rounds: int, seed: int) -> None:
    """Show the whole loop on made-up listeners: plays, launches, trades and stakes.

    Needs the running system (`encore up`). Imports a generated listening log, waits for the oracle to launch coins, and
    lets local wallets trade and stake them. Running it again goes on trading.
    """
    settings = load_settings()
    if not settings.chain.is_local:
        raise DemoError(f"`encore demo` is for the local network; ENCORE_NETWORK is {settings.network}")
    asyncio.run(_run(settings, rounds, seed, Console()))


async def _run(settings: Settings, rounds: int, seed: int, console: Console) -> None:
    async with Api(settings) as api, RpcClient(settings.endpoints, attempts=3) as rpc:
        await api.get("/coins")  # before anything is written: is everything up?
        try:
            log = await _listening_log(settings, rpc, seed)
        except RpcUnavailableError as error:
            raise DemoError(f"{error}; start everything with `encore up` in another terminal") from None
        console.print(f"[green]✓[/] listening log {log}")
        await _import(log)
        coins = await _launched(api, console)
        console.print(f"[green]✓[/] {len(coins)} coins launched")
        rng = random.Random()  # noqa: S311 - a choice of trades
        rng.seed(f"{seed}/{coins[0]['trade_count']}")  # another run makes other choices
        traders = [Trader(index, api, rpc, rng) for index in WALLET_INDEXES]
        for number in range(1, rounds + 1):
            await _round(number, rounds, traders, coins, console)
        console.print(_coins_table(await _coins(api), settings.chain.currency))
        console.print(
            _wallets_table(traders, [await trader.portfolio() for trader in traders], settings.chain.currency)
        )
        console.print(
            f"Next: see [bold]{api.url}/docs[/], follow [bold]curl -N {api.url}/api/v1/events[/] while "
            "[bold]encore demo[/] runs again, or bring your own log with [bold]encore import listens[/]."
        )


async def _listening_log(settings: Settings, rpc: RpcClient, seed: int) -> Path:
    requirements = await launch_requirements(settings, rpc)
    path = settings.data_dir / "demo" / f"listens-{seed}-{requirements.streams}-{requirements.followers}.csv"
    if not path.exists():
        await asyncio.to_thread(write_log, path, requirements, seed, datetime.now(UTC))
    return path


async def _import(log: Path) -> None:
    """Import `log` as anybody would: the import belongs to a package above this one."""
    command = [sys.executable, "-m", "encore", "import", "listens", str(log), "--format", "csv"]
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait() != 0:
        raise DemoError("the import of the made-up listening log failed, see above")


async def _launched(api: Api, console: Console) -> list[Any]:
    async def enough() -> list[Any] | None:
        coins = await _coins(api)
        return coins if len(coins) >= QUALIFYING_CREATORS else None

    with console.status("waiting for the oracle to launch coins …"):
        coins = await until(enough, LAUNCHES_WITHIN_SECONDS) or await _coins(api)
    if not coins:
        raise DemoError(f"no coin was launched within {LAUNCHES_WITHIN_SECONDS:.0f} s; ask `encore oracle status` why")
    return coins


async def _coins(api: Api) -> list[Any]:
    page = await api.get("/coins", sort="volume", limit="50")
    return [coin for coin in page["items"] if coin["price"] is not None]


async def _round(number: int, rounds: int, traders: list[Trader], coins: list[Any], console: Console) -> None:
    with console.status(f"round {number} of {rounds}: {len(traders)} wallets trade …"):
        outcomes = await asyncio.gather(*(trader.act(coins) for trader in traders))
    for done in outcomes:
        mark = "[green]✓[/]" if done.ok else "[yellow]-[/]"
        console.print(
            f"{mark} {_short(done.wallet)} {done.action:5} {done.coin:10} [dim]{done.note}[/]", highlight=False
        )


def _coins_table(coins: list[Any], currency: str) -> Table:
    table = Table(title="Coins")
    for column in ("coin", "creator", f"price ({currency})", f"24 h volume ({currency})", "holders", "trades"):
        table.add_column(column, justify="left" if column in {"coin", "creator"} else "right")
    for coin in coins:
        table.add_row(
            coin["symbol"],
            coin["creator"]["name"] or coin["creator"]["wallet"],
            _ether(coin["price"], 9),
            _ether(coin["volume_24h"], 4),
            str(coin["holder_count"]),
            str(coin["trade_count"]),
        )
    return table


def _wallets_table(traders: list[Trader], portfolios: list[Any], currency: str) -> Table:
    table = Table(title="Wallets")
    for column in ("wallet", "holdings", "staked", f"worth ({currency})"):
        table.add_column(column, justify="right" if column.startswith("worth") else "left", overflow="fold")
    for trader, portfolio in zip(traders, portfolios, strict=True):
        table.add_row(
            f"{trader.index} {_short(trader.address)}",
            _amounts(portfolio["holdings"]),
            _amounts(portfolio["stakes"]),
            _ether(portfolio["totals"]["total"], 4),
        )
    return table


def _amounts(positions: list[Any]) -> str:
    return "\n".join(f"{_ether(position['amount'], 0)} {position['coin']['symbol']}" for position in positions)


def _short(address: str) -> str:
    return f"{address[:6]}…{address[-4:]}"


def _ether(wei: str, decimals: int) -> str:
    return f"{Decimal(wei) / _ETHER:,.{decimals}f}"
