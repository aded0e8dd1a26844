"""What the outbox asks of a node, in Python values."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from encore.chain.networks import Network
from encore.chain.outbox.reverts import revert_reason
from encore.chain.outbox.signer import Call
from encore.chain.rpc import RpcClient
from encore.errors import RpcError


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block, the last final one, and the fees of the moment (wei per gas)."""

    number: int
    hash: str
    finalized: int
    gas_limit: int
    base_fee: int
    tip: int

    @property
    def gas_price(self) -> int:
        """What a unit of gas costs whoever is mined now, in wei."""
        return self.base_fee + self.tip


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a transaction was mined, whether it did what it should, and the wei that its gas cost."""

    transaction_hash: str
    block_number: int
    block_hash: str
    gas_used: int
    fee_paid: int
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """Receipts by transaction hash, and how many nonces the sender has used, all from one answer."""

    receipts: dict[str, Receipt]
    nonces_used: int


class Node:
    """A typed view of the chain for one sender."""

    def __init__(self, rpc: RpcClient, network: Network, sender: str) -> None:
        self._rpc = rpc
        self.network = network
        self.sender = sender

    async def head(self) -> Head:
        """Read the newest block, finality and fees."""
        latest, tip = await self._rpc.batch(
            [("eth_getBlockByNumber", ["latest", False]), ("eth_maxPriorityFeePerGas", [])]
        )
        number = int(latest["number"], 16)
        return Head(
            number=number,
            hash=latest["hash"],
            finalized=await self._finalized(number),
            gas_limit=int(latest["gasLimit"], 16),
            base_fee=int(latest["baseFeePerGas"], 16),
            tip=int(tip, 16),
        )

    async def _finalized(self, head: int) -> int:
        if self.network.has_finalized_tag:
            try:
                block = await self._rpc.call("eth_getBlockByNumber", "finalized", False)
            except RpcError:  # a young chain has no final block yet, and nodes differ in how they say so
                block = None
            if block is not None:
                return int(block["number"], 16)
        return max(head - self.network.finality_blocks, 0)

    async def nonces_used(self) -> int:
        """Return how many transactions of the sender the newest block's state counts."""
        return int(await self._rpc.call("eth_getTransactionCount", self.sender, "latest"), 16)

    async def balance(self) -> int:
        """Return the sender's wei, less what its waiting transactions spend."""
        return int(await self._rpc.call("eth_getBalance", self.sender, "pending"), 16)

    async def canonical_hashes(self, numbers: Collection[int]) -> dict[int, str | None]:
        """Return the hash of each block of the canonical chain; None where the chain does not reach."""
        blocks = await self._rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        return {number: block and block["hash"] for number, block in zip(numbers, blocks, strict=True)}

    async def settlement(self, hashes: Sequence[str]) -> Settlement:
        """Look transactions up.

        One batch, hence one node's view: a nonce that is used and a receipt that is missing, read from two nodes of
        which one lags, would look like a transaction that can never be mined.
        """
        count, *replies = await self._rpc.batch(
            [
                ("eth_getTransactionCount", [self.sender, "latest"]),
                *(("eth_getTransactionReceipt", [hash_]) for hash_ in hashes),
            ]
        )
        receipts = [_receipt(reply) for reply in replies if reply is not None]
        return Settlement({receipt.transaction_hash: receipt for receipt in receipts}, int(count, 16))

    async def estimate_gas(self, call: Call) -> int:
        """Return the gas that `call` needs on top of what already waits; raises `RpcError` where it reverts."""
        return int(await self._rpc.call("eth_estimateGas", self._arguments(call), "pending"), 16)

    async def broadcast(self, raw: str) -> str | None:
        """Hand a signed transaction over; returns the node's words where it refused.

        A refusal decides nothing: "already known" and "nonce too low" are what a second broadcast hears after the
        answer to the first was lost. Only a receipt does.
        """
        try:
            await self._rpc.call("eth_sendRawTransaction", raw)
        except RpcError as error:
            return error.message
        return None

    async def why_reverted(self, call: Call, block_number: int) -> str:
        """Replay a call that was mined and reverted in `block_number`, for its reason.

        What made it revert may be older than the block or have happened in it: both states are tried.
        """
        for number in (block_number - 1, block_number):
            try:
                await self._rpc.call("eth_call", self._arguments(call), hex(number))
            except RpcError as error:
                return revert_reason(error)
        return f"reverted in block {block_number} for a reason that no longer shows when it is replayed"

    def _arguments(self, call: Call) -> dict[str, str]:
        return {"from": self.sender, "to": call.to, "data": call.data, "value": hex(call.value)}


def _receipt(reply: dict[str, str]) -> Receipt:
    gas_used = int(reply["gasUsed"], 16)
    return Receipt(
        transaction_hash=reply["transactionHash"],
        block_number=int(reply["blockNumber"], 16),
        block_hash=reply["blockHash"],
        gas_used=gas_used,
        fee_paid=gas_used * int(reply["effectiveGasPrice"], 16),
        succeeded=int(reply["status"], 16) == 1,
    )
