"""What operators are shown: `oracle status` and `oracle diff`."""

from typing import Final

from eth_utils.address import to_checksum_address
from rich.console import Console
from rich.table import Table

from encore.chain.networks import Network
from encore.db import Database
from oracle.assembly import Oracle, utc_now
from oracle.leader import leadership_if_free
from oracle.metrics import Metrics, metrics_of
from oracle.milestones import MILESTONES
from oracle.repository import activity, creators, overview
from oracle.repository.creators import Comparison

FAILURES_SHOWN: Final = 5
WEI_PER_COIN: Final = 10**18

_FIGURES: Final = ("monthly_streams", "followers", "monthly_revenue", "engagement_score")


async def show_status(oracle: Oracle) -> None:
    """Print the key, what it may do and spend, what was counted and what the outbox holds."""
    network = oracle.settings.chain
    async with leadership_if_free(oracle.database, network.chain_id) as is_free:
        running = "no" if is_free else "yes"
    async with oracle.database.read() as session:
        counted = await overview.counted(session)
        outbox = await overview.outbox(session, network.chain_id, oracle.signer.address)
        failures = await overview.last_failures(session, network.chain_id, oracle.signer.address, FAILURES_SHOWN)
    state = await oracle.state()
    balance = await oracle.balance()
    outlook = await oracle.distributor.outlook()
    is_oracle = await oracle.contracts.is_oracle(oracle.signer.address)
    is_launcher = await oracle.contracts.is_launcher(oracle.signer.address)
    table = Table(title=f"Oracle on {network.name}", show_header=False)
    for name, value in (
        ("key", to_checksum_address(oracle.signer.address)),
        ("running", running),
        (
            "paused",
            "no" if state.pause is None else f"since {state.pause.since:%Y-%m-%d %H:%M} UTC: {state.pause.reason}",
        ),
        ("authorised oracle", "yes" if is_oracle else "no: run `ape run grant_oracle`"),
        ("may launch coins", "yes" if is_launcher else "no"),
        ("balance", coins(balance, network)),
        *await _gas_rows(oracle),
        (
            "next distribution",
            f"{outlook.due_at:%Y-%m-%d}: {coins(outlook.amount, network)} of {outlook.creators} creators so far",
        ),
        ("last full sync", "never" if state.synced_at is None else state.synced_at.isoformat(" ", "seconds")),
        ("creators counted", str(counted.creators)),
        (
            "figures last changed",
            "never" if counted.changed_at is None else counted.changed_at.isoformat(" ", "seconds"),
        ),
        *((f"transactions {status}", str(count)) for status, count in outbox.items()),
    ):
        table.add_row(name, value)
    console = Console()
    console.print(table)
    if failures:
        console.print(_failures_table(failures))


async def _gas_rows(oracle: Oracle) -> list[tuple[str, str]]:
    network = oracle.settings.chain
    outlook = await oracle.gas_prices.outlook()
    spending = await oracle.outbox.spending()
    daily = oracle.gas_budget.daily
    limit = (
        "no limit"
        if daily is None
        else f"of {coins(daily, network)}, {coins(oracle.gas_budget.reserve, network)} of it for launches"
    )
    usual = "" if outlook.typical is None else f", usually {outlook.typical}"
    return [
        ("gas price", f"{outlook.price} wei{usual}{', dear' if outlook.is_dear else ''}"),
        ("gas spent today", f"{coins(spending.paid, network)} {limit}"),
        ("gas committed", f"{coins(spending.committed, network)} at most, by what is on its way"),
    ]


async def show_differences(database: Database) -> bool:
    """Print where counted figures and those on chain differ; returns whether they do anywhere."""
    async with database.snapshot() as session:
        found = await activity.activity(session, utc_now())
        counted = {creator_id: metrics_of(activity) for creator_id, activity in found.items()}
        compared = await creators.comparisons(session, counted, MILESTONES[0])
    different = [comparison for comparison in compared if comparison.counted != comparison.on_chain]
    console = Console()
    if not different:
        console.print(f"equal: off-chain and on-chain figures of {len(compared)} creators")
        return False
    table = Table(title=f"{len(different)} of {len(compared)} creators differ: counted → on chain")
    for heading in ("creator", "wallet", "streams", "followers", "revenue (wei)", "score (bps)", "last report"):
        table.add_column(heading)
    for comparison in different:
        name = f"{comparison.name} ({comparison.creator_id})"
        table.add_row(name, comparison.wallet, *_cells(comparison), comparison.state)
    console.print(table)
    return True


def _cells(comparison: Comparison) -> list[str]:
    return [_cell(getattr(comparison.counted, name), _figure(comparison.on_chain, name)) for name in _FIGURES]


def _figure(metrics: Metrics | None, name: str) -> int | None:
    return None if metrics is None else getattr(metrics, name)


def _cell(counted: int, on_chain: int | None) -> str:
    if counted == on_chain:
        return str(counted)
    return f"[red]{counted} → {'nothing' if on_chain is None else on_chain}[/]"


def _failures_table(failures: list[overview.Failure]) -> Table:
    table = Table(title="last failures")
    for heading in ("outbox id", "kind", "subject", "reason"):
        table.add_column(heading)
    for failure in failures:
        table.add_row(str(failure.outbox_id), failure.kind, failure.subject, failure.reason)
    return table


def coins(wei: int, network: Network) -> str:
    """Write wei as native coins, exactly."""
    return f"{wei // WEI_PER_COIN}.{wei % WEI_PER_COIN:018d} {network.currency}"
