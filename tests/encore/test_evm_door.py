import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from vyper import compile_code
from vyper.compiler.settings import Settings as CompilerSettings

from encore.chain.evm_door.__main__ import main
from encore.chain.evm_door.chain import DevelopmentChain
from encore.chain.evm_door.errors import JsonRpcError
from encore.chain.evm_door.journal import Journal, JournalEntry
from encore.chain.local_node import FUNDS_IN_COINS, chain_command, find_anvil, free_port
from encore.chain.rpc import RpcClient
from encore.errors import RpcError
from encore.settings import local_account_key
from tests.support import eventually, stop_process, wait_until_listening

GWEI = 10**9
ETHER = 10**18
BOX = """
# pragma version 0.4.3
event Stored:
    who: indexed(address)
    value: uint256

value: public(uint256)

@deploy
def __init__(initial: uint256):
    self.value = initial

@external
def store(new: uint256):
    assert new < 1000, "box: too much"
    assert new != 7
    self.value = new
    log Stored(who=msg.sender, value=new)
    log Stored(who=self, value=new + 1)

@external
@payable
def give():
    pass

@external
@view
def surroundings() -> (uint256, uint256, address, uint256):
    return block.number, chain.id, msg.sender, tx.gasprice

@external
@view
def custom_error():
    raw_revert(x"deadbeef")

@external
@view
def overflow():
    raw_revert(concat(x"4e487b71", convert(17, bytes32)))

@external
@view
def unreachable():
    raise UNREACHABLE

@external
def deeper(depth: uint256):
    if depth == 0:
        self.value = 5
    else:
        raw_call(self, abi_encode(depth - 1, method_id=method_id("deeper(uint256)")))
"""
HISTORY = {  # what the two chains cannot have in common: their pasts differ
    *("hash", "blockHash", "parentHash", "stateRoot", "mixHash", "timestamp", "blockTimestamp"),
    *("baseFeePerGas", "effectiveGasPrice", "size"),
}


@dataclass(frozen=True)
class Box:
    """The compiled contract."""

    abi: list[dict[str, Any]]
    bytecode: str
    selectors: dict[str, str]

    def call(self, signature: str, *arguments: int) -> str:
        return self.selectors[signature] + "".join(f"{argument:064x}" for argument in arguments)


@dataclass(frozen=True)
class Node:
    """A chain and the box on it."""

    url: str
    box: str


@pytest.fixture(scope="module")
def box() -> Box:
    compiled = compile_code(
        BOX,
        output_formats=["abi", "bytecode", "method_identifiers"],
        settings=CompilerSettings(evm_version="cancun"),
    )
    selectors = {name: f"0x{int(selector, 16):08x}" for name, selector in compiled["method_identifiers"].items()}
    return Box(compiled["abi"], compiled["bytecode"], selectors)


@pytest.fixture(scope="module")
def wallets() -> Sequence[LocalAccount]:
    return [Account.from_key(local_account_key(index)) for index in range(10)]


def door_command(port: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "encore.chain.evm_door", "--port", str(port), *arguments]


def start(command: list[str], port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_until_listening(port)
    return process


@pytest.fixture(scope="module")
def urls() -> Iterator[tuple[str, str]]:
    """Anvil and the door, fresh for this file."""
    if find_anvil() is None:
        pytest.skip("the door is compared with anvil, which comes with `npm ci`")
    anvil_port, door_port = free_port(), free_port()
    processes = [
        start(command, port)
        for command, port in ((chain_command(anvil_port, None), anvil_port), (door_command(door_port), door_port))
    ]
    yield f"http://127.0.0.1:{anvil_port}", f"http://127.0.0.1:{door_port}"
    for process in processes:
        stop_process(process)


@pytest.fixture(scope="module")
def boxes(urls: tuple[str, str], box: Box, wallets: Sequence[LocalAccount]) -> tuple[Node, Node]:
    """The same box on both, put there by the same transaction of wallet 0."""
    raw = signed(wallets[0], 0, data=box.bytecode + f"{5:064x}")
    anvil, door = (Node(url, asyncio.run(_created(url, raw))) for url in urls)
    return anvil, door


async def _created(url: str, raw: str) -> str:
    async with RpcClient([url]) as rpc:
        return to_checksum_address((await mined(rpc, raw))["contractAddress"])


@pytest.fixture
async def both(boxes: tuple[Node, Node]) -> AsyncIterator[tuple[RpcClient, RpcClient]]:
    async with RpcClient([boxes[0].url]) as anvil, RpcClient([boxes[1].url]) as door:
        yield anvil, door


@pytest.fixture
def contract(boxes: tuple[Node, Node]) -> str:
    assert boxes[0].box == boxes[1].box
    return boxes[0].box


def signed(wallet: LocalAccount, nonce: int, **fields: Any) -> str:
    """Sign an EIP-1559 transaction for the local chain, or what `fields` make of it."""
    transaction: dict[str, Any] = {"chainId": 31337, "nonce": nonce, "gas": 1_000_000, "value": 0, **fields}
    if "gasPrice" not in fields:
        transaction = {"maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": GWEI, **transaction}
    return f"0x{wallet.sign_transaction(transaction).raw_transaction.hex()}"


async def next_nonce(rpc: RpcClient, wallet: LocalAccount) -> int:
    return int(await rpc.call("eth_getTransactionCount", wallet.address, "latest"), 16)


async def answers(both: tuple[RpcClient, RpcClient], method: str, *params: Any) -> tuple[Any, Any]:
    """What anvil and the door say to the same request: a result, or the code, message and data of an error."""
    found = []
    for rpc in both:
        try:
            found.append(await rpc.call(method, *params))
        except RpcError as error:
            found.append((error.code, error.message, error.data))
    return found[0], found[1]


async def mined(rpc: RpcClient, raw: str) -> dict[str, Any]:
    """Send a transaction and return its receipt, which anvil has only a moment later."""
    sent = await rpc.call("eth_sendRawTransaction", raw)
    return await eventually(lambda: rpc.call("eth_getTransactionReceipt", sent))


def timeless(shape: Any) -> Any:
    """A JSON value with the type, not the value, of what belongs to one chain's history."""
    if isinstance(shape, list):
        return [timeless(item) for item in shape]
    if isinstance(shape, dict):
        return {key: None if key in HISTORY else timeless(value) for key, value in shape.items()}
    return shape


ACCESS_LIST = [{"address": "0x" + "12" * 20, "storageKeys": [f"0x{slot:064x}" for slot in (0, 300)]}]
TRANSACTION_KINDS: dict[str, tuple[int, dict[str, Any]]] = {  # each stores what no other test does
    "legacy": (101, {"gasPrice": 10 * GWEI}),
    "access list": (102, {"gasPrice": 10 * GWEI, "type": 1, "accessList": ACCESS_LIST}),
    "dynamic fee": (103, {}),
}


@pytest.mark.parametrize("kind", TRANSACTION_KINDS)
async def test_what_was_mined_is_told_with_the_fields_and_values_of_anvil(
    both: tuple[RpcClient, RpcClient], contract: str, box: Box, wallets: Sequence[LocalAccount], kind: str
) -> None:
    nonce = await next_nonce(both[1], wallets[1])
    stored, fields = TRANSACTION_KINDS[kind]
    fields = {**fields, "to": contract, "data": box.call("store(uint256)", stored)}
    raw = signed(wallets[1], nonce, **fields)
    receipts = [await mined(rpc, raw) for rpc in both]
    transactions = await answers(both, "eth_getTransactionByHash", hash_of(raw))
    blocks = [
        await rpc.call("eth_getBlockByHash", receipt["blockHash"], True)
        for rpc, receipt in zip(both, receipts, strict=True)
    ]
    for volatile in ("gasPrice", "number", "blockNumber"):  # other tests mine in between, in any order
        for shape in (*transactions, *receipts, *blocks, *(block["transactions"][0] for block in blocks)):
            if volatile in shape:
                shape[volatile] = None
        for receipt in receipts:
            for log in receipt["logs"]:
                log.pop(volatile, None)
    assert timeless(transactions[1]) == timeless(transactions[0])
    assert timeless(receipts[1]) == timeless(receipts[0])
    assert timeless(blocks[1]) == timeless(blocks[0])
    assert await answers(both, "eth_getRawTransactionByHash", hash_of(raw)) == (raw, raw)


async def test_a_contract_whose_creation_fails_has_anvils_receipt(
    both: tuple[RpcClient, RpcClient], wallets: Sequence[LocalAccount]
) -> None:
    raw = signed(wallets[2], await next_nonce(both[1], wallets[2]), data="0x5f5ffd")
    anvil, door = [await mined(rpc, raw) for rpc in both]
    assert door["status"] == "0x0"
    assert {key: door[key] for key in ("status", "gasUsed", "contractAddress", "to", "type")} == {
        key: anvil[key] for key in ("status", "gasUsed", "contractAddress", "to", "type")
    }


FAILING_CALLS = {
    "reason": ("store(uint256)", 1000),
    "no reason": ("store(uint256)", 7),
    "custom error": ("custom_error()",),
    "invalid opcode": ("unreachable()",),
}


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
@pytest.mark.parametrize("why", FAILING_CALLS)
async def test_a_call_that_fails_is_answered_with_anvils_code_message_and_data(
    both: tuple[RpcClient, RpcClient], contract: str, box: Box, method: str, why: str
) -> None:
    signature, *arguments = FAILING_CALLS[why]
    anvil, door = await answers(both, method, {"to": contract, "data": box.call(str(signature), *map(int, arguments))})
    if why == "invalid opcode":
        assert door[:1] == anvil[:1]
    else:
        assert door == anvil
        assert door[0] == 3


async def test_a_panic_is_told_apart_from_a_reason(both: tuple[RpcClient, RpcClient], contract: str, box: Box) -> None:
    anvil, door = await answers(both, "eth_call", {"to": contract, "data": box.call("overflow()")})
    assert (door[0], door[2]) == (anvil[0], anvil[2])
    assert door[1] == "execution reverted: panic: 0x11"


async def test_a_call_sees_the_chain_that_anvil_would_show_it(
    both: tuple[RpcClient, RpcClient], contract: str, box: Box, wallets: Sequence[LocalAccount]
) -> None:
    for number in ("0x1", "pending", {"blockNumber": "0x1"}):
        anvil, door = await answers(
            both,
            "eth_call",
            {
                "from": wallets[1].address,
                "to": contract,
                "data": box.call("surroundings()"),
                "gasPrice": hex(5 * GWEI),
            },
            number,
        )
        assert door[66:] == anvil[66:]  # after block.number, which differs for "pending"


ESTIMATES: dict[str, Callable[[Box, str], dict[str, str]]] = {
    "transfer": lambda _, __: {"to": "0x" + "77" * 20, "value": "0x1"},
    "store": lambda box, contract: {"to": contract, "data": box.call("store(uint256)", 44)},
    "creation": lambda box, _: {"data": box.bytecode + f"{5:064x}"},
    "nested calls": lambda box, contract: {"to": contract, "data": box.call("deeper(uint256)", 12)},
}


@pytest.mark.parametrize("what", ESTIMATES)
async def test_an_estimate_is_close_to_anvils_and_enough(
    both: tuple[RpcClient, RpcClient], contract: str, box: Box, wallets: Sequence[LocalAccount], what: str
) -> None:
    request = {"from": wallets[3].address, **ESTIMATES[what](box, contract)}
    anvil, door = (int(answer, 16) for answer in await answers(both, "eth_estimateGas", request))
    assert door == pytest.approx(anvil, rel=0.02)
    fields = {"data": "0x", **ESTIMATES[what](box, contract)}
    fields["value"] = int(fields.get("value", "0x0"), 16)  # type: ignore[assignment]
    raw = signed(wallets[3], await next_nonce(both[1], wallets[3]), gas=door, **_checksummed(fields))
    assert [(await mined(rpc, raw))["status"] for rpc in both] == ["0x1", "0x1"]


async def test_an_estimate_is_capped_by_what_the_sender_can_pay(
    both: tuple[RpcClient, RpcClient], contract: str, box: Box
) -> None:
    call = {"from": "0x" + "11" * 20, "to": contract, "data": box.call("store(uint256)", 1), "gasPrice": hex(GWEI)}
    anvil, door = await answers(both, "eth_estimateGas", call)
    assert door == anvil == (-32003, "Out of gas: gas required exceeds allowance: 0", None)


def _checksummed(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "to": to_checksum_address(fields["to"])} if "to" in fields else fields


REFUSALS: dict[str, dict[str, Any]] = {
    "signed for another chain": {"chainId": 1},
    "nonce used": {"nonce": 0},
    "fee below the base fee": {"maxFeePerGas": 1, "maxPriorityFeePerGas": 1},
    "tip above the fee": {"maxFeePerGas": GWEI, "maxPriorityFeePerGas": 2 * GWEI},
    "gas below the least": {"gas": 20_000},
    "gas above the block's": {"gas": 31_000_000},
    "more than the sender has": {"value": (FUNDS_IN_COINS + 1) * ETHER},
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_a_transaction_is_refused_with_anvils_code_and_words(
    both: tuple[RpcClient, RpcClient], wallets: Sequence[LocalAccount], why: str
) -> None:
    fields = {"nonce": 1, **REFUSALS[why]}
    raw = signed(wallets[0], fields.pop("nonce"), to=wallets[1].address, **fields)
    before = await both[1].call("eth_blockNumber")
    anvil, door = await answers(both, "eth_sendRawTransaction", raw)
    assert door[0] == anvil[0]
    assert door[1].startswith(anvil[1])
    assert await both[1].call("eth_blockNumber") == before


async def test_a_legacy_signature_for_another_chain_is_refused_too(
    both: tuple[RpcClient, RpcClient], wallets: Sequence[LocalAccount]
) -> None:
    with pytest.raises(RpcError, match="invalid chain id for signer: have 1 want 31337"):
        await both[1].call(
            "eth_sendRawTransaction", signed(wallets[0], 1, to=wallets[1].address, gasPrice=GWEI, chainId=1)
        )


@pytest.mark.parametrize("raw", ["0x", "0x02c0", "0x1234", "0x03c0", "0x05c0", "12", None])
async def test_what_is_no_transaction_is_refused(both: tuple[RpcClient, RpcClient], raw: object) -> None:
    anvil, door = await answers(both, "eth_sendRawTransaction", raw)
    assert door[0] == anvil[0] == -32602


async def test_transactions_wait_for_the_nonces_before_their_own(
    both: tuple[RpcClient, RpcClient], wallets: Sequence[LocalAccount]
) -> None:
    wallet, to = wallets[4], wallets[5].address
    first, second, third = (signed(wallet, nonce, to=to, value=1) for nonce in range(3))
    for raw in (third, second):
        (waiting, _) = await answers(both, "eth_sendRawTransaction", raw)
        anvil, door = await answers(both, "eth_getTransactionByHash", waiting)
        assert door["blockNumber"] is None
        assert door.keys() == anvil.keys()
        assert await answers(both, "eth_getTransactionReceipt", waiting) == (None, None)
        assert await answers(both, "eth_getRawTransactionByHash", waiting) == (raw, raw)
    anvil, door = await answers(both, "eth_sendRawTransaction", third)
    assert door == anvil == (-32003, "transaction already imported", None)
    anvil, door = await answers(both, "eth_sendRawTransaction", signed(wallet, 2, to=to, value=3))
    assert door == anvil == (-32003, "replacement transaction underpriced", None)
    bid = {"maxFeePerGas": 20 * GWEI, "maxPriorityFeePerGas": 2 * GWEI}
    anvil, replacement = await answers(both, "eth_sendRawTransaction", signed(wallet, 2, to=to, value=3, **bid))
    assert replacement == anvil

    for rpc in both:
        await mined(rpc, first)
    await eventually(lambda: both[0].call("eth_getTransactionReceipt", replacement))
    assert await answers(both, "eth_getTransactionCount", wallet.address, "pending") == ("0x3", "0x3")
    assert await answers(both, "eth_getTransactionByHash", hash_of(third)) == (None, None)
    assert await answers(both, "eth_getBalance", to, "latest") == (hex(FUNDS_IN_COINS * ETHER + 5),) * 2


def hash_of(raw: str) -> str:
    return f"0x{keccak(hexstr=raw).hex()}"


async def test_logs_are_found_as_anvil_finds_them(
    both: tuple[RpcClient, RpcClient], contract: str, box: Box, wallets: Sequence[LocalAccount]
) -> None:
    wallet = wallets[6]
    starts = await answers(both, "eth_blockNumber")
    for nonce in range(5):
        raw = signed(wallet, nonce, to=contract, data=box.call("store(uint256)", nonce))
        for rpc in both:
            await mined(rpc, raw)
    event = f"0x{keccak(text='Stored(address,uint256)').hex()}"
    by_wallet, by_box = (f"0x{address[2:].lower():0>64}" for address in (wallet.address, contract))
    filters: list[dict[str, Any]] = [
        {},
        {"address": contract},
        {"address": [contract.lower(), wallet.address]},
        {"address": wallet.address},
        {"topics": []},
        {"topics": [event]},
        {"topics": [None, by_wallet]},
        {"topics": [[event, by_box], [by_wallet, by_box]]},
        {"topics": [by_wallet]},
        {"topics": [event, by_wallet, None]},
        {"topics": [[], by_box], "address": [contract]},
    ]
    for fields in filters:
        found = [
            await rpc.call("eth_getLogs", {"fromBlock": hex(int(first, 16) + 2), "toBlock": "0xffff", **fields})
            for rpc, first in zip(both, starts, strict=True)
        ]
        for log in (*found[0], *found[1]):
            del log["blockNumber"]
        assert timeless(found[1]) == timeless(found[0]), fields

    block = await both[1].call("eth_getBlockByNumber", "latest", False)
    logs = await both[1].call("eth_getLogs", {"blockHash": block["hash"]})
    assert [log["logIndex"] for log in logs] == ["0x0", "0x1"]
    assert all(log["blockTimestamp"] == block["timestamp"] for log in logs)
    assert logs == await both[1].call("eth_getLogs", {"fromBlock": "latest"})
    assert logs == (await both[1].call("eth_getBlockReceipts", "latest"))[0]["logs"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBalance", []),
        ("eth_getBalance", ["0x12", "latest"]),
        ("eth_getBalance", ["0x" + "11" * 20, "0xffff"]),
        ("eth_getBalance", ["0x" + "11" * 20, "newest"]),
        ("eth_getBalance", ["0x" + "11" * 20, {"blockHash": "0x" + "11" * 32}]),
        ("eth_getBlockByNumber", ["0xzz", True]),
        ("eth_getBlockByNumber", ["0xffff", True]),
        ("eth_getBlockByHash", ["0x" + "11" * 32, True]),
        ("eth_getBlockReceipts", ["0xffff"]),
        ("eth_getTransactionByHash", ["0x12"]),
        ("eth_getTransactionReceipt", ["0x" + "11" * 32]),
        ("eth_getStorageAt", ["0x" + "11" * 20, "0x0", "latest"]),
        ("eth_getCode", ["0x" + "11" * 20, "latest"]),
        ("eth_call", [{"to": "0x1"}]),
        ("eth_call", [{"from": "0x" + "11" * 20, "to": "0x" + "22" * 20, "value": "0x1"}, "latest"]),
        ("eth_call", [{"to": "0x" + "22" * 20, "gas": "0x10"}, "latest"]),
        ("eth_getLogs", [{"fromBlock": "0x1", "blockHash": "0x" + "11" * 32}]),
        ("eth_getLogs", [{"blockHash": "0x" + "11" * 32}]),
        ("eth_getLogs", [{"fromBlock": "0xffff"}]),
        ("eth_getLogs", [{"fromBlock": "0x1", "toBlock": "0x0"}]),
        ("eth_getLogs", [{"address": "0x12"}]),
        ("eth_getLogs", [{"topics": [None] * 5}]),
        ("eth_getLogs", ["0x1"]),
        ("eth_call", [{"data": f"0x{'00' * 50_000}"}]),
        ("eth_feeHistory", ["0x1", "latest", 5]),
        ("eth_chainId", []),
        ("net_version", []),
        ("eth_syncing", []),
        ("eth_mine", []),
    ],
)
async def test_odd_requests_get_anvils_answer_or_error_code(
    both: tuple[RpcClient, RpcClient], method: str, params: list[Any]
) -> None:
    anvil, door = await answers(both, method, *params)
    if isinstance(anvil, tuple):
        assert door[0] == anvil[0], door
    else:
        assert door == anvil


async def test_an_unknown_method_is_named(both: tuple[RpcClient, RpcClient]) -> None:
    with pytest.raises(RpcError, match="evm_snapshot") as failure:
        await both[1].call("evm_snapshot")
    assert failure.value.code == -32601


async def test_batches_notifications_and_broken_requests_follow_json_rpc(boxes: tuple[Node, Node]) -> None:
    async with aiohttp.ClientSession() as session:

        async def post(body: Any) -> Any:
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
            async with session.post(boxes[1].url, data=payload) as response:
                assert response.status == 200
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                content = await response.read()
                return json.loads(content) if content else None

        call = {"jsonrpc": "2.0", "method": "eth_chainId"}
        assert await post([{**call, "id": "a"}, call, {"id": 3}, {**call, "id": 4, "method": "eth_no"}]) == [
            {"jsonrpc": "2.0", "id": "a", "result": "0x7a69"},
            {"jsonrpc": "2.0", "id": 3, "error": _anything(code=-32600)},
            {"jsonrpc": "2.0", "id": 4, "error": _anything(code=-32601)},
        ]
        assert await post(call) is None
        assert (await post(b"{"))["error"]["code"] == -32700
        assert (await post([]))["error"]["code"] == -32600
        assert (await post({**call, "id": 1, "params": {}}))["error"]["code"] == -32600
        async with session.options(boxes[1].url) as response:
            assert response.headers["Access-Control-Allow-Headers"] == "Content-Type"


class _anything:  # noqa: N801 - reads as a value
    """Equal to every error object with the given code."""

    def __init__(self, *, code: int) -> None:
        self._code = code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and other["code"] == self._code

    __hash__ = None  # type: ignore[assignment]


async def test_tags_lag_behind_the_head_as_anvils_do(
    both: tuple[RpcClient, RpcClient], wallets: Sequence[LocalAccount]
) -> None:
    transfers = [signed(wallets[7], nonce, to=wallets[8].address) for nonce in range(70)]
    for rpc in both:
        for raw in transfers:  # one by one: anvil puts what comes at once into one block
            await mined(rpc, raw)
        tags = ("latest", "safe", "finalized", "pending", "earliest")
        blocks = await rpc.batch([("eth_getBlockByNumber", [tag, False]) for tag in tags])
        latest, safe, finalized, pending, earliest = (int(block["number"], 16) for block in blocks)
        assert (latest - safe, latest - finalized, pending - latest, earliest) == (32, 64, 1, 0)


async def test_fees_follow_eip_1559(both: tuple[RpcClient, RpcClient]) -> None:
    anvil, door = await answers(both, "eth_feeHistory", "0x3", "latest", [10, 90])
    assert door.keys() == anvil.keys()
    assert {key: len(value) for key, value in door.items()} | {"oldestBlock": 0} == {
        key: len(value) for key, value in anvil.items()
    } | {"oldestBlock": 0}
    with pytest.raises(RpcError, match="BlockOutOfRangeError"):
        await both[1].call("eth_feeHistory", "0x1", "0xffff")
    pending = await both[1].call("eth_getBlockByNumber", "pending", False)
    assert pending["baseFeePerGas"] == door["baseFeePerGas"][-1]
    assert await both[1].call("eth_maxPriorityFeePerGas") == hex(GWEI)
    assert await both[1].call("eth_gasPrice") == hex(int(pending["baseFeePerGas"], 16) + GWEI)


@pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")
def test_web3_works_with_it(boxes: tuple[Node, Node], box: Box, wallets: Sequence[LocalAccount]) -> None:
    from web3 import Web3  # noqa: PLC0415 - it warns on import
    from web3.exceptions import ContractCustomError, ContractLogicError  # noqa: PLC0415

    web3 = Web3(Web3.HTTPProvider(boxes[1].url))
    wallet = wallets[9]
    contract = web3.eth.contract(address=to_checksum_address(boxes[1].box), abi=box.abi)
    assert web3.eth.chain_id == 31337
    assert web3.client_version.startswith("encore-evm-door/")
    assert list(web3.eth.accounts) == [known.address for known in wallets]

    fields: Any = {"from": wallet.address, "nonce": 0}
    call: Any = contract.functions.store(77).build_transaction(fields)
    sent = web3.eth.send_raw_transaction(wallet.sign_transaction(call).raw_transaction)
    receipt = web3.eth.wait_for_transaction_receipt(sent)
    assert [log["args"]["value"] for log in contract.events.Stored().process_receipt(receipt)] == [77, 78]
    assert contract.events.Stored().get_logs(from_block=receipt["blockNumber"])[0]["args"]["who"] == wallet.address
    assert contract.functions.value().call() == 77
    assert contract.functions.value().call(block_identifier=1) == 5
    assert web3.eth.get_block("latest")["number"] == receipt["blockNumber"]
    assert (
        web3.eth.get_balance(wallet.address)
        == FUNDS_IN_COINS * ETHER - receipt["gasUsed"] * receipt["effectiveGasPrice"]
    )
    with pytest.raises(ContractLogicError, match="box: too much"):
        contract.functions.store(1000).call()
    with pytest.raises(ContractCustomError, match="0xdeadbeef"):
        contract.functions.custom_error().call()


async def test_a_killed_chain_comes_back_exactly_as_it_was(
    tmp_path: Path, box: Box, wallets: Sequence[LocalAccount]
) -> None:
    journal, port = tmp_path / "new" / "door.jsonl", free_port()
    process = start(door_command(port, "--journal", str(journal)), port)
    raws = [signed(wallets[0], 0, data=box.bytecode + f"{5:064x}")]
    contract = to_checksum_address("0x5FbDB2315678afecb367f032d93F642f64180aa3")
    raws += [signed(wallets[0], nonce, to=contract, data=box.call("store(uint256)", nonce)) for nonce in range(1, 9)]
    async with RpcClient([f"http://127.0.0.1:{port}"]) as rpc:
        await rpc.batch([("eth_sendRawTransaction", [raw]) for raw in raws])
        before = await _everything(rpc, wallets[0], contract)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with journal.open("ab") as file:
        file.write(b'{"timestamp": 1795')  # as a kill in the middle of a write leaves it

    process = start(door_command(port, "--journal", str(journal)), port)
    async with RpcClient([f"http://127.0.0.1:{port}"]) as rpc:
        assert await _everything(rpc, wallets[0], contract) == before
        await rpc.call("eth_sendRawTransaction", signed(wallets[0], 9, to=contract))
    stop_process(process)
    assert process.returncode == 0
    assert len(journal.read_text().splitlines()) == 10
    assert all(json.loads(line)["raw"].startswith("0x02") for line in journal.read_text().splitlines())


async def _everything(rpc: RpcClient, wallet: LocalAccount, contract: str) -> list[Any]:
    return await rpc.batch(
        [
            ("eth_getBlockByNumber", ["latest", True]),
            ("eth_getBlockByNumber", ["0x0", True]),
            ("eth_getBalance", [wallet.address, "latest"]),
            ("eth_getBalance", ["0x" + "00" * 20, "0x4"]),
            ("eth_getCode", [contract, "latest"]),
            ("eth_getStorageAt", [contract, "0x0", "0x5"]),
            ("eth_getLogs", [{"fromBlock": "0x0"}]),
        ]
    )


def test_a_port_that_is_taken_is_told_in_one_line(urls: tuple[str, str]) -> None:
    port = int(urls[1].rpartition(":")[2])
    finished = subprocess.run(door_command(port), capture_output=True, text=True, timeout=60, check=False)
    (line,) = (finished.stdout + finished.stderr).splitlines()
    assert line.startswith(f"encore: port {port} on 127.0.0.1 cannot be had")
    assert finished.returncode == 1


def refusal(journal: Path) -> str:
    """Start on a journal that is of no use, and return the one line said about it."""
    result = CliRunner().invoke(main, ["--port", str(free_port()), "--journal", str(journal)])
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    return line


def test_a_journal_of_no_use_is_told_in_one_line(tmp_path: Path, wallets: Sequence[LocalAccount]) -> None:
    path = tmp_path / "door.jsonl"
    raw = signed(wallets[0], 0, to=wallets[1].address)
    path.write_text(json.dumps({"timestamp": 1_800_000_000, "raw": raw, "hash": "0x" + "11" * 32}) + "\n")
    assert "block 1 cannot be mined again as the journal has it (its hash comes out as 0x" in refusal(path)
    path.write_text(json.dumps({"timestamp": 1_800_000_000, "raw": "0x02c0", "hash": "0x" + "11" * 32}) + "\n")
    assert "block 1 cannot be mined again as the journal has it (Failed to decode" in refusal(path)
    path.write_text('{"timestamp": 1}\n')
    assert refusal(path) == f"encore: line 1 of {path} is damaged; `make reset` starts a new chain"
    with closing(Journal(path)):
        assert refusal(path).startswith(f"encore: {path} is in use by another development chain")


def transfer(wallet: LocalAccount, nonce: int) -> bytes:
    return bytes.fromhex(signed(wallet, nonce, to=wallet.address)[2:])


def test_a_block_that_the_journal_does_not_take_never_was(wallets: Sequence[LocalAccount]) -> None:
    full = True

    def record(entry: JournalEntry) -> None:
        if full:
            raise OSError("no space left on device")

    chain = DevelopmentChain(record=record)
    with pytest.raises(OSError, match="no space"):
        chain.submit(transfer(wallets[0], 0))
    assert len(chain.blocks) == 1
    full = False
    chain.submit(transfer(wallets[0], 0))
    assert len(chain.blocks) == 2


def test_a_waiting_transaction_that_its_sender_can_no_longer_pay_is_dropped(wallets: Sequence[LocalAccount]) -> None:
    chain = DevelopmentChain()
    wallet, other = wallets[0], wallets[1].address
    dear, spend = (
        bytes.fromhex(signed(wallet, nonce, to=other, value=FUNDS_IN_COINS * 6 // 10 * ETHER)[2:]) for nonce in (1, 0)
    )
    dropped = chain.submit(dear)
    chain.submit(spend)
    assert len(chain.blocks) == 2
    assert chain.waiting(dropped) is None


@settings(max_examples=15, deadline=None)
@given(clock=st.lists(st.integers(1_700_000_000, 1_700_000_100), min_size=1, max_size=6))
def test_time_only_goes_forward_and_a_replay_gives_the_same_chain(clock: list[int]) -> None:
    wallet = Account.from_key(local_account_key(0))
    readings = iter([*clock, *[clock[-1]] * 100])
    entries: list[JournalEntry] = []
    chain = DevelopmentChain(record=entries.append, clock=lambda: next(readings))
    for nonce in range(len(clock)):
        chain.submit(transfer(wallet, nonce))
    times = [block.header.timestamp for block in chain.blocks]
    assert times == sorted(set(times))

    replayed = DevelopmentChain()
    for entry in entries:
        replayed.restore(entry)
    assert replayed.blocks == chain.blocks


def test_a_transaction_of_a_later_fork_is_refused(wallets: Sequence[LocalAccount]) -> None:
    with pytest.raises(JsonRpcError, match="Failed to decode transaction"):
        DevelopmentChain().submit(b"\x04\xc0")
