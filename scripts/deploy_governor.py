"""`ape run deploy_governor`: give the holders of a coin a governor and a timelock of their own."""

import click

from encore.errors import DeploymentError
from scripts._common import (
    OperatorCommand,
    account_option,
    checked_address,
    confirm_signing,
    connected,
    contract_at,
    current_deployment,
    instance,
    network_option,
    signing_account,
    yes_option,
)
from scripts._governance import HOUR, deploy_governor, deploy_timelock, governance_terms, hand_over
from scripts._registry import Registry
from scripts._verification import verify_sources
from scripts._wiring import Wiring


@click.command(cls=OperatorCommand)
@click.argument("coin")
@network_option
@account_option
@yes_option
def cli(*, coin: str, network: str | None, account: str | None, yes: bool) -> None:
    """Deploy CreatorTimelock and CreatorGovernor for the creator token at the address COIN.

    The holders' votes decide over what the timelock holds; nobody else does, the signer renounces its administration at
    the end. Recorded as CreatorTimelock:COIN and CreatorGovernor:COIN. Run it again after an interruption.

    \b
    ape run deploy_governor 0x5FbDB2315678afecb367f032d93F642f64180aa3
    """  # noqa: D301 - click's mark for lines that are not rewrapped
    coin = checked_address(coin)
    with connected(network) as settings:
        deployment = current_deployment(settings)
        signer = signing_account(settings, account)
        registry = Registry(settings, signer, deployment)
        if not contract_at(deployment, "TokenDeploymentFactory").isCreatorToken(coin):
            raise DeploymentError(f"{coin} is not a creator token")
        symbol = instance("CreatorToken", coin).symbol()
        terms = governance_terms(settings)
        plan = [
            ("CreatorTimelock", f"delay {terms.minimum_delay / HOUR:g} h, anybody executes"),
            ("CreatorGovernor", f"of {symbol} ({coin}), vote {terms.voting_period / HOUR:g} h"),
            ("roles", "proposer and canceller to the governor; none stays with the signer"),
        ]
        confirm_signing(settings, signer, plan, yes=yes)
        suffix = f":{coin}"
        timelock = deploy_timelock(registry, terms, proposers=[], suffix=suffix)
        governor = deploy_governor(
            registry, terms, name=f"{symbol} Governor", token=coin, timelock=timelock, suffix=suffix
        )
        hand_over(Wiring(registry), suffix)
        click.echo(f"CreatorTimelock {timelock}\nCreatorGovernor {governor}")
        for name, outcome in verify_sources(settings, deployment).items():
            if name.endswith(suffix):
                click.echo(f"{name}: source {outcome}")
