"""`ape run pause`: stop the trade of a coin, or SPARK, and let it go on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from web3.constants import ADDRESS_ZERO

from encore.chain.deployments import Deployment
from encore.errors import DeploymentError
from scripts._common import (
    OperatorCommand,
    account_option,
    checked_address,
    confirm_signing,
    connected,
    contract_at,
    current_deployment,
    network_option,
    signing_account,
    yes_option,
)
from scripts._registry import Registry


@click.command(cls=OperatorCommand)
@click.argument("target", metavar="SPARK|COIN")
@network_option
@account_option
@click.option("--lift", is_flag=True, help="End the pause instead.")
@yes_option
def cli(*, target: str, network: str | None, account: str | None, lift: bool, yes: bool) -> None:
    """Pause SPARK, or the pool of the coin at the address COIN; --lift ends the pause.

    A paused SPARK moves nowhere: no transfers, stakes, claims or burns; unstaking goes on. Signed by a PAUSER. A paused
    pool takes no trades and no liquidity; removing liquidity goes on. Signed by a guardian of the exchange. A pause by
    the circuit breaker ends by itself after an hour, and cannot be lifted.

    \b
    ape run pause SPARK
    ape run pause 0x5FbDB2315678afecb367f032d93F642f64180aa3 --lift
    """  # noqa: D301 - click's mark for lines that are not rewrapped
    with connected(network) as settings:
        deployment = current_deployment(settings)
        signer = signing_account(settings, account)
        registry = Registry(settings, signer, deployment)
        pause = _spark(deployment) if target.upper() == "SPARK" else _pool(deployment, checked_address(target))
        if pause.is_on is not lift:
            click.echo(f"nothing to do: {pause.what} is {'not ' if lift else ''}paused")
            return
        if not pause.may(signer.address):
            raise DeploymentError(f"{signer.address} may not do that: it is for {pause.whose}")
        method = pause.lift if lift else pause.set
        confirm_signing(settings, signer, [(method, f"{pause.what} on {pause.contract.address}")], yes=yes)
        registry.call(pause.contract, method, *pause.arguments)
        click.echo(f"done: {pause.what} is {'open again' if lift else 'paused'}")


@dataclass(frozen=True, slots=True)
class _Pause:
    contract: Any
    what: str
    set: str
    lift: str
    arguments: tuple[str, ...]
    is_on: bool
    whose: str
    may: Callable[[str], bool]


def _spark(deployment: Deployment) -> _Pause:
    spark = contract_at(deployment, "SparkToken")
    role = spark.PAUSER_ROLE()
    return _Pause(
        contract=spark,
        what="SPARK",
        set="pause",
        lift="unpause",
        arguments=(),
        is_on=spark.paused(),
        whose="PAUSER",
        may=lambda account: bool(spark.hasRole(role, account)),
    )


def _pool(deployment: Deployment, coin: str) -> _Pause:
    exchange = contract_at(deployment, "IntegratedCreatorDEX")
    if not any(exchange.reserves(coin)):
        raise DeploymentError(f"there is no pool of {coin}")
    return _Pause(
        contract=exchange,
        what=f"the pool of {coin}",
        set="pausePool",
        lift="unpausePool",
        arguments=(coin,),
        is_on=exchange.getTradingLimits(ADDRESS_ZERO, coin).paused,
        whose="guardians of the exchange",
        may=lambda account: bool(exchange.isGuardian(account)),
    )
