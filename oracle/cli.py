"""`encore oracle`: run it, sync by hand, see how it stands, compare its figures with the chain's, pause it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import click
import structlog
from eth_utils.address import is_address

from encore.chain.deployments import load_deployment
from encore.chain.keys import key_from_keystore, keystore_path, read_passphrase
from encore.chain.outbox import Signer
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.migrate import check_schema
from encore.monitor import Listener, monitored
from encore.settings import Settings, load_settings, local_account_key
from encore.telemetry import configure_telemetry
from oracle import reports
from oracle.assembly import Oracle, assemble, utc_now, wait_until_ready
from oracle.dry_run import show_due
from oracle.errors import RotationError, UnknownCreatorError
from oracle.jobs import Jobs
from oracle.leader import leadership, leadership_if_free
from oracle.repository import creators, state
from oracle.repository.state import Pause
from oracle.rotation import Rotation
from oracle.telemetry import Telemetry

POLL_SECONDS = 0.2
SECONDS_PER_HOUR = 3_600

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What every command works with."""

    settings: Settings
    database: Database
    rpc: RpcClient
    telemetry: Telemetry

    def oracle(self) -> Oracle:
        """Build an oracle without waiting for anything; raises `DeploymentError` where there is no deployment."""
        return assemble(self.settings, self.database, self.rpc, load_deployment(self.settings.deployment_path))


@click.group()
def oracle() -> None:
    r"""Carry creators' activity to the chain, and launch their coins.

    \b
    Each creator's plays, followers and revenue of the last 30 days are counted and written to
    CreatorMetricsManager: hourly, and at once when a milestone is crossed. When the chain says that
    the launch requirements are met, the coin is launched. docs/oracle.md has the formulas.
    """


@oracle.command()
def run() -> None:
    """Run the oracle until stopped.

    Waits for the database, the chain, the contracts and the indexer's mirror. Where several run on one database, one
    leads and the others stand by. The key is ENCORE_ORACLE_PRIVATE_KEY; on the local chain a development key will do.
    """
    _execute(_run)


@oracle.command()
@click.option("--creator", metavar="SLUG_OR_ID", help="Sync this creator alone.")
@click.option("--dry-run", is_flag=True, help="Show what is due and what it would cost, and queue nothing.")
def sync(creator: str | None, *, dry_run: bool) -> None:
    """Count now, write every figure that differs from the chain's, and wait until it is mined.

    Sends by itself where no `encore oracle run` does; else leaves that to it. Refused while the oracle is paused.

    With --dry-run it counts, then lists each transaction that is due with the gas that it takes and what that costs
    now: figures, and unless one creator is named also the launches, releases and distributions that
    `encore oracle run` would send.
    """

    async def work(parts: Parts) -> None:
        await _sync(parts, creator, dry_run=dry_run)

    _execute(work)


@oracle.command()
def status() -> None:
    """Show the key's balance and role, what was counted, and how the outbox stands."""

    async def work(parts: Parts) -> None:
        await reports.show_status(parts.oracle())

    _execute(work)


@oracle.command()
def diff() -> None:
    """Compare the figures counted now with those on chain, for every creator that belongs there.

    Creators belong on chain when they have a wallet and 1 000 monthly streams, or once they were written. Exits with
    1 and lists the differences when there are any. Between hourly syncs new activity is a difference; right after
    one, nothing is.
    """

    async def work(parts: Parts) -> None:
        if await reports.show_differences(parts.database):
            raise click.exceptions.Exit(1)

    _execute(work)


@oracle.command()
@click.option("--reason", required=True, help="Why, for whoever reads `encore oracle status`.")
def pause(reason: str) -> None:
    """Stop writing to the chain, at once and until `encore oracle resume`, through restarts too.

    Nothing is queued and nothing that waits is signed; what is signed already is seen through, for it may be mined
    whatever we do. `encore oracle run` goes on, and takes up its work by itself.
    """

    async def work(parts: Parts) -> None:
        async with parts.database.transaction() as connection:
            await state.save_pause(connection, parts.settings.chain.chain_id, Pause(utc_now(), reason))
        click.echo("paused; `encore oracle resume` lets it go on")

    _execute(work)


@oracle.command()
def resume() -> None:
    """Let a paused oracle go on.

    It counts everything anew, and writes what differs by then.
    """

    async def work(parts: Parts) -> None:
        async with parts.database.transaction() as connection:
            await state.save_pause(connection, parts.settings.chain.chain_id, None)
        click.echo("the oracle goes on")

    _execute(work)


@oracle.command("rotate-key")
@click.option("--from", "old", metavar="ADDRESS", required=True, help="The key that goes, by its address.")
@click.option(
    "--owner",
    metavar="KEYSTORE",
    help="Keystore, or alias of the Ape account, of the contracts' owner; optional locally.",
)
@click.option(
    "--owner-passphrase-file",
    type=click.Path(path_type=Path),
    help="The file whose first line is its passphrase; else you are asked.",
)
@click.option("--leaked", is_flag=True, help="Revoke the old key before all else: somebody else may have it.")
def rotate_key(old: str, owner: str | None, owner_passphrase_file: Path | None, *, leaked: bool) -> None:
    r"""Hand the work of the key at ADDRESS to the key that is configured now.

    Stop `encore oracle run`, configure the new key (ENCORE_ORACLE_KEYSTORE), fund its address, run this, and start
    `encore oracle run` again. The old key itself is not needed, so this serves for one that is lost, too.

    \b
    1. The owner authorises the new key to report and to launch.
    2. What the old key signed is seen through, until it is final.
    3. What waits in the outbox is left to the new key.
    4. The owner revokes the old key; with --leaked that comes first.

    Each step that is done already is skipped, so that it can be run again after anything. Where the owner is no key
    (a timelock), the calls that it has to make are shown.
    """

    async def work(parts: Parts) -> None:
        signer = _owner(parts.settings, owner, owner_passphrase_file)
        async with leadership_if_free(parts.database, parts.settings.chain.chain_id) as leads:
            if not leads:
                raise RotationError("an oracle is running: stop it first")
            rotation = Rotation(parts.oracle(), _address(old), signer, click.echo)
            await rotation.run(revoke_first=leaked)
        click.echo("done: start `encore oracle run`, and destroy the old key")

    _execute(work)


def _address(text: str) -> str:
    if not is_address(text):
        raise RotationError(f"{text!r} is not an address")
    return text.lower()


def _owner(settings: Settings, keystore: str | None, passphrase_file: Path | None) -> Signer | None:
    """Return the owner's signer: on the local chain the development account that deploys, elsewhere as named."""
    if keystore is None:
        return Signer(local_account_key(0), settings.chain.chain_id) if settings.chain.is_local else None
    if passphrase_file is None:
        passphrase = click.prompt(f"Passphrase of {keystore_path(keystore)}", hide_input=True, err=True)
    else:
        passphrase = read_passphrase(passphrase_file)
    return Signer(key_from_keystore(keystore, passphrase), settings.chain.chain_id)


def _execute(work: Callable[[Parts], Awaitable[None]]) -> None:
    settings = load_settings()
    configure_telemetry(settings, "oracle")

    async def execute() -> None:
        check_schema(settings.database)
        async with AsyncExitStack() as stack:
            database = Database(settings.database)
            stack.push_async_callback(database.close)
            telemetry = Telemetry(utc_now)
            rpc = await stack.enter_async_context(RpcClient(settings.endpoints, observer=telemetry.requested))
            await work(Parts(settings, database, rpc, telemetry))

    asyncio.run(execute())


async def _run(parts: Parts) -> None:
    """Run until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(_lead(parts))
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        _log.info("oracle stopped")


async def _lead(parts: Parts) -> None:
    settings, telemetry = parts.settings, parts.telemetry
    telemetry.allows(
        budget=settings.oracle_gas_budget_wei,
        low_balance=settings.oracle_low_balance_wei,
        patience_seconds=settings.oracle_patience_hours * SECONDS_PER_HOUR,
    )
    listener = Listener(settings.oracle_metrics_host, settings.oracle_metrics_port, "ENCORE_ORACLE_METRICS_PORT")
    async with (
        monitored(telemetry.exposition, telemetry.unready, listener),
        leadership(parts.database, settings.chain.chain_id) as lock,
    ):
        telemetry.leads()
        ready = await wait_until_ready(settings, parts.database, parts.rpc)
        await Jobs(ready, lock, telemetry).run()


async def _sync(parts: Parts, creator: str | None, *, dry_run: bool) -> None:
    creator_ids = None if creator is None else [await _creator_id(parts.database, creator)]
    ready = await wait_until_ready(parts.settings, parts.database, parts.rpc)
    if dry_run:
        await show_due(ready, creator_ids)
        return
    await ready.check_not_paused()
    synced = await ready.sync.run(creator_ids, everything=True)
    click.echo(
        f"counted {synced.counted} creators; queued the figures of {synced.written.creators} "
        f"in {synced.written.transactions} transactions"
    )
    await _wait_until_sent(parts, ready)


async def _wait_until_sent(parts: Parts, sending: Oracle) -> None:
    """Wait until the outbox is empty, sending whenever no other process leads."""
    while True:
        await sending.check_not_paused()
        async with leadership_if_free(parts.database, parts.settings.chain.chain_id) as leads:
            progress = await (sending.outbox.run_once() if leads else sending.outbox.progress())
        if progress.is_idle:
            break
        if not progress.changed:
            await asyncio.sleep(POLL_SECONDS)
    click.echo("everything queued is mined or failed; see `encore oracle status`")


async def _creator_id(database: Database, slug_or_id: str) -> int:
    async with database.read() as session:
        creator_id = await creators.find_creator(session, slug_or_id)
    if creator_id is None:
        raise UnknownCreatorError(f"no creator has the slug or id {slug_or_id!r}")
    return creator_id
