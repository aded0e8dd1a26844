"""`ape run grant_oracle`: authorise an oracle, or withdraw it, as reporter of metrics and as launcher."""

import click
from web3 import Web3

from encore.chain.deployments import load_deployment
from encore.errors import DeploymentError
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
from scripts._registry import check_on_chain


@click.command(cls=OperatorCommand)
@click.argument("oracle")
@network_option
@click.option("--account", metavar="ALIAS", help="The owner's account; locally the first development account.")
@click.option("--revoke", is_flag=True, help="Withdraw the roles instead.")
@click.option("--yes", is_flag=True, help="Do not ask before signing on a public network.")
def cli(*, oracle: str, network: str | None, account: str | None, revoke: bool, yes: bool) -> None:
    """Let ORACLE report metrics and launch coins; sends only what the chain does not show yet."""
    if not Web3.is_address(oracle):
        raise DeploymentError(f"{oracle!r} is not an address")
    oracle = Web3.to_checksum_address(oracle)
    with connected(network) as settings:
        deployment = load_deployment(settings.deployment_path)
        check_on_chain(settings, deployment)
        signer = signing_account(settings, account)
        if not revoke:
            refuse_development_account(settings, oracle)
        compile_contracts(*EXPORTED_CONTRACTS)
        metrics = contract_at(deployment, "CreatorMetricsManager")
        factory = contract_at(deployment, "CreatorTokenFactory")
        pending = [
            change
            for change, has_role in ((metrics.setOracle, metrics.isOracle), (factory.setLauncher, factory.isLauncher))
            if has_role(oracle) is revoke
        ]
        if not pending:
            click.echo(f"nothing to do: {oracle} {'has neither role' if revoke else 'has both roles'}")
            return
        verb = "Withdrawing" if revoke else "Granting"
        confirm_signing(settings, signer, f"{verb} metrics and launch roles: {oracle}", yes=yes)
        for change in pending:
            change(oracle, not revoke, sender=signer)
        click.echo(f"done: {len(pending)} transaction(s)")
