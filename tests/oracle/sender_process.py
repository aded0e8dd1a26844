"""A process that sends the outbox until it is killed: `python sender_process.py DATABASE_URL RPC_URL`."""

import asyncio
import sys

from encore.chain.networks import network_named
from encore.chain.outbox import FeePolicy, Node, OutboxSender, Signer
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.errors import RpcError, RpcUnavailableError
from encore.settings import local_account_key


async def main(database_url: str, rpc_url: str) -> None:
    """Run rounds for ever; a node's faults are none of a test's business."""
    network = network_named("local")
    signer = Signer(local_account_key(1), network.chain_id)
    async with RpcClient([rpc_url]) as rpc:
        node = Node(rpc, network, signer.address)
        sender = OutboxSender(Database(database_url), node, signer, FeePolicy(cap=1_000 * GWEI))
        while True:
            try:
                progress = await sender.run_once()
            except (RpcError, RpcUnavailableError):
                continue
            if not progress.changed:
                await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
