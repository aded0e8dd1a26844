"""Remembers the latest transactions of the local chain, whose own state reaches the disk only once a second."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from encore.chain.rpc import RpcClient
from encore.errors import RpcError, RpcUnavailableError

POLL_SECONDS: Final = 0.05
BLOCKS_REMEMBERED: Final = 5_000


@dataclass(frozen=True, slots=True)
class _MinedBlock:
    number: int
    raw_transactions: Sequence[str]


class ChainJournal:
    """Follows the chain and can put back what it lost when it was killed between two writes of its state.

    Invariant: after `replay` every transaction that `follow` had seen mined is on the chain again, in the same order;
    the nonce of each makes it impossible to apply one twice.
    """

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._blocks: deque[_MinedBlock] = deque(maxlen=BLOCKS_REMEMBERED)
        self._replaying = asyncio.Lock()

    @property
    def last_block(self) -> int | None:
        """The newest block that was taken note of."""
        return self._blocks[-1].number if self._blocks else None

    async def follow(self) -> None:
        """Take note of every new block until cancelled; a node that is away is waited for."""
        while True:
            try:
                async with self._replaying:
                    await self._take_note()
            except (RpcError, RpcUnavailableError):
                pass  # the supervisor starts the node again, and then calls replay()
            await asyncio.sleep(POLL_SECONDS)

    async def replay(self) -> int:
        """Send again what the restored chain does not have; returns how many transactions that were."""
        async with self._replaying:
            head = int(await self._rpc.call("eth_blockNumber"), 16)
            lost = [block for block in self._blocks if block.number > head]
            sent = 0
            for raw in (raw for block in lost for raw in block.raw_transactions):
                with suppress(RpcError):  # its sender was quicker to send it again
                    await self._rpc.call("eth_sendRawTransaction", raw)
                    sent += 1
            while self._blocks and self._blocks[-1].number > head:
                self._blocks.pop()
            return sent

    async def _take_note(self) -> None:
        head = int(await self._rpc.call("eth_blockNumber"), 16)
        first = self._blocks[-1].number + 1 if self._blocks else head
        for number in range(max(first, head - BLOCKS_REMEMBERED + 1), head + 1):
            block = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
            raw = await self._rpc.batch([("eth_getRawTransactionByHash", [tx]) for tx in block["transactions"]])
            self._blocks.append(_MinedBlock(number, raw))
