"""Whether a signed transaction can be mined, told in the words that wallets know from other nodes."""

from eth.abc import BlockHeaderAPI, SignedTransactionAPI, StateAPI
from eth.vm.forks.cancun.constants import BLOB_TX_TYPE

from encore.chain.evm_door.errors import INVALID_INPUT, TRANSACTION_REJECTED, JsonRpcError
from encore.chain.evm_door.shapes import base_fee


def check_transaction(
    transaction: SignedTransactionAPI, header: BlockHeaderAPI, state: StateAPI, chain_id: int
) -> None:
    """Raise `JsonRpcError` when `transaction` cannot be in the block of `header` on top of `state`, now or later."""
    _check_signed_content(transaction, header, chain_id)
    if transaction.nonce < state.get_nonce(transaction.sender):
        raise JsonRpcError(TRANSACTION_REJECTED, "nonce too low")
    if transaction.max_fee_per_gas < base_fee(header):
        raise JsonRpcError(TRANSACTION_REJECTED, "max fee per gas less than block base fee")
    cost = transaction.value + transaction.gas * transaction.max_fee_per_gas
    if state.get_balance(transaction.sender) < cost:
        raise JsonRpcError(TRANSACTION_REJECTED, "Insufficient funds for gas * price + value")


def _check_signed_content(transaction: SignedTransactionAPI, header: BlockHeaderAPI, chain_id: int) -> None:
    if transaction.chain_id not in (chain_id, None):  # None: signed for any chain, as before EIP-155
        raise JsonRpcError(
            TRANSACTION_REJECTED, f"invalid chain id for signer: have {transaction.chain_id} want {chain_id}"
        )
    if transaction.type_id == BLOB_TX_TYPE:
        raise JsonRpcError(TRANSACTION_REJECTED, "the development chain takes no blob transactions")
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise JsonRpcError(TRANSACTION_REJECTED, "max priority fee per gas higher than max fee per gas")
    if transaction.gas < transaction.intrinsic_gas:
        raise JsonRpcError(INVALID_INPUT, "intrinsic gas too low")
    if transaction.gas > header.gas_limit:
        raise JsonRpcError(INVALID_INPUT, "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit")
