"""What the operators' scripts share: the command class, the connection, the signing account, the contracts."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import click
from ape import accounts, networks, project
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from ape.exceptions import ApeException
from eth_account import Account

from encore.chain.deployments import Deployment
from encore.chain.networks import NETWORKS
from encore.errors import DeploymentError, EncoreError
from encore.settings import Settings, load_settings, local_account_key

EXPORTED_CONTRACTS: Final = (
    "CreatorToken",
    "BalancedCreatorToken",
    "CreatorMetricsManager",
    "TokenDeploymentFactory",
    "CreatorTokenFactory",
    "IntegratedCreatorDEX",
)
"""The contracts whose ABIs the other parts read from `deployments/abi/`."""

DEVELOPMENT_ACCOUNTS: Final = 20
"""How many accounts of the public mnemonic count as everybody's: more than any local chain funds."""


class OperatorCommand(click.Command):
    """A command whose expected errors end as one line on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (EncoreError, ApeException) as error:
            raise click.ClickException(str(error)) from error


network_option = click.option(
    "--network",
    metavar="NAME",
    help="A network of Encore's (local, sepolia, polygon-amoy, …) or any Ape network choice; default: ENCORE_NETWORK.",
)


@contextmanager
def connected(network: str | None) -> Iterator[Settings]:
    """Connect Ape to the chain that the settings name, or to `network`; yields the settings.

    An Encore network is reached through its first endpoint, whatever node that is. Raises `DeploymentError` when the
    node serves another chain.
    """
    settings = load_settings(network=network if network in NETWORKS else None)
    choice = settings.endpoints[0] if network is None or network in NETWORKS else network
    provider_settings = {"host": settings.endpoints[0]} if choice.endswith(":foundry") else None
    with ExitStack() as stack:
        try:
            provider = stack.enter_context(networks.parse_network_choice(choice, provider_settings=provider_settings))
        except ApeException as error:
            raise DeploymentError(f"cannot connect to {choice}: {error}") from error
        if provider.chain_id != settings.chain.chain_id:
            raise DeploymentError(
                f"{choice} is chain {provider.chain_id}, but {settings.network} is chain {settings.chain.chain_id}; "
                "set ENCORE_NETWORK or ENCORE_RPC_URLS"
            )
        yield settings


def signing_account(settings: Settings, alias: str | None) -> AccountAPI:
    """Return the account that signs: the first development account locally, the keyfile `alias` elsewhere.

    Raises `DeploymentError` for a development account on a public network: its key is everybody's.
    """
    if settings.chain.is_local:
        return accounts.load(alias) if alias else accounts.test_accounts[0]
    if alias is None:
        raise DeploymentError(f"name the account that signs on {settings.network}: --account ALIAS")
    if alias not in accounts.aliases:
        raise DeploymentError(f"no account {alias!r}; import one with `ape accounts import {alias}`")
    account = accounts.load(alias)
    refuse_development_account(settings, account.address)
    return account


def refuse_development_account(settings: Settings, address: str) -> None:
    """Raise `DeploymentError` when `address` is a development account and the network is public."""
    if settings.chain.is_local:
        return
    if any(Account.from_key(local_account_key(index)).address == address for index in range(DEVELOPMENT_ACCOUNTS)):
        raise DeploymentError(
            f"{address} is a development account whose key is public; use another one on {settings.network}"
        )


def confirm_signing(settings: Settings, account: AccountAPI, plan: str, *, yes: bool) -> None:
    """Say what is about to be signed and, on a public network, ask once; `yes` skips the question."""
    click.echo(f"{plan}\non {settings.network} (chain {settings.chain.chain_id}), signed by {account.address}")
    if settings.chain.is_local:
        return
    if not yes:
        click.confirm("Go on?", abort=True)
    account.set_autosign(True)


def contract_at(deployment: Deployment, name: str) -> ContractInstance:
    """Return the deployed contract called `name`; raises `DeploymentError` where it is not deployed."""
    address = deployment.address(name)
    return project.get_contract(name).at(address, fetch_from_explorer=False, detect_proxy=False)
