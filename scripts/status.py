"""`ape run status`: what is deployed, what a launch requires, and every coin with its pool, read from the chain."""

from decimal import Decimal

import click
from ape import networks, project
from ape.types import LogFilter
from rich.console import Console
from rich.table import Table

from encore.chain.deployments import Deployment, load_deployment
from encore.settings import Settings
from scripts._common import EXPORTED_CONTRACTS, OperatorCommand, connected, contract_at, network_option
from scripts._compile import compile_contracts
from scripts._registry import check_on_chain


@click.command(cls=OperatorCommand)
@network_option
def cli(network: str | None) -> None:
    """Show the state of Encore's contracts; signs nothing."""
    with connected(network) as settings:
        deployment = load_deployment(settings.deployment_path)
        check_on_chain(settings, deployment)
        compile_contracts(*EXPORTED_CONTRACTS)
        console = Console(width=200, soft_wrap=True, highlight=False)
        for table in (_contracts(deployment), _requirements(deployment), _coins(deployment, settings)):
            console.print(table)


def _contracts(deployment: Deployment) -> Table:
    table = _table(f"{deployment.network}, chain {deployment.chain_id}", "contract", "address", "block")
    for name, contract in deployment.contracts.items():
        table.add_row(name, contract.address, str(contract.block_number))
    return table


def _requirements(deployment: Deployment) -> Table:
    required = contract_at(deployment, "CreatorMetricsManager").launchRequirements()
    seed = contract_at(deployment, "CreatorTokenFactory").minimumSeed()
    table = _table("a launch requires", "monthly streams", "followers", "metrics at most", "seed at least")
    table.add_row(
        f"{required.minMonthlyStreams:,}",
        f"{required.minFollowers:,}",
        f"{required.maxMetricsAge // 3_600} hours old",
        _coin_amount(seed),
    )
    return table


def _coins(deployment: Deployment, settings: Settings) -> Table:
    exchange = contract_at(deployment, "IntegratedCreatorDEX")
    currency = settings.chain.currency
    columns = ("symbol", "coin", "creator", f"{currency} in the pool", "coins in the pool", f"price in {currency}")
    table = _table("coins", *columns, "staked")
    for address, creator in _deployed_tokens(deployment):
        token = project.CreatorToken.at(address, fetch_from_explorer=False, detect_proxy=False)
        native, tokens = exchange.reserves(address)
        table.add_row(
            token.symbol(),
            address,
            creator,
            _coin_amount(native),
            _coin_amount(tokens),
            f"{Decimal(native) / tokens:.3e}" if tokens else "no pool",
            _coin_amount(token.totalStaked()),
        )
    return table


def _deployed_tokens(deployment: Deployment) -> list[tuple[str, str]]:
    deployer = contract_at(deployment, "TokenDeploymentFactory")
    first = deployment.contracts["TokenDeploymentFactory"].block_number
    logs = networks.provider.get_contract_logs(
        LogFilter(addresses=[deployer.address], events=[deployer.CreatorTokenDeployed.abi], start_block=first)
    )
    return [(log.token, log.creator) for log in logs]


def _coin_amount(wei: int) -> str:
    return f"{Decimal(wei) / 10**18:,.4f}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table
