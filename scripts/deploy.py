"""`ape run deploy`: deploy and wire every contract; after an interruption it goes on where it stopped."""

from dataclasses import dataclass
from typing import Any, Final

import click
from ape.api import AccountAPI
from eth_account import Account
from rich.console import Console
from rich.table import Table
from web3 import Web3

from encore.chain.deployments import Deployment
from encore.errors import DeploymentError
from encore.settings import Settings
from scripts._common import (
    EXPORTED_CONTRACTS,
    OperatorCommand,
    confirm_signing,
    connected,
    contract_at,
    network_option,
    refuse_development_account,
    signing_account,
)
from scripts._compile import compile_contracts
from scripts._registry import Registry

MAX_METRICS_AGE_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: the registry, the contracts that it deployed, the calls that it sent."""

    deployment: Deployment
    deployed: tuple[str, ...]
    calls: tuple[str, ...]


@click.command(cls=OperatorCommand)
@network_option
@click.option("--account", metavar="ALIAS", help="The account that signs; locally the first development account.")
@click.option("--oracle", metavar="ADDRESS", help="Who reports metrics and launches; by default the oracle key's.")
@click.option("--yes", is_flag=True, help="Do not ask before signing on a public network.")
def cli(*, network: str | None, account: str | None, oracle: str | None, yes: bool) -> None:
    """Deploy Encore's contracts, grant the oracle its roles, write deployments/<network>.json."""
    with connected(network) as settings:
        signer = signing_account(settings, account)
        oracle = Web3.to_checksum_address(oracle or Account.from_key(settings.oracle_key()).address)
        refuse_development_account(settings, oracle)
        confirm_signing(settings, signer, f"Deploying what is missing, with {oracle} as oracle and launcher,", yes=yes)
        outcome = deploy(settings, signer, oracle)
    _print(outcome, settings)


def deploy(settings: Settings, signer: AccountAPI, oracle: str) -> Outcome:
    """Deploy and wire what is missing on the connected chain; the signer becomes owner and platform fee recipient."""
    compile_contracts(*EXPORTED_CONTRACTS)
    registry = Registry(settings, signer)
    blueprints = [
        registry.ensure_blueprint(f"{name}Blueprint", of_contract=name)
        for name in ("CreatorToken", "BalancedCreatorToken")
    ]
    deployer = registry.ensure_contract("TokenDeploymentFactory", *blueprints)
    metrics = registry.ensure_contract(
        "CreatorMetricsManager", settings.launch_min_streams, settings.launch_min_followers, MAX_METRICS_AGE_SECONDS
    )
    exchange = registry.ensure_contract("IntegratedCreatorDEX", deployer)
    registry.ensure_contract(
        "CreatorTokenFactory", deployer, metrics, exchange, signer.address, settings.launch_seed_wei
    )
    calls = _wire(settings, signer, oracle, registry.deployment)
    return Outcome(registry.deployment, tuple(registry.deployed_now), tuple(calls))


def _wire(settings: Settings, signer: AccountAPI, oracle: str, deployment: Deployment) -> list[str]:
    """Send the calls whose effect the chain does not show yet; return what was done."""
    token_deployer, metrics_manager, token_factory = (
        contract_at(deployment, name)
        for name in ("TokenDeploymentFactory", "CreatorMetricsManager", "CreatorTokenFactory")
    )
    required = metrics_manager.launchRequirements()
    wanted = (settings.launch_min_streams, settings.launch_min_followers)
    calls: list[str] = []

    def ensure(done: bool, contract: Any, method: str, *arguments: Any) -> None:  # noqa: FBT001
        if done:
            return
        if contract.owner() != signer.address:
            raise DeploymentError(f"{contract.address} is owned by {contract.owner()}: {method} is for that account")
        getattr(contract, method)(*arguments, sender=signer)
        calls.append(f"{method}({', '.join(str(argument) for argument in arguments)})")

    ensure(token_deployer.isFactory(token_factory), token_deployer, "setFactory", token_factory.address, True)
    ensure(metrics_manager.isOracle(oracle), metrics_manager, "setOracle", oracle, True)
    ensure(token_factory.isLauncher(oracle), token_factory, "setLauncher", oracle, True)
    ensure(
        (required.minMonthlyStreams, required.minFollowers) == wanted,
        *(metrics_manager, "setLaunchRequirements", *wanted, required.maxMetricsAge),
    )
    seed = settings.launch_seed_wei
    ensure(token_factory.minimumSeed() == seed, token_factory, "setMinimumSeed", seed)
    return calls


def _print(outcome: Outcome, settings: Settings) -> None:
    table = Table(box=None)
    for column in ("contract", "address", "block", ""):
        table.add_column(column, no_wrap=True)
    for name, contract in outcome.deployment.contracts.items():
        state = "deployed" if name in outcome.deployed else "kept"
        table.add_row(name, contract.address, str(contract.block_number), state)
    console = Console(width=100, soft_wrap=True, highlight=False)
    console.print(table)
    for call in outcome.calls:
        console.print(call)
    console.print(f"{settings.deployment_path}: {settings.network}, chain {settings.chain.chain_id}")
