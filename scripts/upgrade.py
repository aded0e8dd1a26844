"""`ape run upgrade`: put a new implementation behind SPARK, through its timelock: schedule, later execute."""

from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

import click
from ape import networks, project
from web3 import Web3

from encore.errors import DeploymentError
from encore.settings import Settings
from scripts._common import (
    OperatorCommand,
    account_option,
    confirm_signing,
    connected,
    contract_at,
    current_deployment,
    network_option,
    signing_account,
    yes_option,
)
from scripts._compile import CONTRACTS, compile_contracts
from scripts._registry import Registry, replace_file
from scripts._storage import STORAGE_DIR, StorageLayout, compiled_layout, storage_clashes
from scripts._verification import verify_sources

IMPLEMENTATION_SLOT: Final = int.from_bytes(Web3.keccak(text="eip1967.proxy.implementation")) - 1
"""Where ERC-1967 keeps the implementation's address."""

LONGEST_MIGRATION_BYTES: Final = 896
"""What the timelock's payload of 1 024 bytes leaves (docs/contracts/upgrades.md)."""

DONE_TIMESTAMP: Final = 1
NO_PREDECESSOR: Final = bytes(32)
NO_SALT: Final = bytes(32)


@click.command(cls=OperatorCommand)
@click.argument("version", default="SparkToken")
@network_option
@account_option
@click.option("--data", metavar="HEX", default="0x", help="Calldata of the migration that the upgrade runs with it.")
@yes_option
def cli(*, version: str, network: str | None, account: str | None, data: str, yes: bool) -> None:
    """Upgrade SPARK to the contract VERSION of contracts/, by default SparkToken as it is there now.

    Run it twice. The first run compares storage layouts and refuses one that would clash, deploys the implementation
    and schedules the upgrade on the timelock; the second, once the delay has passed, executes it. Between the two
    everybody sees what is coming, and who disagrees can leave. Scheduling is for a PROPOSER of the timelock: for others
    the first run prints the call that the governor must propose. Repeat the same VERSION and --data.

    \b
    ape run upgrade SparkTokenV2 --data 0x…      schedules, says when it is due
    ape run upgrade SparkTokenV2 --data 0x…      executes
    """  # noqa: D301 - click's mark for lines that are not rewrapped
    migration = _migration(data)
    source = _source(version)
    with connected(network) as settings:
        deployment = current_deployment(settings)
        signer = signing_account(settings, account)
        registry = Registry(settings, signer, deployment)
        layout = _compatible_layout(settings, source)
        compile_contracts(version)
        upgrade = _Upgrade(registry, version, migration)
        state = upgrade.state()
        if state is State.NEW:
            upgrade.check_is_another()
            confirm_signing(settings, signer, upgrade.first_plan(), yes=yes)
            upgrade.deploy()
            for name, outcome in verify_sources(settings, deployment).items():
                if name == upgrade.name:
                    click.echo(f"{name}: source {outcome}")
            if not upgrade.may_schedule():
                click.echo(
                    f"put to the vote with the governor: {upgrade.spark.address}, calldata 0x{upgrade.call.hex()}"
                )
                return
            upgrade.schedule()
            state = upgrade.state()
        if state is State.WAITING:
            click.echo(
                f"scheduled; run the same command again from {upgrade.due():%Y-%m-%d %H:%M:%S} UTC on to execute it"
            )
            return
        if state is State.DUE:
            confirm_signing(settings, signer, upgrade.second_plan(), yes=yes)
            upgrade.execute()
        # Also after a run that was interrupted right behind the execution: the next upgrade is compared with this.
        replace_file(_layout_path(settings), layout)
        click.echo(f"done: SPARK runs {version} at {upgrade.implementation}")


class State(Enum):
    """How far an upgrade is."""

    NEW = auto()
    WAITING = auto()
    DUE = auto()
    DONE = auto()


class _Upgrade:
    """One version with one migration, as far as chain and registry know it."""

    def __init__(self, registry: Registry, version: str, migration: bytes) -> None:
        self._registry = registry
        self._version = version
        self._migration = migration
        self.spark = contract_at(registry.deployment, "SparkToken")
        self._timelock = contract_at(registry.deployment, "CreatorTimelock")
        self._creation_code = bytes(project.get_contract(version).contract_type.get_deployment_bytecode())
        # The same version may change before it is deployed on the next network: the code says which one it is.
        self.name = f"SparkTokenImplementation-{Web3.keccak(self._creation_code).hex()[:8]}"

    @property
    def implementation(self) -> str:
        """The address of the new implementation, once it is deployed."""
        return self._registry.deployment.address(self.name)

    @property
    def call(self) -> bytes:
        """What the timelock calls SPARK with."""
        return bytes(self.spark.upgradeToAndCall.encode_input(self.implementation, self._migration))

    @property
    def _operation(self) -> tuple[Any, ...]:
        return self.spark.address, 0, self.call, NO_PREDECESSOR, NO_SALT

    def state(self) -> State:
        """Return how far the upgrade is; raises `DeploymentError` where another one has replaced it."""
        if self.name not in self._registry.deployment.contracts:
            return State.NEW
        if self._live_implementation() == self.implementation:
            return State.DONE
        timestamp = self._timelock.getTimestamp(self._timelock.hashOperation(*self._operation))
        if timestamp == 0:
            return State.NEW
        if timestamp == DONE_TIMESTAMP:
            raise DeploymentError(
                f"this upgrade was executed before, and SPARK runs {self._live_implementation()} since"
            )
        return State.DUE if timestamp <= networks.provider.get_block("latest").timestamp else State.WAITING

    def due(self) -> datetime:
        """Return when a scheduled upgrade can be executed."""
        operation = self._timelock.hashOperation(*self._operation)
        return datetime.fromtimestamp(self._timelock.getTimestamp(operation), UTC)

    def may_schedule(self) -> bool:
        """Whether the signer is a proposer of the timelock."""
        return bool(self._timelock.hasRole(self._timelock.PROPOSER_ROLE(), self._registry.account.address))

    def check_is_another(self) -> None:
        """Raise `DeploymentError` if SPARK runs the very same code already."""
        live = self._live_implementation()
        for contract in self._registry.deployment.contracts.values():
            if contract.address == live:
                transaction = networks.provider.web3.eth.get_transaction(contract.transaction_hash)
                if bytes(transaction["input"]) == self._creation_code:
                    raise DeploymentError(f"SPARK runs {self._version} as it is in contracts/ already, at {live}")

    def first_plan(self) -> list[tuple[str, str]]:
        """Say what the first run does."""
        delay = timedelta(seconds=self._timelock.getMinDelay())
        then = f"schedule it on the timelock, due after {delay}" if self.may_schedule() else "print the call to vote on"
        return [("deploy", self._version), ("then", then), *self._what()]

    def second_plan(self) -> list[tuple[str, str]]:
        """Say what the second run does."""
        return [("execute", f"{self._version} at {self.implementation}"), *self._what()]

    def deploy(self) -> None:
        """Deploy the implementation, unless an interrupted run did."""
        self._registry.ensure_contract(self.name, source=self._version)

    def schedule(self) -> None:
        """Announce the upgrade."""
        self._registry.call(self._timelock, "schedule", *self._operation, self._timelock.getMinDelay())

    def execute(self) -> None:
        """Carry the upgrade out; raises Ape's error, and changes nothing, where the migration reverts."""
        self._registry.call(self._timelock, "execute", *self._operation)

    def _what(self) -> list[tuple[str, str]]:
        return [
            ("of SPARK", f"{self.spark.address}, which runs {self._live_implementation()}"),
            ("migration", f"0x{self._migration.hex()}" if self._migration else "none"),
        ]

    def _live_implementation(self) -> str:
        slot = bytes(networks.provider.get_storage(self.spark.address, IMPLEMENTATION_SLOT))
        return str(Web3.to_checksum_address(slot[-20:]))


def _compatible_layout(settings: Settings, source: Path) -> StorageLayout:
    """Return the layout of the new version; raises `DeploymentError` where it clashes with what SPARK has stored.

    That is the layout of the last upgrade on this network, or else the committed one.
    """
    deployed = _layout_path(settings)
    committed = STORAGE_DIR / "SparkToken.json"
    before = StorageLayout.model_validate_json((deployed if deployed.exists() else committed).read_bytes())
    layout = compiled_layout(source)
    if clashes := storage_clashes(before, layout):
        more = f", and {len(clashes) - 1} more" if len(clashes) > 1 else ""
        raise DeploymentError(f"the storage of {source.stem} would clash: {clashes[0]}{more}")
    return layout


def _layout_path(settings: Settings) -> Path:
    return settings.deployment_path.with_suffix(".storage.json")


def _source(version: str) -> Path:
    sources = {path.stem: path for path in CONTRACTS.rglob("[A-Z]*.vy")}
    if version not in sources:
        raise DeploymentError(f"there is no contract {version!r} in contracts/")
    return sources[version]


def _migration(data: str) -> bytes:
    try:
        migration = bytes.fromhex(data.removeprefix("0x"))
    except ValueError:
        raise DeploymentError(f"--data {data!r} is not hexadecimal") from None
    if len(migration) > LONGEST_MIGRATION_BYTES:
        raise DeploymentError(f"--data takes at most {LONGEST_MIGRATION_BYTES} bytes, not {len(migration)}")
    return migration
