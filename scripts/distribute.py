"""`ape run distribute`: share a creator's revenue with the holders of its coin."""

from decimal import Decimal, InvalidOperation

import click
from web3.constants import ADDRESS_ZERO

from encore.errors import DeploymentError
from scripts._common import (
    OperatorCommand,
    account_option,
    checked_address,
    coin_amount,
    confirm_signing,
    connected,
    contract_at,
    current_deployment,
    instance,
    network_option,
    signing_account,
    yes_option,
)
from scripts._registry import Registry

BASIS_POINTS = 10_000


@click.command(cls=OperatorCommand)
@click.argument("creator")
@click.argument("amount")
@network_option
@account_option
@yes_option
def cli(*, creator: str, amount: str, network: str | None, account: str | None, yes: bool) -> None:
    """Share AMOUNT native coins among the holders of CREATOR's coin and CREATOR.

    Anybody may sign, and pays the amount. The holders' share (10 % unless the owner changed it) can be claimed at once
    in proportion to balances and stakes; the rest waits for the creator to withdraw it. It takes a coin that was
    launched, and a monthly revenue of at least one native coin as reported.

    \b
    ape run distribute 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 2.5
    """  # noqa: D301 - click's mark for lines that are not rewrapped
    creator = checked_address(creator)
    wei = _wei(amount)
    with connected(network) as settings:
        deployment = current_deployment(settings)
        signer = signing_account(settings, account)
        registry = Registry(settings, signer, deployment)
        factory = contract_at(deployment, "CreatorTokenFactory")
        coin = factory.coinOf(creator)
        if coin == ADDRESS_ZERO:
            raise DeploymentError(f"{creator} has launched no coin")
        reported = contract_at(deployment, "CreatorMetricsManager").creatorMetrics(creator).monthlyRevenue
        currency = settings.chain.currency
        if reported < factory.minimumMonthlyRevenue():
            raise DeploymentError(
                f"Revenue backing not enabled: {creator} reported {coin_amount(reported)} {currency} a month, and it "
                f"takes {coin_amount(factory.minimumMonthlyRevenue())}"
            )
        if signer.balance < wei:
            raise DeploymentError(f"{signer.address} has {coin_amount(signer.balance)} {currency}, not {amount}")
        token = instance("BalancedCreatorToken", coin)
        holders = wei * factory.holdersShare() // BASIS_POINTS
        if 0 < holders < token.minimumDistribution():
            raise DeploymentError(
                f"the holders' share of {amount} {currency} is below {coin_amount(token.minimumDistribution())}"
            )
        plan = [
            ("distributeRevenue", f"{amount} {currency} of {creator}"),
            (f"to the holders of {token.symbol()}", f"{coin_amount(holders)} {currency}"),
            ("to the creator", f"{coin_amount(wei - holders)} {currency}"),
        ]
        confirm_signing(settings, signer, plan, yes=yes)
        receipt = registry.call(factory, "distributeRevenue", creator, value=wei)
        click.echo(f"done: {receipt.txn_hash}")


def _wei(amount: str) -> int:
    try:
        wei = Decimal(amount) * 10**18
        if wei > 0 and wei == int(wei):
            return int(wei)
    except (InvalidOperation, OverflowError, ValueError):
        pass
    raise DeploymentError(f"{amount!r} is not an amount of native coins, more than 0 and to at most 18 decimals")
