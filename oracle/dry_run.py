"""`oracle sync --dry-run`: what would be sent now, and what it would cost."""

from rich.console import Console
from rich.table import Table

from oracle.assembly import Oracle
from oracle.estimates import Estimate, estimates
from oracle.reports import coins
from oracle.repository.sql import CreatorIds


async def due(oracle: Oracle, creator_ids: CreatorIds) -> list[Estimate]:
    """Return what is due now with its cost: figures of these creators, or of all and what else is due for None."""
    intents = await oracle.sync.due(creator_ids)
    if creator_ids is None:
        for part in (oracle.launcher, oracle.releaser, oracle.distributor):
            intents += await part.due()
    outlook = await oracle.gas_prices.outlook()
    return await estimates(oracle.node, intents, outlook.price)


async def show_due(oracle: Oracle, creator_ids: CreatorIds) -> None:
    """Print what is due, the gas it takes, what that costs at the present price, and what is left to spend."""
    found = await due(oracle, creator_ids)
    network = oracle.settings.chain
    outlook = await oracle.gas_prices.outlook()
    table = Table(title=f"Due on {network.name} at {outlook.price} wei per gas: nothing was queued")
    for heading in ("kind", "subject"):
        table.add_column(heading)
    for heading in ("gas", "cost", "sent along"):
        table.add_column(heading, justify="right")
    for each in found:
        gas, cost = (str(each.gas), coins(each.cost, network)) if each.obstacle is None else ("-", each.obstacle)
        table.add_row(each.intent.kind, each.intent.subject, gas, cost, coins(each.intent.value, network))
    table.add_section()
    table.add_row(
        f"{len(found)} transactions",
        "",
        str(sum(each.gas for each in found)),
        coins(sum(each.cost for each in found), network),
        coins(sum(each.intent.value for each in found), network),
    )
    Console().print(table)
