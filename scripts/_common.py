"""What the operators' scripts share: the command class, the connection, the signing account, the contracts."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any, Final

import click
from ape import accounts, networks, project
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from ape.exceptions import ApeException
from eth_account import Account
from rich.console import Console
from rich.table import Table
from web3 import Web3

from encore.chain.deployments import Deployment, load_deployment
from encore.chain.networks import NETWORKS
from encore.errors import DeploymentError, EncoreError
from encore.settings import Settings, load_settings, local_account_key
from scripts._compile import compile_contracts

EXPORTED_CONTRACTS: Final = (
    "CreatorToken",
    "BalancedCreatorToken",
    "CreatorMetricsManager",
    "TokenDeploymentFactory",
    "CreatorTokenFactory",
    "IntegratedCreatorDEX",
    "CreatorTimelock",
    "CreatorGovernor",
    "SparkToken",
    "ERC1967Proxy",
    "MusicNFT",
    "ContentAccess",
    "SparkNFT",
    "SparkMarketplace",
)
"""The contracts that are deployed, whose ABIs the other parts read from `deployments/abi/`."""

DEVELOPMENT_ACCOUNTS: Final = 20
"""How many accounts of the public mnemonic count as everybody's: more than any local chain funds."""


class OperatorCommand(click.Command):
    """A command whose expected errors end as one line on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (EncoreError, ApeException) as error:
            raise click.ClickException(" ".join(str(error).split())) from error


network_option = click.option(
    "--network",
    metavar="NAME",
    help="A network of Encore's (local, sepolia, polygon-amoy, …) or any Ape network choice; default: ENCORE_NETWORK.",
)
account_option = click.option(
    "--account",
    metavar="ALIAS",
    help="The account that signs, one of `ape accounts list`; locally the first development account.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask before signing on a public network.")


@contextmanager
def connected(network: str | None) -> Iterator[Settings]:
    """Connect Ape to the chain that the settings name, or to `network`; yields the settings.

    An Encore network is reached through its first endpoint: locally whatever node that is, elsewhere by the rules of
    ape-config.yaml for that network. Raises `DeploymentError` when the node serves another chain.
    """
    by_choice = {known.ape_network: known.name for known in NETWORKS.values() if not known.is_local}
    name = by_choice.get(network or "", network)
    settings = load_settings(network=name if name in NETWORKS else None)
    provider_settings = None
    if name is not None and name not in NETWORKS:
        choice = name
        if choice.endswith(":foundry"):
            provider_settings = {"host": settings.endpoints[0]}
    elif settings.chain.is_local:
        choice = settings.endpoints[0]
    else:
        choice = settings.chain.ape_network
        provider_settings = {"uri": settings.endpoints[0]}
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


def current_deployment(settings: Settings) -> Deployment:
    """Return the deployment on the connected chain, with its contracts compiled.

    Raises `DeploymentError` when there is none, or the chain does not have the very code that it records.
    """
    deployment = load_deployment(settings.deployment_path)
    check_on_chain(settings, deployment)
    compile_contracts(*EXPORTED_CONTRACTS)
    return deployment


def check_on_chain(settings: Settings, deployment: Deployment) -> None:
    """Raise `DeploymentError` unless the connected chain has the very code that `deployment` records."""
    path = settings.deployment_path
    if deployment.chain_id != settings.chain.chain_id:
        raise DeploymentError(f"{path} is of chain {deployment.chain_id}, not {settings.chain.chain_id}; move it away")
    for name, contract in deployment.contracts.items():
        if Web3.to_hex(Web3.keccak(networks.provider.get_code(contract.address))) != contract.code_hash:
            remedy = "run `make reset` to start over" if settings.chain.is_local else "connect to the right node"
            raise DeploymentError(
                f"{path} names {name} at {contract.address}, which this chain does not have; {remedy}"
            )


def signing_account(settings: Settings, alias: str | None) -> AccountAPI:
    """Return the account that signs: the first development account locally, the keyfile `alias` elsewhere.

    Raises `DeploymentError` for a development account on a public network: its key is everybody's.
    """
    if settings.chain.is_local and alias is None:
        return accounts.test_accounts[0]
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


def checked_address(text: str) -> str:
    """Return the checksummed form of an address that somebody typed, or raise `DeploymentError`."""
    if not Web3.is_address(text):
        raise DeploymentError(f"{text!r} is not an address")
    return str(Web3.to_checksum_address(text))


def confirm_signing(settings: Settings, account: AccountAPI, plan: Iterable[tuple[str, str]], *, yes: bool) -> None:
    """Show what is about to be signed and, on a public network, ask once; `yes` skips the question."""
    table = new_table(f"on {settings.network} (chain {settings.chain.chain_id}), signed by {account.address}")
    for row in plan:
        table.add_row(*row)
    show(table)
    if settings.chain.is_local:
        return
    if not yes:
        click.confirm("Go on?", abort=True)
    account.set_autosign(True)


def contract_at(deployment: Deployment, name: str) -> ContractInstance:
    """Return the deployed contract called `name`; raises `DeploymentError` where it is not deployed.

    What belongs to one coin is recorded as `contract:coin`.
    """
    return instance(name.partition(":")[0], deployment.address(name))


def instance(contract: str, address: str) -> ContractInstance:
    """Return the contract at `address` with the interface of our `contract`.

    Not by Ape's `at`, which merges in whatever interface it saw at that address on another local chain.
    """
    return ContractInstance(address, project.get_contract(contract).contract_type)


def new_table(title: str, *columns: str) -> Table:
    """Return an empty table for `show`."""
    table = Table(title=title, title_justify="left", box=None, show_header=bool(columns))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def show(*tables: Table) -> None:
    """Print tables, never cut to the terminal's width: addresses are there to be copied."""
    console = Console(width=200, soft_wrap=True, highlight=False)
    for table in tables:
        console.print(table)


def coin_amount(wei: int) -> str:
    """Write an amount for people to read, in whole coins of 18 decimals."""
    return f"{Decimal(wei) / 10**18:,.4f}"
