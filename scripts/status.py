"""`ape run status`: what is deployed, who may do what, what a launch requires, every coin: read from the chain."""

from decimal import Decimal

import click
from ape import networks
from ape.types import LogFilter
from rich.table import Table
from web3.constants import ADDRESS_ZERO

from encore.chain.deployments import Deployment
from encore.settings import Settings
from scripts._common import (
    OperatorCommand,
    coin_amount,
    connected,
    contract_at,
    current_deployment,
    instance,
    network_option,
    new_table,
    show,
)
from scripts._governance import DAY, HOUR


@click.command(cls=OperatorCommand)
@network_option
def cli(*, network: str | None) -> None:
    """Show the state of Encore's contracts; signs nothing.

    \b
    ape run status
    ape run status --network polygon-amoy
    """  # noqa: D301 - click's mark for lines that are not rewrapped
    with connected(network) as settings:
        deployment = current_deployment(settings)
        show(
            _contracts(deployment),
            _requirements(deployment, settings),
            _spark(deployment),
            _governance(deployment),
            _coins(deployment, settings),
        )


def _contracts(deployment: Deployment) -> Table:
    table = new_table(f"{deployment.network}, chain {deployment.chain_id}", "contract", "address", "block")
    for name, contract in deployment.contracts.items():
        table.add_row(name, contract.address, str(contract.block_number))
    return table


def _requirements(deployment: Deployment, settings: Settings) -> Table:
    metrics = contract_at(deployment, "CreatorMetricsManager")
    required = metrics.launchRequirements()
    seed = contract_at(deployment, "CreatorTokenFactory").minimumSeed()
    table = new_table(
        "a launch requires", "monthly streams", "followers", "metrics at most", "seed at least", "oracles that agree"
    )
    table.add_row(
        f"{required.minMonthlyStreams:,}",
        f"{required.minFollowers:,}",
        f"{required.maxMetricsAge // HOUR} hours old",
        f"{coin_amount(seed)} {settings.chain.currency}",
        f"{metrics.quorum()} of {metrics.oracleCount()}",
    )
    return table


def _spark(deployment: Deployment) -> Table:
    spark = contract_at(deployment, "SparkToken")
    table = new_table("SPARK", "state", "supply", "staked", "rewards left", "for")
    table.add_row(
        "paused" if spark.paused() else "open",
        coin_amount(spark.totalSupply()),
        coin_amount(spark.totalStaked()),
        coin_amount(spark.rewardsRemaining()),
        _days(spark.rewardsRunway()),
    )
    return table


def _governance(deployment: Deployment) -> Table:
    table = new_table("governance", "governor", "decides over", "quorum", "proposer needs", "vote", "timelock")
    for name in deployment.contracts:
        if not name.startswith("CreatorGovernor"):
            continue
        governor = contract_at(deployment, name)
        timelock = instance("CreatorTimelock", governor.timelock())
        table.add_row(
            governor.name(),
            timelock.address,
            f"{governor.quorumNumerator()} %",
            f"{coin_amount(governor.proposalThreshold())} votes",
            _days(governor.votingPeriod()),
            _days(timelock.getMinDelay()),
        )
    return table


def _coins(deployment: Deployment, settings: Settings) -> Table:
    exchange = contract_at(deployment, "IntegratedCreatorDEX")
    currency = settings.chain.currency
    columns = ("symbol", "coin", "creator", f"{currency} in the pool", "coins in the pool", f"price in {currency}")
    table = new_table("coins", *columns, "staked", "trade")
    for address, creator in _deployed_tokens(deployment):
        token = instance("CreatorToken", address)
        native, tokens = exchange.reserves(address)
        table.add_row(
            token.symbol(),
            address,
            creator,
            coin_amount(native),
            coin_amount(tokens),
            f"{Decimal(native) / tokens:.3e}" if tokens else "no pool",
            coin_amount(token.totalStaked()),
            # What stops everybody; the limits of an account are its own.
            (exchange.getTradingLimits(ADDRESS_ZERO, address).purchaseRefusal or "open") if tokens else "",
        )
    return table


def _deployed_tokens(deployment: Deployment) -> list[tuple[str, str]]:
    deployer = contract_at(deployment, "TokenDeploymentFactory")
    first = deployment.contracts["TokenDeploymentFactory"].block_number
    logs = networks.provider.get_contract_logs(
        LogFilter(addresses=[deployer.address], events=[deployer.CreatorTokenDeployed.abi], start_block=first)
    )
    return [(log.token, log.creator) for log in logs]


def _days(seconds: int) -> str:
    return f"{seconds / DAY:,.1f} days" if seconds < 2**64 else "ever"
