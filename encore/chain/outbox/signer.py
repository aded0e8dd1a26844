"""The key that signs. It never leaves this object, and no repr, log line or error shows it."""

from dataclasses import dataclass

from eth_account import Account
from eth_utils.address import to_checksum_address

from encore.chain.outbox.fees import Fees


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction does: `data` as 0x hex sent to `to` with `value` wei."""

    to: str
    data: str
    value: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes to broadcast and their hash, both 0x hex."""

    raw: str
    hash: str


class Signer:
    """Signs EIP-1559 transactions of one account on one chain; `address` is lower case."""

    __slots__ = ("_account", "address", "chain_id")

    def __init__(self, private_key: str, chain_id: int) -> None:
        self._account = Account.from_key(private_key)
        self.address = str(self._account.address).lower()
        self.chain_id = chain_id

    def __repr__(self) -> str:
        return f"Signer(address={self.address!r}, chain_id={self.chain_id})"

    def sign(self, call: Call, *, nonce: int, gas_limit: int, fees: Fees) -> SignedTransaction:
        """Sign `call`; the same arguments give the same bytes (RFC 6979)."""
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self.chain_id,
                "nonce": nonce,
                "to": to_checksum_address(call.to),
                "data": call.data,
                "value": call.value,
                "gas": gas_limit,
                "maxFeePerGas": fees.max_fee_per_gas,
                "maxPriorityFeePerGas": fees.max_priority_fee_per_gas,
            }
        )
        return SignedTransaction(signed.raw_transaction.to_0x_hex(), signed.hash.to_0x_hex())
