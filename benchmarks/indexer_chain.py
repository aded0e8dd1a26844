"""The chain that the indexer's benchmark indexes: an anvil with a contract that emits Transfers as it is told."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from vyper import compile_code

from encore.chain.local_node import chain_command, free_port
from encore.chain.rpc import RpcClient
from encore.errors import RpcUnavailableError

ACCOUNTS: Final = 2_000
EVENTS_PER_MINT: Final = 500
GAS: Final = 29_000_000
ANVIL_MEMORY_BYTES: Final = 12 * 2**30
"""Of addresses, as `ulimit -v` counts: anvil keeps every block's state, and unbounded it takes the machine down."""

EMITTER: Final = """
# pragma version 0.4.3
# pragma evm-version cancun
event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

@external
def mint(first: uint256, count: uint256):
    for i: uint256 in range(count, bound=1000):
        log Transfer(sender=empty(address), receiver=convert(first + i, address), value=10**30)

@external
def move(first: uint256, count: uint256, accounts: uint256):
    for i: uint256 in range(count, bound=1000):
        account: uint256 = first + i
        log Transfer(
            sender=convert(1 + account * 7 % accounts, address),
            receiver=convert(1 + account * 13 % accounts, address),
            value=1 + i
        )
"""


@dataclass
class Chain:
    """An anvil with the emitter on it, once it is prepared."""

    url: str
    rpc: RpcClient
    sender: str = ""
    emitter: str = ""

    async def prepare(self, events: int, per_block: int) -> None:
        """Mint to every account and move coins between them until there are `events`, one transaction a block."""
        while not self.sender:
            try:
                self.sender = (await self.rpc.call("eth_accounts"))[0]
            except RpcUnavailableError:
                continue
        deployed = await self._send({"data": compile_code(EMITTER, output_formats=["bytecode"])["bytecode"]})
        self.emitter = (await self.rpc.call("eth_getTransactionReceipt", deployed))["contractAddress"].lower()
        for first in range(0, ACCOUNTS, EVENTS_PER_MINT):
            await self._call("mint(uint256,uint256)", first + 1, EVENTS_PER_MINT)
        for first in range(0, events - ACCOUNTS, per_block):
            await self.move(first, min(per_block, events - ACCOUNTS - first))

    async def move(self, first: int, count: int) -> None:
        """Mine a block of `count` transfers."""
        await self._call("move(uint256,uint256,uint256)", first, count, ACCOUNTS)

    async def head(self) -> int:
        """Return the newest block's number."""
        return int(await self.rpc.call("eth_blockNumber"), 16)

    async def _call(self, function: str, *arguments: int) -> None:
        data = keccak(text=function)[:4] + encode(["uint256"] * len(arguments), arguments)
        await self._send({"to": self.emitter, "data": "0x" + data.hex()})

    async def _send(self, transaction: dict[str, Any]) -> str:
        """Send a transaction and wait until it is mined: an unacknowledged flood makes anvil grow without bound."""
        sent: str = await self.rpc.call("eth_sendTransaction", {"from": self.sender, "gas": hex(GAS)} | transaction)
        while await self.rpc.call("eth_getTransactionReceipt", sent) is None:
            pass
        return sent


@asynccontextmanager
async def running_chain() -> AsyncIterator[Chain]:
    """Run an anvil."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(*chain_command(port, None), preexec_fn=_limit_memory)
    try:
        async with RpcClient([f"http://127.0.0.1:{port}"], attempts=20) as rpc:
            yield Chain(f"http://127.0.0.1:{port}", rpc)
    finally:
        process.kill()
        await process.wait()


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ANVIL_MEMORY_BYTES, ANVIL_MEMORY_BYTES))
