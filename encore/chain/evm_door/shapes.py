"""Blocks, transactions, receipts and logs as JSON-RPC objects, with the fields that anvil gives them."""

from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth_typing import Address
from eth_utils.crypto import keccak

Json = dict[str, Any]

BLOB_BASE_FEE: Final = hex(1)
"""Wei per blob gas where nobody sends blobs (EIP-4844)."""

_BLOOM_BYTES: Final = 256
_LEGACY: Final = 0
_DYNAMIC_FEE: Final = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction was mined, as JSON-RPC tells it. Every block holds one transaction at most."""

    block_hash: str
    block_number: str
    block_timestamp: str

    @classmethod
    def of(cls, header: BlockHeaderAPI) -> "Place":
        """Return the place of the block with `header`."""
        return cls(to_hex(header.hash), hex(header.block_number), hex(header.timestamp))


def to_hex(data: bytes) -> str:
    """Return `data` as a 0x string with every byte in it."""
    return f"0x{data.hex()}"


def base_fee(header: BlockHeaderAPI) -> int:
    """Return the wei per gas that are burnt in a block."""
    return header.base_fee_per_gas or 0


def contract_address(creator: Address, nonce: int) -> Address:
    """Return where the transaction of `creator` with `nonce` puts the contract that it creates."""
    return Address(keccak(rlp.encode([creator, nonce]))[12:])


def effective_gas_price(transaction: SignedTransactionAPI, fee_per_gas: int) -> int:
    """Return what the sender pays per gas (wei) in a block whose base fee is `fee_per_gas` (EIP-1559)."""
    return min(transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas + fee_per_gas)


def block_json(block: BlockAPI, transactions: list[Json]) -> Json:
    """Return a block with whole transactions in it."""
    header: Any = block.header  # py-evm calls the fields that came with later forks optional
    return {
        "hash": to_hex(header.hash),
        "parentHash": to_hex(header.parent_hash),
        "sha3Uncles": to_hex(header.uncles_hash),
        "miner": to_hex(header.coinbase),
        "stateRoot": to_hex(header.state_root),
        "transactionsRoot": to_hex(header.transaction_root),
        "receiptsRoot": to_hex(header.receipt_root),
        "logsBloom": _bloom(header.bloom),
        "difficulty": hex(header.difficulty),
        "number": hex(header.block_number),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": to_hex(header.extra_data),
        "mixHash": to_hex(header.mix_hash),
        "nonce": to_hex(header.nonce),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "withdrawalsRoot": to_hex(header.withdrawals_root),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": to_hex(header.parent_beacon_block_root),
        "totalDifficulty": hex(0),
        "size": hex(len(rlp.encode(block))),
        "uncles": [],
        "transactions": transactions,
        "withdrawals": [],
    }


def transaction_json(transaction: SignedTransactionAPI, place: Place | None, fee_per_gas: int) -> Json:
    """Return a transaction, without a `place` while it waits; `fee_per_gas` is the base fee (wei) of the block."""
    type_id = transaction.type_id or _LEGACY
    shape: Json = {
        "type": hex(type_id),
        "nonce": hex(transaction.nonce),
        "gasPrice": hex(effective_gas_price(transaction, fee_per_gas)),
        "gas": hex(transaction.gas),
        "to": _recipient(transaction),
        "value": hex(transaction.value),
        "input": to_hex(transaction.data),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
        "v": hex(transaction.y_parity),
        "hash": to_hex(transaction.hash),
        "from": to_hex(transaction.sender),
        "blockHash": place and place.block_hash,
        "blockNumber": place and place.block_number,
        "transactionIndex": place and hex(0),
    }
    if place is not None:
        shape["blockTimestamp"] = place.block_timestamp
    if transaction.chain_id is not None:
        shape["chainId"] = hex(transaction.chain_id)
    if type_id == _LEGACY:
        shape["v"] = hex(transaction.v)  # type: ignore[attr-defined]  # legacy transactions alone have it
        return shape
    shape["yParity"] = hex(transaction.y_parity)
    shape["accessList"] = [
        {"address": to_hex(address), "storageKeys": [to_hex(slot.to_bytes(32)) for slot in slots]}
        for address, slots in transaction.access_list
    ]
    if type_id == _DYNAMIC_FEE:
        shape["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        shape["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return shape


def receipt_json(transaction: SignedTransactionAPI, receipt: ReceiptAPI, header: BlockHeaderAPI) -> Json:
    """Return the receipt of the only transaction of the block with `header`."""
    place = Place.of(header)
    recipient = _recipient(transaction)
    created = None if recipient else to_hex(contract_address(transaction.sender, transaction.nonce))
    shared = {
        "blockHash": place.block_hash,
        "blockNumber": place.block_number,
        "blockTimestamp": place.block_timestamp,
        "transactionHash": to_hex(transaction.hash),
        "transactionIndex": hex(0),
    }
    logs = [
        {
            "address": to_hex(log.address),
            "topics": [to_hex(topic.to_bytes(32)) for topic in log.topics],
            "data": to_hex(log.data),
            **shared,
            "logIndex": hex(index),
            "removed": False,
        }
        for index, log in enumerate(receipt.logs)
    ]
    return {
        "type": hex(transaction.type_id or _LEGACY),
        "status": hex(int.from_bytes(receipt.state_root)),  # where receipts carry it since EIP-658
        "cumulativeGasUsed": hex(receipt.gas_used),
        "logs": logs,
        "logsBloom": _bloom(receipt.bloom),
        **shared,
        "gasUsed": hex(receipt.gas_used),
        "effectiveGasPrice": hex(effective_gas_price(transaction, base_fee(header))),
        "blobGasPrice": BLOB_BASE_FEE,
        "from": to_hex(transaction.sender),
        "to": recipient,
        "contractAddress": created,
    }


def _recipient(transaction: SignedTransactionAPI) -> str | None:
    return None if transaction.to == CREATE_CONTRACT_ADDRESS else to_hex(transaction.to)


def _bloom(bits: int) -> str:
    return to_hex(bits.to_bytes(_BLOOM_BYTES))
