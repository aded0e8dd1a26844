"""What transactions would cost, before any of them is queued."""

from collections.abc import Sequence
from dataclasses import dataclass

from encore.chain.outbox import Intent, Node
from encore.chain.outbox.reverts import revert_reason
from encore.chain.outbox.signer import Call
from encore.errors import RpcError


@dataclass(frozen=True, slots=True)
class Estimate:
    """An intention, the gas that it takes and the wei that this costs; nothing where an `obstacle` says why not."""

    intent: Intent
    gas: int = 0
    cost: int = 0
    obstacle: str | None = None


async def estimates(node: Node, intents: Sequence[Intent], gas_price: int) -> list[Estimate]:
    """Ask the chain, as it stands, what each intention takes at `gas_price` wei per gas."""
    return [await _estimate(node, intent, gas_price) for intent in intents]


async def _estimate(node: Node, intent: Intent, gas_price: int) -> Estimate:
    try:
        gas = await node.estimate_gas(Call(intent.to, intent.data, intent.value))
    except RpcError as error:
        return Estimate(intent, obstacle=revert_reason(error))
    return Estimate(intent, gas, gas * gas_price)
