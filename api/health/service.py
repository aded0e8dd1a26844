"""The rule of readiness: the right schema, a mirror, and one that is not far behind the chain."""

import asyncio
from typing import Final

from api.deps import Resources
from api.health.schemas import Readiness
from api.problems import UnavailableError
from encore.chain.networks import Network
from encore.db.migrate import check_schema

LAG_SECONDS: Final = 60
LAG_BLOCKS: Final = 5
"""What is allowed to the mirror, whichever is more on the network."""


class MirrorLaggingError(UnavailableError):
    """The mirror is too far behind the chain to be relied on."""

    slug = "mirror-lagging"
    title = "The mirror lags behind the chain"


async def readiness(held: Resources) -> Readiness:
    """Check everything that an answer stands on; raises the problem found first."""
    await asyncio.to_thread(check_schema, held.settings.database)
    network = held.settings.chain
    async with held.view() as view:
        tip = view.tip
    chain_block = int(await held.rpc.call("eth_blockNumber"), 16)
    lag = max(chain_block - tip.number, 0)
    if lag > allowed_lag(network):
        raise MirrorLaggingError(
            f"the mirror is at block {tip.number}, {lag} blocks behind the chain; is `encore indexer run` running?"
        )
    return Readiness(indexed_block=tip.wire(), chain_block=chain_block, lag_blocks=lag)


def allowed_lag(network: Network) -> int:
    """Return how many blocks the mirror may be behind."""
    return max(LAG_BLOCKS, int(LAG_SECONDS / network.block_seconds))
