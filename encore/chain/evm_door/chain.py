"""The chain itself: py-evm mines one block for each transaction, and all that was mined stays in memory."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.constants import ZERO_ADDRESS, ZERO_HASH32
from eth.exceptions import PyEVMError
from eth.vm.forks.cancun import CancunVM
from eth_keys.exceptions import BadSignature
from eth_tester.backends.pyevm import PyEVMBackend
from eth_typing import Address, BlockNumber
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from encore.chain.evm_door.errors import INVALID_PARAMS, TRANSACTION_REJECTED, JsonRpcError
from encore.chain.evm_door.journal import JournalEntry, JournalError
from encore.chain.evm_door.pool import TransactionPool
from encore.chain.evm_door.shapes import Json, Place, base_fee, block_json, receipt_json, to_hex, transaction_json
from encore.chain.evm_door.validity import check_transaction
from encore.chain.local_node import FUNDED_ACCOUNTS, FUNDS_IN_COINS
from encore.chain.networks import LOCAL_MNEMONIC, NETWORKS

CHAIN_ID: Final = NETWORKS["local"].chain_id
BLOCK_GAS_LIMIT: Final = 30_000_000
FUNDS: Final = FUNDS_IN_COINS * 10**18
"""Wei that each account of the development mnemonic starts with."""

_GENESIS_TIMESTAMP: Final = 1_700_000_000
_DERIVATION_PATH: Final = "m/44'/60'/0'/0"
_SAFE_DEPTH: Final = 32
_FINALIZED_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """A block with what JSON-RPC tells about it: `block` holds whole transactions, `raw` what was signed."""

    header: BlockHeaderAPI
    block: Json
    receipts: Sequence[Json] = ()
    raw: Sequence[str] = ()

    @property
    def transactions(self) -> Sequence[Json]:
        """The whole transactions."""
        found: Sequence[Json] = self.block["transactions"]
        return found


@dataclass(slots=True)
class _Index:
    """Numbers of blocks by their hash and by the hash of a transaction in them."""

    blocks: dict[str, int] = field(default_factory=dict)
    transactions: dict[str, int] = field(default_factory=dict)


class DevelopmentChain:
    """A chain of one node, one block per transaction, with the rules of Cancun.

    Everything in a block follows from its transaction and its timestamp, so that the same of both give the same
    hashes again. `record` hears of each block before the chain does; when it raises, the block never was.
    """

    def __init__(
        self, *, record: Callable[[JournalEntry], None] | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._record = record
        self._clock = clock
        self._chain, self.accounts = _genesis()
        self._index = _Index()
        self._pool = TransactionPool()
        genesis = self._chain.get_canonical_block_by_number(BlockNumber(0))
        self.blocks: list[MinedBlock] = []
        self._add(MinedBlock(genesis.header, block_json(genesis, [])))

    @property
    def head(self) -> MinedBlock:
        """The newest block."""
        return self.blocks[-1]

    def submit(self, raw: bytes) -> str:
        """Mine a signed transaction, or keep it waiting for the nonces before its own; returns its hash.

        Raises `JsonRpcError` saying why it can never be mined.
        """
        transaction = self._decode(raw)
        header = self.pending_header()
        state = self.state(header)
        check_transaction(transaction, header, state, CHAIN_ID)
        if transaction.nonce > state.get_nonce(transaction.sender):
            self._pool.add(transaction)
        else:
            self._mine(transaction, header)
            self._mine_waiting(transaction.sender)
        return to_hex(transaction.hash)

    def restore(self, entry: JournalEntry) -> None:
        """Mine a transaction again as the journal tells; raises `JournalError` where its block comes out different."""
        header = self._next_header(entry.timestamp)
        try:
            block, receipt = self._execute(self._decode(bytes.fromhex(entry.raw[2:])), header)
        except (JsonRpcError, ValueError) as error:
            raise _unlike_the_journal(header, str(error)) from error
        if to_hex(block.hash) != entry.hash:
            raise _unlike_the_journal(header, f"its hash comes out as {to_hex(block.hash)}, not {entry.hash}")
        self._commit(block, receipt)

    def block_by_hash(self, block_hash: str) -> MinedBlock | None:
        """Return the block with `block_hash`."""
        number = self._index.blocks.get(block_hash)
        return None if number is None else self.blocks[number]

    def block_of_transaction(self, transaction_hash: str) -> MinedBlock | None:
        """Return the block that holds a transaction."""
        number = self._index.transactions.get(transaction_hash)
        return None if number is None else self.blocks[number]

    def waiting(self, transaction_hash: str) -> SignedTransactionAPI | None:
        """Return a transaction that waits for the nonces before its own."""
        return self._pool.by_hash(transaction_hash)

    def finality(self) -> dict[str, int]:
        """Return the numbers of the blocks that the tags of the beacon chain stand for."""
        number = len(self.blocks) - 1
        return {"safe": max(0, number - _SAFE_DEPTH), "finalized": max(0, number - _FINALIZED_DEPTH)}

    def pending_header(self) -> BlockHeaderAPI:
        """Return the header of the block that would be mined now, on the state of the newest."""
        return self._next_header(max(int(self._clock()), self.head.header.timestamp + 1))

    def pending_block(self) -> Json:
        """Return the empty block that would be mined now."""
        return block_json(self._chain.get_vm(self.pending_header()).get_block(), [])

    def state(self, header: BlockHeaderAPI) -> StateAPI:
        """Return a copy of the state after `header` that may be written to and thrown away."""
        return self._chain.get_vm(header).state

    def _decode(self, raw: bytes) -> SignedTransactionAPI:
        builder = self._chain.get_vm_class(self.head.header).get_transaction_builder()
        try:
            transaction = builder.decode(raw)
            transaction.check_signature_validity()
        except (RLPException, PyEVMError, ValidationError, BadSignature) as error:
            raise JsonRpcError(INVALID_PARAMS, f"Failed to decode transaction: {error}") from None
        return transaction

    def _next_header(self, timestamp: int) -> BlockHeaderAPI:
        parent = self.head.header
        return self._chain.create_header_from_parent(
            parent,
            coinbase=ZERO_ADDRESS,
            timestamp=timestamp,
            mix_hash=keccak(parent.hash),  # what PREVRANDAO gives
            parent_beacon_block_root=ZERO_HASH32,
        )

    def _mine(self, transaction: SignedTransactionAPI, header: BlockHeaderAPI) -> None:
        block, receipt = self._execute(transaction, header)
        if self._record is not None:
            self._record(JournalEntry(header.timestamp, to_hex(transaction.encode()), to_hex(block.hash)))
        self._commit(block, receipt)

    def _mine_waiting(self, sender: Address) -> None:
        while True:
            header = self.pending_header()
            state = self.state(header)
            transaction = self._pool.take(sender, state.get_nonce(sender))
            if transaction is None:
                return
            try:
                check_transaction(transaction, header, state, CHAIN_ID)
                self._mine(transaction, header)
            except JsonRpcError:
                return  # its sender can no longer pay for it: nodes drop such a transaction without a word

    def _execute(self, transaction: SignedTransactionAPI, header: BlockHeaderAPI) -> tuple[BlockAPI, ReceiptAPI]:
        vm = self._chain.get_vm(header)
        try:
            filled, receipts, _ = vm.apply_all_transactions([transaction], header)
            block = vm.set_block_transactions_and_withdrawals(vm.get_block(), filled, [transaction], receipts)
            return vm.mine_block(block).block, receipts[0]
        except (PyEVMError, ValidationError) as error:
            raise JsonRpcError(TRANSACTION_REJECTED, str(error)) from error

    def _commit(self, block: BlockAPI, receipt: ReceiptAPI) -> None:
        self._chain.persist_block(block, perform_validation=False)  # mine_block has validated it
        (transaction,) = block.transactions
        header = block.header
        shape = transaction_json(transaction, Place.of(header), base_fee(header))
        self._add(
            MinedBlock(
                header,
                block_json(block, [shape]),
                receipts=[receipt_json(transaction, receipt, header)],
                raw=[to_hex(transaction.encode())],
            )
        )

    def _add(self, mined: MinedBlock) -> None:
        number = len(self.blocks)
        self.blocks.append(mined)
        self._index.blocks[mined.block["hash"]] = number
        for transaction in mined.transactions:
            self._index.transactions[transaction["hash"]] = number


def _unlike_the_journal(header: BlockHeaderAPI, reason: str) -> JournalError:
    return JournalError(
        f"block {header.block_number} cannot be mined again as the journal has it ({reason}): another version of the "
        "development chain wrote it, or something else did; `make reset` starts a new chain"
    )


def _genesis() -> tuple[MiningChain, Sequence[Address]]:
    backend = PyEVMBackend.from_mnemonic(
        LOCAL_MNEMONIC,
        num_accounts=FUNDED_ACCOUNTS,
        hd_path=_DERIVATION_PATH,
        genesis_state_overrides={"balance": FUNDS},
        genesis_parameters=PyEVMBackend.generate_genesis_params(
            {"timestamp": _GENESIS_TIMESTAMP, "gas_limit": BLOCK_GAS_LIMIT}
        ),
        vm_configuration=((0, CancunVM),),
    )
    chain: MiningChain = backend.chain
    chain.chain_id = CHAIN_ID  # eth-tester has one of its own and takes no other
    return chain, backend.get_accounts()
