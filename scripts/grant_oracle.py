"""`ape run grant_oracle`: authorise an oracle, or withdraw it, as reporter of metrics and as launcher."""

import click

from scripts._common import (
    OperatorCommand,
    account_option,
    checked_address,
    confirm_signing,
    connected,
    contract_at,
    current_deployment,
    network_option,
    refuse_development_account,
    signing_account,
    yes_option,
)
from scripts._registry import Registry
from scripts._wiring import Wiring


@click.command(cls=OperatorCommand)
@click.argument("oracle")
@network_option
@account_option
@click.option("--revoke", is_flag=True, help="Withdraw the roles instead.")
@yes_option
def cli(*, oracle: str, network: str | None, account: str | None, revoke: bool, yes: bool) -> None:
    """Let ORACLE report metrics and launch coins; sends only what the chain does not show yet.

    Signed by the owner. The quorum stays as it is; ENCORE_ORACLE_QUORUM and `ape run deploy` change it.

    \b
    ape run grant_oracle 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
    ape run grant_oracle 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --revoke
    """  # noqa: D301 - click's mark for lines that are not rewrapped
    oracle = checked_address(oracle)
    with connected(network) as settings:
        deployment = current_deployment(settings)
        signer = signing_account(settings, account)
        if not revoke:
            refuse_development_account(settings, oracle)
        wiring = Wiring(Registry(settings, signer, deployment))
        metrics = contract_at(deployment, "CreatorMetricsManager")
        factory = contract_at(deployment, "CreatorTokenFactory")
        roles = (
            (metrics, "setOracle", metrics.isOracle(oracle) is not revoke),
            (factory, "setLauncher", factory.isLauncher(oracle) is not revoke),
        )
        if all(done for _, _, done in roles):
            click.echo(f"nothing to do: {oracle} {'has neither role' if revoke else 'has both roles'}")
            return
        count, quorum = metrics.oracleCount(), metrics.quorum()
        plan = [
            ("no longer reports and launches" if revoke else "may report and launch", oracle),
            ("oracles now", f"{count}, of which {quorum} must agree"),
        ]
        if revoke and metrics.isOracle(oracle) and count == quorum:
            plan.append(("mind", "too few will be left: nothing is published until another is granted"))
        confirm_signing(settings, signer, plan, yes=yes)
        for contract, method, done in roles:
            wiring.ensure(done, contract, method, oracle, not revoke)
        click.echo(f"done: {len(wiring.calls)} transaction(s)")
