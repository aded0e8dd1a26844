"""Makes anvil's state on disk survive a kill at any moment.

anvil writes its state once a second, and not in one piece: a kill loses up to a second, may cut the file short, and a
file written while a block was mined has that block's effects without the block. So three files are kept: anvil's own,
a copy that was whole (the base), and a journal of every transaction mined since that copy.
"""

import asyncio
import gzip
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from encore.chain.local_node import chain_command, free_port
from encore.chain.rpc import RpcClient
from encore.errors import RpcError, RpcUnavailableError
from encore.stack.ports import wait_until_listening

POLL_SECONDS: Final = 0.05
IDLE_SECONDS: Final = 3.0
"""After this long without a block anvil's file was written in peace."""
BASE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """What it takes to mine a block again: its time (unix seconds) and its signed transactions in order."""

    number: int
    timestamp: int
    transactions: Sequence[str]


class AnvilState:
    """The state of one local chain in `folder`.

    Invariant: base + journal give every transaction that was seen mined, in the same order and at the same times. The
    nonce of each makes it impossible to apply one twice.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._state = folder / "anvil.json"
        self._genesis = folder / "anvil.genesis.json"
        self._base = folder / "anvil.base.json"
        self._journal = folder / "anvil.journal.jsonl"
        self._noted = 0

    async def restore(self) -> int:
        """Make anvil's file whole before anvil starts; returns how many transactions had to be mined again."""
        state = read_whole(self._state) or read_whole(self._base)
        if state is None:
            self._state.unlink(missing_ok=True)
            state = await _mine(self._folder, [])
            self._genesis.write_bytes(orjson.dumps(state["blocks"]))
        self._keep(state)
        missing = [block for block in self._read_journal() if block.number > state["best_block_number"]]
        if missing:
            state = await _mine(self._folder, missing)
            self._keep(state)
        self._noted = state["best_block_number"]
        self._journal.unlink(missing_ok=True)
        return sum(len(block.transactions) for block in missing)

    async def follow(self, rpc: RpcClient) -> None:
        """Take note of every new block until cancelled; a node that is away is waited for."""
        last_block_at = last_base_at = time.monotonic()
        while True:
            with suppress(RpcError, RpcUnavailableError):
                if await self._take_note(rpc):
                    last_block_at = time.monotonic()
            now = time.monotonic()
            if now - last_block_at > IDLE_SECONDS and now - last_base_at > BASE_SECONDS and self._journal.exists():
                last_base_at = now
                await asyncio.to_thread(self._make_base)
            await asyncio.sleep(POLL_SECONDS)

    @property
    def noted(self) -> int:
        """The newest block that was taken note of."""
        return self._noted

    async def _take_note(self, rpc: RpcClient) -> bool:
        head = int(await rpc.call("eth_blockNumber"), 16)
        if head <= self._noted:
            return False
        with self._journal.open("ab") as journal:
            for number in range(self._noted + 1, head + 1):
                block = await rpc.call("eth_getBlockByNumber", hex(number), False)
                raw = await rpc.batch([("eth_getRawTransactionByHash", [tx]) for tx in block["transactions"]])
                mined = MinedBlock(number, int(block["timestamp"], 16), raw)
                journal.write(orjson.dumps(asdict(mined)) + b"\n")
                journal.flush()
                self._noted = number
        return True

    def _make_base(self) -> None:
        state = read_whole(self._state)
        if state is not None and state["best_block_number"] == self._noted:
            _write(self._base, self._with_one_genesis(state))
            self._journal.unlink(missing_ok=True)

    def _keep(self, state: dict[str, Any]) -> None:
        """Make `state` what anvil starts from, and the base."""
        for path in (self._state, self._base):
            _write(path, self._with_one_genesis(state))

    def _with_one_genesis(self, state: dict[str, Any]) -> dict[str, Any]:
        """Leave out the genesis that anvil makes at every start and stores besides the one that it was given."""
        genesis = _read(self._genesis)
        return state | {"blocks": genesis + [block for block in state["blocks"] if _number(block) > 0]}

    def _read_journal(self) -> Iterator[MinedBlock]:
        if self._journal.exists():
            for line in self._journal.read_bytes().splitlines():
                with suppress(orjson.JSONDecodeError):  # a kill may cut the last line short
                    yield MinedBlock(**orjson.loads(line))


def read_whole(path: Path) -> dict[str, Any] | None:
    """Return a state file's content; None where it is missing, cut short, or older than its own accounts."""
    try:
        state: dict[str, Any] = _read(path)
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    if {_number(block) for block in state["blocks"]} != set(range(state["best_block_number"] + 1)):
        return None
    nonces: dict[str, int] = {}
    for transaction in state["transactions"]:
        sender = transaction["info"]["from"]
        nonces[sender] = max(nonces.get(sender, 0), transaction["info"]["nonce"] + 1)
    if any(state["accounts"][sender]["nonce"] != nonce for sender, nonce in nonces.items()):
        return None
    return state


def _number(block: dict[str, Any]) -> int:
    return int(block["header"]["number"], 16)


def _read(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def _write(path: Path, content: Any) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(orjson.dumps(content))
    new.replace(path)


async def _mine(folder: Path, blocks: Sequence[MinedBlock]) -> dict[str, Any]:
    """Mine `blocks` again on a port of their own: nobody meets the chain before it is whole. Returns its state."""
    port = free_port()
    anvil = await asyncio.create_subprocess_exec(*chain_command(port, folder))
    try:
        await wait_until_listening(port)
        async with RpcClient([f"http://127.0.0.1:{port}"]) as rpc:
            for block in blocks:
                for raw in block.transactions:
                    with suppress(RpcError):  # several transactions of one block share its time
                        await rpc.call("evm_setNextBlockTimestamp", block.timestamp)
                    transaction = await rpc.call("eth_sendRawTransaction", raw)
                    while await rpc.call("eth_getTransactionReceipt", transaction) is None:  # noqa: ASYNC110 - no event
                        await asyncio.sleep(POLL_SECONDS)
            dumped = await rpc.call("anvil_dumpState")
    finally:
        anvil.kill()
        await anvil.wait()
    state: dict[str, Any] = orjson.loads(gzip.decompress(bytes.fromhex(dumped.removeprefix("0x"))))
    return state
