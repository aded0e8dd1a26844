"""The JSON-RPC methods: parameters in, JSON values out."""

import inspect
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Final, TypeVar

from eth.abc import BlockHeaderAPI, StateAPI
from eth_utils.address import to_checksum_address

from encore.chain.evm_door import params
from encore.chain.evm_door.chain import BLOCK_GAS_LIMIT, CHAIN_ID, DevelopmentChain, MinedBlock
from encore.chain.evm_door.errors import INVALID_INPUT, METHOD_NOT_FOUND, RESOURCE_NOT_FOUND, JsonRpcError
from encore.chain.evm_door.execution import call, estimate_gas
from encore.chain.evm_door.shapes import BLOB_BASE_FEE, Json, base_fee, to_hex, transaction_json

PRIORITY_FEE: Final = 10**9
"""Wei per gas that senders are told to offer on top of the base fee; any offer is mined at once."""

LONGEST_FEE_HISTORY: Final = 1024

Method = Callable[..., Any]
T = TypeVar("T")


class Methods:
    """What the chain answers. Every handler takes the JSON values of `params`, in their order."""

    def __init__(self, chain: DevelopmentChain) -> None:
        self._chain = chain
        self._client = f"encore-evm-door/{version('encore')}/py-evm-{version('py-evm')}"
        self._handlers: dict[str, Method] = {
            "eth_accounts": self._accounts,
            "eth_blockNumber": self._block_number,
            "eth_call": self._call,
            "eth_chainId": self._chain_id,
            "eth_estimateGas": self._estimate_gas,
            "eth_feeHistory": self._fee_history,
            "eth_gasPrice": self._gas_price,
            "eth_getBalance": self._balance,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockReceipts": self._block_receipts,
            "eth_getCode": self._code,
            "eth_getLogs": self._logs,
            "eth_getRawTransactionByHash": self._raw_transaction,
            "eth_getStorageAt": self._storage,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionCount": self._transaction_count,
            "eth_getTransactionReceipt": self._receipt,
            "eth_maxPriorityFeePerGas": self._priority_fee,
            "eth_sendRawTransaction": self._send_raw_transaction,
            "eth_syncing": self._syncing,
            "net_version": self._net_version,
            "web3_clientVersion": self._client_version,
        }

    def answer(self, method: str, arguments: Sequence[object]) -> Any:
        """Return the result of one request; raises `JsonRpcError`."""
        handler = self._handlers.get(method)
        if handler is None:
            raise JsonRpcError(METHOD_NOT_FOUND, f"the development chain has no method {method}")
        try:
            inspect.signature(handler).bind(*arguments)
        except TypeError as error:
            raise params.invalid(f"{method}: {error}") from None
        return handler(*arguments)

    # The node

    def _client_version(self) -> str:
        return self._client

    def _net_version(self) -> str:
        return str(CHAIN_ID)

    def _chain_id(self) -> str:
        return hex(CHAIN_ID)

    def _syncing(self) -> bool:
        return False

    def _accounts(self) -> list[str]:
        return [to_checksum_address(account) for account in self._chain.accounts]

    # Blocks

    def _block_number(self) -> str:
        return hex(self._chain.head.header.block_number)

    def _block_by_number(self, number: object, full: object = None) -> Json | None:
        if number == "pending":
            return self._chain.pending_block()
        block = self._find(number)
        return None if block is None else _with_transactions(block.block, full=bool(full))

    def _block_by_hash(self, block_hash: object, full: object = None) -> Json | None:
        block = self._chain.block_by_hash(params.hash_text(block_hash))
        return None if block is None else _with_transactions(block.block, full=bool(full))

    def _block_receipts(self, block: object) -> Sequence[Json] | None:
        found = self._find(block)
        return None if found is None else found.receipts

    def _logs(self, log_filter: object) -> list[Json]:
        wanted = params.log_filter(log_filter)
        return [
            log
            for block in self._filtered_blocks(wanted)
            for receipt in block.receipts
            for log in receipt["logs"]
            if wanted.matches(log)
        ]

    def _filtered_blocks(self, wanted: params.LogFilter) -> Sequence[MinedBlock]:
        if wanted.block_hash is not None:
            block = self._chain.block_by_hash(wanted.block_hash)
            if block is None:
                raise JsonRpcError(INVALID_INPUT, "unknown block")
            return [block]
        first = self._number(wanted.from_block)
        if first >= len(self._chain.blocks):
            raise self._out_of_range(first)
        return self._chain.blocks[first : self._number(wanted.to_block) + 1]

    # Transactions

    def _send_raw_transaction(self, raw: object) -> str:
        return self._chain.submit(params.binary(raw))

    def _transaction(self, transaction_hash: object) -> Json | None:
        wanted = params.hash_text(transaction_hash)
        block = self._chain.block_of_transaction(wanted)
        if block is not None:
            return _only(block.transactions)
        waiting = self._chain.waiting(wanted)
        return None if waiting is None else transaction_json(waiting, None, base_fee(self._chain.pending_header()))

    def _raw_transaction(self, transaction_hash: object) -> str | None:
        wanted = params.hash_text(transaction_hash)
        block = self._chain.block_of_transaction(wanted)
        if block is not None:
            return _only(block.raw)
        waiting = self._chain.waiting(wanted)
        return None if waiting is None else to_hex(waiting.encode())

    def _receipt(self, transaction_hash: object) -> Json | None:
        block = self._chain.block_of_transaction(params.hash_text(transaction_hash))
        return None if block is None else _only(block.receipts)

    # Accounts

    def _balance(self, account: object, block: object = "latest") -> str:
        return hex(self._state(block).get_balance(params.address(account)))

    def _code(self, account: object, block: object = "latest") -> str:
        return to_hex(self._state(block).get_code(params.address(account)))

    def _storage(self, account: object, slot: object, block: object = "latest") -> str:
        value = self._state(block).get_storage(params.address(account), params.quantity(slot))
        return to_hex(value.to_bytes(params.HASH_BYTES))

    def _transaction_count(self, account: object, block: object = "latest") -> str:
        return hex(self._state(block).get_nonce(params.address(account)))

    # Calls

    def _call(self, transaction: object, block: object = "latest") -> str:
        request = params.call_request(transaction)
        return to_hex(call(self._state(block), request, min(request.gas or BLOCK_GAS_LIMIT, BLOCK_GAS_LIMIT)))

    def _estimate_gas(self, transaction: object, block: object = "pending") -> str:
        request = params.call_request(transaction)
        header = self._header(block)
        gas_limit = min(request.gas or BLOCK_GAS_LIMIT, BLOCK_GAS_LIMIT)
        return hex(estimate_gas(lambda: self._chain.state(header), request, gas_limit))

    # Fees

    def _priority_fee(self) -> str:
        return hex(PRIORITY_FEE)

    def _gas_price(self) -> str:
        return hex(base_fee(self._chain.pending_header()) + PRIORITY_FEE)

    def _fee_history(self, count: object, newest: object, percentiles: object = None) -> Json:
        last = self._number(newest)
        if last >= len(self._chain.blocks):
            raise self._out_of_range(last)
        wanted = count if isinstance(count, int) else params.quantity(count)
        if not 1 <= wanted <= LONGEST_FEE_HISTORY:
            raise params.invalid(f"the block count must be from 1 to {LONGEST_FEE_HISTORY}")
        if percentiles is not None and not isinstance(percentiles, list):
            raise params.invalid("the reward percentiles must be a list")
        blocks = self._chain.blocks[max(0, last + 1 - wanted) : last + 1]
        after = self._chain.blocks[last + 1].header if last + 1 < len(self._chain.blocks) else self._header("pending")
        return {
            "oldestBlock": blocks[0].block["number"],
            "baseFeePerGas": [hex(base_fee(header)) for header in (*(block.header for block in blocks), after)],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
            "baseFeePerBlobGas": [BLOB_BASE_FEE] * (len(blocks) + 1),
            "blobGasUsedRatio": [0.0] * len(blocks),
            # With one transaction in a block, its tip is the reward at every percentile.
            "reward": [[_tip(block)] * len(percentiles) for block in blocks] if percentiles else [],
        }

    # Block parameters

    def _state(self, block: object) -> StateAPI:
        return self._chain.state(self._header(block))

    def _header(self, block: object) -> BlockHeaderAPI:
        if block == "pending":
            return self._chain.pending_header()
        found = self._find(block)
        if found is None and isinstance(block, dict):
            raise JsonRpcError(RESOURCE_NOT_FOUND, "unknown block")
        if found is None:
            raise self._out_of_range(self._number(block))
        return found.header

    def _find(self, block: object) -> MinedBlock | None:
        if isinstance(block, dict) and "blockHash" in block:  # EIP-1898
            return self._chain.block_by_hash(params.hash_text(block["blockHash"]))
        number = self._number(block)
        return self._chain.blocks[number] if number < len(self._chain.blocks) else None

    def _number(self, block: object) -> int:
        if isinstance(block, dict):
            return self._number(block.get("blockNumber"))
        newest = len(self._chain.blocks) - 1
        tags = {"earliest": 0, "latest": newest, "pending": newest, **self._chain.finality()}
        return tags[block] if isinstance(block, str) and block in tags else params.quantity(block)

    def _out_of_range(self, number: int) -> JsonRpcError:
        newest = len(self._chain.blocks) - 1
        return params.invalid(f"BlockOutOfRangeError: block height is {newest} but requested was {number}")


def _with_transactions(block: Json, *, full: bool) -> Json:
    if full:
        return block
    return {**block, "transactions": [transaction["hash"] for transaction in block["transactions"]]}


def _tip(block: MinedBlock) -> str:
    if not block.receipts:
        return hex(0)
    return hex(int(_only(block.receipts)["effectiveGasPrice"], 16) - base_fee(block.header))


def _only(items: Sequence[T]) -> T:
    (item,) = items
    return item
