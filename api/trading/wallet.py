"""Completing calls into transactions of one wallet: nonce, gas and fees as the chain has them now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import decode

from api.problems import ProblemError
from api.trading import calls
from api.trading.schemas import UnsignedTransaction
from encore.chain.outbox.reverts import is_revert, revert_reason
from encore.chain.outbox.signer import Call
from encore.chain.rpc import RpcClient
from encore.errors import RpcError

GAS_MARGIN_PERCENT: Final = 125
"""State may move between estimate and mining; gas that is not used is not paid."""
GAS_OF_A_DIVISION: Final = 30_000
"""Room for dividing revenue, about 20 000 gas: the first call that moves a coin in a second after the revenue came does
it, so an estimate of the very second that it came in lacks it (docs/decisions/0006)."""
GAS_AFTER_APPROVAL_FACTOR: Final = 6
"""A sale cannot be estimated before its approval is mined. One on anvil took 1.4 approvals' gas; the rest is room."""
_EIP712_DOMAIN: Final = ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]")
BASE_FEE_FACTOR: Final = 2
"""The offer stays good while the base fee doubles, as wallets do."""


class TransactionRefusedError(ProblemError):
    """The contract or the node would refuse this transaction now; `detail` has its words."""

    status = 422
    slug = "transaction-refused"
    title = "The transaction would be refused"


@dataclass(frozen=True, slots=True)
class ChainState:
    """What a wallet's next transactions share; fees in wei per gas, the newest block's `timestamp` in unix seconds."""

    timestamp: int
    nonce: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int


class Wallet:
    """Prepares transactions of the wallet at `address`; it cannot sign any."""

    def __init__(self, rpc: RpcClient, chain_id: int, address: str) -> None:
        self._rpc = rpc
        self._chain_id = chain_id
        self.address = address

    async def state(self) -> ChainState:
        """Ask a node for nonce, fees and time."""
        block, priority, nonce = await self._rpc.batch(
            [
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_maxPriorityFeePerGas", []),
                ("eth_getTransactionCount", [self.address, "pending"]),
            ]
        )
        tip = int(priority, 16)
        return ChainState(
            timestamp=int(block["timestamp"], 16),
            nonce=int(nonce, 16),
            max_fee_per_gas=BASE_FEE_FACTOR * int(block["baseFeePerGas"], 16) + tip,
            max_priority_fee_per_gas=tip,
        )

    async def allowance(self, token: str, spender: str) -> int:
        """Ask how many token wei `spender` may take from the wallet."""
        call = calls.allowance(token, self.address, spender)
        return int(await self._rpc.call("eth_call", {"to": call.to, "data": call.data}, "latest"), 16)

    async def permit_nonce(self, token: str) -> int:
        """Ask for the number of the wallet's next permit (EIP-2612)."""
        call = calls.nonces(token, self.address)
        return int(await self._rpc.call("eth_call", {"to": call.to, "data": call.data}, "latest"), 16)

    async def signing_domain(self, token: str) -> tuple[str, str]:
        """Ask for the name and version that signatures for `token` are bound to (EIP-5267)."""
        call = calls.eip712_domain(token)
        answer = await self._rpc.call("eth_call", {"to": call.to, "data": call.data}, "latest")
        _, name, version, *_ = decode(_EIP712_DOMAIN, bytes.fromhex(answer.removeprefix("0x")))
        return name, version

    async def prepare(self, state: ChainState, steps: Sequence[Call]) -> list[UnsignedTransaction]:
        """Complete one call, or an approval and the call that needs it.

        Raises `TransactionRefusedError` where the first would revert.
        """
        first_gas = await self._estimate(steps[0])
        limits = [first_gas, *(first_gas * GAS_AFTER_APPROVAL_FACTOR for _ in steps[1:])]
        return [
            UnsignedTransaction(
                chain_id=hex(self._chain_id),
                sender=self.address,
                to=call.to,
                data=call.data,
                value=hex(call.value),
                nonce=hex(state.nonce + offset),
                gas=hex(gas),
                max_fee_per_gas=hex(state.max_fee_per_gas),
                max_priority_fee_per_gas=hex(state.max_priority_fee_per_gas),
            )
            for offset, (call, gas) in enumerate(zip(steps, limits, strict=True))
        ]

    async def _estimate(self, call: Call) -> int:
        try:
            estimate = await self._rpc.call(
                "eth_estimateGas",
                {"from": self.address, "to": call.to, "data": call.data, "value": hex(call.value)},
                "pending",
            )
        except RpcError as error:
            words = revert_reason(error) if is_revert(error) else error.message
            raise TransactionRefusedError(f"it would be refused now: {words}") from None
        return int(estimate, 16) * GAS_MARGIN_PERCENT // 100 + GAS_OF_A_DIVISION
