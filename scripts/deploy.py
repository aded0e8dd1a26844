"""`ape run deploy`: deploy and wire every contract; after an interruption it goes on where it stopped."""

import click
from eth_account import Account

from encore.settings import Settings
from scripts._common import (
    OperatorCommand,
    account_option,
    checked_address,
    coin_amount,
    confirm_signing,
    connected,
    network_option,
    new_table,
    refuse_development_account,
    show,
    signing_account,
    yes_option,
)
from scripts._governance import HOUR, governance_terms
from scripts._system import Outcome, deploy
from scripts._verification import verify_sources


@click.command(cls=OperatorCommand)
@network_option
@account_option
@click.option(
    "--oracle",
    "oracles",
    metavar="ADDRESS",
    multiple=True,
    help="Who reports metrics and launches; again for each one. The first also opens paid content. "
    "By default the address of ENCORE_ORACLE_PRIVATE_KEY.",
)
@click.option(
    "--guardian", metavar="ADDRESS", help="Who, beside the signer, may pause pools and cancel SPARK's upgrades."
)
@yes_option
def cli(*, network: str | None, account: str | None, oracles: tuple[str, ...], guardian: str | None, yes: bool) -> None:
    """Deploy what is missing of Encore's contracts, wire it, and record it in deployments/<network>.json.

    Run it again after an interruption, or with changed settings: what is there stays, what is missing is done. The
    signer becomes owner, recipient of the platform's fees, holder of SPARK and proposer on its timelock, which alone
    upgrades, mints and administers SPARK. On a public network a quorum of five oracles is the rule: k
    reports stand up to (k - 1) / 2 liars among all oracles. Sources are published on Sourcify.

    \b
    ape run deploy                                  the local chain, which `encore up` deploys to by itself
    ape run deploy --network filecoin-calibration --account treasury --oracle 0x… --oracle 0x… …
    """  # noqa: D301 - click's mark for lines that are not rewrapped
    with connected(network) as settings:
        signer = signing_account(settings, account)
        named = [checked_address(oracle) for oracle in oracles]
        reporting = named or [str(Account.from_key(settings.oracle_key()).address)]
        guarding = checked_address(guardian) if guardian else None
        for address in (*reporting, *([guarding] if guarding else [])):
            refuse_development_account(settings, address)
        confirm_signing(settings, signer, _plan(settings, reporting, guarding), yes=yes)
        outcome = deploy(settings, signer, reporting, guarding)
        published = verify_sources(settings, outcome.deployment)
    _print(outcome, settings, published)


def _plan(settings: Settings, oracles: list[str], guardian: str | None) -> list[tuple[str, str]]:
    terms = governance_terms(settings)
    return [
        ("deploy and wire", "what is missing"),
        ("registry", str(settings.deployment_path)),
        ("oracles and launchers", f"{', '.join(oracles)}; quorum {settings.required_oracles}"),
        ("guardian", guardian or "the signer alone"),
        ("a launch requires", f"{settings.launch_min_streams:,} streams, {settings.launch_min_followers:,} followers"),
        ("and seeds its pool with", f"{coin_amount(settings.launch_seed_wei)} {settings.chain.currency}"),
        ("SPARK's governance", f"vote {terms.voting_period / HOUR:g} h, timelock {terms.minimum_delay / HOUR:g} h"),
    ]


def _print(outcome: Outcome, settings: Settings, published: dict[str, str]) -> None:
    table = new_table("", "contract", "address", "block", "", *(["source"] if published else []))
    for name, contract in outcome.deployment.contracts.items():
        state = "deployed" if name in outcome.deployed else "kept"
        table.add_row(name, contract.address, str(contract.block_number), state, published.get(name, ""))
    show(table)
    for call in outcome.calls:
        click.echo(call)
    click.echo(f"{settings.deployment_path}: {settings.network}, chain {settings.chain.chain_id}")
