"""Transactions that wait for the nonces before their own."""

from eth.abc import SignedTransactionAPI
from eth_typing import Address

from encore.chain.evm_door.errors import TRANSACTION_REJECTED, JsonRpcError
from encore.chain.evm_door.shapes import to_hex


class TransactionPool:
    """At most one transaction for each sender and nonce. It lives in memory: like any node's, it is lost on exit."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Address, int], SignedTransactionAPI] = {}

    def add(self, transaction: SignedTransactionAPI) -> None:
        """Keep a transaction; one of the same sender and nonce gives way to it when it offers 10 % more for gas."""
        key = (transaction.sender, transaction.nonce)
        previous = self._waiting.get(key)
        if previous is not None:
            if previous.hash == transaction.hash:
                raise JsonRpcError(TRANSACTION_REJECTED, "transaction already imported")
            if not _outbids(transaction, previous):
                raise JsonRpcError(TRANSACTION_REJECTED, "replacement transaction underpriced")
        self._waiting[key] = transaction

    def take(self, sender: Address, nonce: int) -> SignedTransactionAPI | None:
        """Remove and return the transaction whose turn it is."""
        return self._waiting.pop((sender, nonce), None)

    def by_hash(self, transaction_hash: str) -> SignedTransactionAPI | None:
        """Return the waiting transaction with `transaction_hash`."""
        return next((known for known in self._waiting.values() if to_hex(known.hash) == transaction_hash), None)


def _outbids(transaction: SignedTransactionAPI, previous: SignedTransactionAPI) -> bool:
    return (
        transaction.max_fee_per_gas * 10 >= previous.max_fee_per_gas * 11
        and transaction.max_priority_fee_per_gas * 10 >= previous.max_priority_fee_per_gas * 11
    )
