"""`encore indexer`: run it, see how far it is, check it against the chain, take it back."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import click
import structlog
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.exc import InterfaceError, OperationalError

from encore.chain.deployments import Deployment, load_abi, load_deployment
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.migrate import check_schema
from encore.db.models.chain import ChainEvent, Checkpoint, Token, Trade
from encore.errors import DatabaseError, DeploymentError, EncoreError, RpcUnavailableError
from encore.monitor import Listener, monitored
from encore.settings import Settings, load_settings
from encore.telemetry import configure_telemetry
from indexer.errors import InconsistentNodeError, MirrorError
from indexer.heads import HeadSignal, poll_seconds
from indexer.lock import writer_lock
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from indexer.telemetry import Telemetry
from indexer.verify import Difference, verify_mirror

WAIT_SECONDS = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What every command works with."""

    settings: Settings
    rpc: RpcClient
    database: Database
    registry: Registry
    source: Source
    mirror: Mirror
    telemetry: Telemetry


@click.group()
def indexer() -> None:
    """Mirror the contracts' events into SQL."""


@indexer.command()
def run() -> None:
    """Follow the chain until stopped, starting where the last run stopped."""
    _execute(lambda parts: _until_stopped(_follow_chain(parts)))


@indexer.command()
@click.option(
    "--from",
    "first",
    type=click.IntRange(min=0),
    help="The first block that must be in the mirror; default: that of the deployment.",
)
@click.option("--to", "last", type=click.IntRange(min=0), required=True, help="The last block to index.")
def backfill(first: int | None, last: int) -> None:
    """Index up to a block and stop; `run` goes on from there.

    The mirror has no gaps, for its rows follow from all events before them: a first block beyond the one that comes
    next is refused, and blocks that are indexed already are not indexed again.
    """
    _execute(lambda parts: _until_stopped(_fill(parts, first, last)))


@indexer.command()
def status() -> None:
    """Show how far the mirror is and what it holds."""
    _execute(_show_status)


@indexer.command()
def verify() -> None:
    """Compare balances, supplies, reserves, stakes and fees with the contracts at the indexed block.

    Exits with 1 and lists the differences when there are any.
    """
    _execute(_show_differences)


@indexer.command()
@click.option("--to-block", type=click.IntRange(min=0), required=True, help="The last block to keep.")
def rewind(to_block: int) -> None:
    """Undo the mirrored blocks above a block that is not below finality; `run` then indexes them again."""

    async def work(parts: Parts) -> None:
        async with writer_lock(parts.database):
            await _open(parts, load_deployment(parts.settings.deployment_path))
            events = await parts.mirror.rewind(to_block)
        click.echo(f"the mirror is at block {to_block}; {events} events undone")

    _execute(work)


def _execute(work: Callable[[Parts], Awaitable[None]]) -> None:
    settings = load_settings()
    configure_telemetry(settings, "indexer")

    async def execute() -> None:
        check_schema(settings.database)
        database = Database(settings.database)
        registry = Registry(all_contracts(), load_abi)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            telemetry = Telemetry()
            rpc = await stack.enter_async_context(
                RpcClient(
                    settings.endpoints,
                    calls_per_second=settings.indexer_calls_per_second,
                    observer=telemetry.requested,
                )
            )
            source = Source(rpc, settings.chain, registry.topics)
            mirror = Mirror(database, registry, settings.chain.chain_id)
            await work(Parts(settings, rpc, database, registry, source, mirror, telemetry))

    asyncio.run(execute())


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Work until SIGTERM or SIGINT; what is being written is finished, what is being prepared is dropped."""
    loop = asyncio.get_running_loop()
    working = asyncio.create_task(work)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        _log.info("indexer stopped")
    except (OperationalError, InterfaceError) as error:
        raise DatabaseError(f"the database failed, nothing of the last range was written: {error.orig}") from error


async def _follow_chain(parts: Parts) -> None:
    async with _opened(parts) as following, _heads(parts) as heads:
        await following.run(heads)


async def _fill(parts: Parts, first: int | None, last: int) -> None:
    async with _opened(parts) as filling, _heads(parts) as heads:
        goes_on_at = filling.position.number + 1
        if first is not None and first > goes_on_at:
            raise MirrorError(f"the mirror goes on at block {goes_on_at}: --from {first} would leave out blocks")
        newest = (await parts.source.head()).header.number
        if last > newest:
            raise MirrorError(f"the chain is at block {newest}: --to {last} is not there yet")
        await filling.run(heads, last)
        click.echo(f"the mirror is at block {filling.position.number}")


@asynccontextmanager
async def _opened(parts: Parts) -> AsyncIterator[Indexer]:
    """The indexer, alone on its database and watched."""
    settings = parts.settings
    listener = Listener(
        settings.indexer_metrics_host, settings.indexer_metrics_port, setting="ENCORE_INDEXER_METRICS_PORT"
    )
    async with (
        monitored(parts.telemetry.exposition, partial(parts.telemetry.unready, settings.chain), listener),
        writer_lock(parts.database),
    ):
        opened = await _wait_and_open(parts)
        _log.info("indexer started", block=parts.mirror.position.number, contracts=len(parts.mirror.followed))
        yield opened


def _heads(parts: Parts) -> HeadSignal:
    return HeadSignal(parts.settings.endpoints[0], poll_seconds=poll_seconds(parts.settings.chain.block_seconds))


async def _open(parts: Parts, deployment: Deployment) -> Indexer:
    opened = Indexer(parts.source, parts.mirror, parts.registry, parts.telemetry)
    await opened.open(deployment)
    followed = set(parts.registry.deployed_in(deployment).values())
    if missing := [name for name in parts.registry.deployed_contracts if name not in followed]:
        _log.warning("not followed, for the deployment registry does not have them", contracts=missing)
    return opened


async def _wait_and_open(parts: Parts) -> Indexer:
    """Open the indexer once the deployment's file is there and the node serves its chain, saying what is waited for."""
    path = parts.settings.deployment_path
    waiting_for = ""
    while True:
        try:
            if path.exists():
                deployment = load_deployment(path)
                await _check_chain(parts, deployment)
                return await _open(parts, deployment)
            missing = f"a deployment at {path}"
        except (RpcUnavailableError, InconsistentNodeError) as error:
            missing = f"the chain: {error}"
        if missing != waiting_for:
            _log.info("waiting", for_=missing)
            waiting_for = missing
        await asyncio.sleep(WAIT_SECONDS)


async def _check_chain(parts: Parts, deployment: Deployment) -> None:
    served = await parts.source.chain_id()
    expected = parts.settings.chain.chain_id
    if served != expected:
        raise DeploymentError(f"the node serves chain id {served}, but {parts.settings.network} is {expected}")
    if deployment.chain_id != expected:
        raise DeploymentError(
            f"{parts.settings.deployment_path} is of chain id {deployment.chain_id}, "
            f"but {parts.settings.network} is {expected}"
        )
    for name in parts.registry.deployed_in(deployment):
        if not await parts.source.has_code(deployment.address(name)):
            raise DeploymentError(
                f"there is no {name} at {deployment.address(name)}: {parts.settings.deployment_path} is of an earlier "
                "chain; run `make reset` or deploy again"
            )


async def _show_status(parts: Parts) -> None:
    async with parts.database.read() as session:
        checkpoint = await session.first(select(Checkpoint.__table__))
        if checkpoint is None:
            raise EncoreError("nothing is indexed yet; run `encore indexer run`")
        counts = {
            table.__tablename__: await session.scalar(select(func.count()).select_from(table))
            for table in (ChainEvent, Token, Trade)
        }
    table = Table(title="Indexer", show_header=False)
    table.add_row("chain id", str(checkpoint.chain_id))
    table.add_row("indexed block", f"{checkpoint.block_number} {checkpoint.block_hash}")
    try:
        head = (await parts.source.head()).header.number
    except RpcUnavailableError:
        table.add_row("chain head", "the node does not answer")
    else:
        table.add_row("chain head", f"{head}, {head - checkpoint.block_number} blocks ahead")
    table.add_row("finalized block", str(checkpoint.finalized_block))
    for name, count in counts.items():
        table.add_row(name.replace("_", " "), str(count))
    Console().print(table)


async def _show_differences(parts: Parts) -> None:
    report = await verify_mirror(parts.database, parts.rpc)
    if not report.differences:
        click.echo(f"block {report.block_number}: {report.compared} values equal the chain's")
        return
    table = Table("what", "mirror", "chain", title=f"Differences at block {report.block_number}")
    for difference in report.differences:
        table.add_row(*_cells(difference))
    Console().print(table)
    raise EncoreError(f"{len(report.differences)} of {report.compared} values differ from the chain's")


def _cells(difference: Difference) -> tuple[str, str, str]:
    return difference.what, str(difference.mirrored), str(difference.on_chain)
