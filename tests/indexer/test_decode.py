"""The decoder says what web3's process_log says, for every type, and takes what callers of a contract may write."""

import warnings
from collections.abc import Mapping
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_abi.tools._strategies import get_abi_strategy
from eth_utils.address import is_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from encore.chain.deployments import load_abi
from indexer.decode import EventDecoder
from indexer.errors import LogFormatError
from indexer.registry import all_contracts
from tests.indexer.world import ACCOUNTS, INVALID_UTF8, encode_log

ELEMENTARY = ["uint256", "uint8", "int256", "int16", "address", "bool", "bytes32", "bytes4", "bytes", "string"]
NAMES = ["first", "second", "third", "fourth", "fifth"]


@st.composite
def parameters(draw: DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from([*ELEMENTARY, "array", "tuple"]))
    indexed = draw(st.booleans())
    if kind == "tuple":
        components = [{"name": f"c{i}", "type": draw(st.sampled_from(ELEMENTARY))} for i in range(2)]
        suffix = draw(st.sampled_from(["", "[]"]))
        return {"name": name, "type": f"tuple{suffix}", "components": components, "indexed": False}
    if kind == "array":
        suffix = draw(st.sampled_from(["[]", "[2]"]))
        kind = draw(st.sampled_from(ELEMENTARY)) + suffix
        indexed = indexed and suffix == "[]"  # web3 takes the hash of an indexed struct or fixed array for its value
    return {"name": name, "type": kind, "indexed": indexed}


@st.composite
def events(draw: DrawFn) -> dict[str, Any]:
    inputs = [draw(parameters(name)) for name in NAMES[: draw(st.integers(0, len(NAMES)))]]
    for extra in [parameter for parameter in inputs if parameter["indexed"]][3:]:
        extra["indexed"] = False
    return {"type": "event", "name": "Happened", "anonymous": False, "inputs": inputs}


def type_name(parameter: dict[str, Any]) -> str:
    name: str = parameter["type"]
    if name.startswith("tuple"):
        return f"({','.join(type_name(part) for part in parameter['components'])}){name.removeprefix('tuple')}"
    return name


def log_of(abi: dict[str, Any], values: dict[str, Any]) -> tuple[list[str], str]:
    """Encode a log; an indexed value of a dynamic type is hashed, and which hash is of no matter here."""
    topics = [EventDecoder(abi).topic]
    for parameter in abi["inputs"]:
        if parameter["indexed"]:
            is_word = parameter["type"] in ELEMENTARY[:8]
            word = encode([type_name(parameter)], [values[parameter["name"]]]) if is_word else b"\x17" * 32
            topics.append("0x" + word.hex())
    plain = [parameter for parameter in abi["inputs"] if not parameter["indexed"]]
    data = encode([type_name(parameter) for parameter in plain], [values[parameter["name"]] for parameter in plain])
    return topics, "0x" + data.hex()


def as_ours(value: Any) -> Any:
    """Spell web3's value as the decoder does."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value.lower() if is_checksum_address(value) else value.replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {name: as_ours(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_ours(item) for item in value]
    return value


def process_log(abi: dict[str, Any], topics: list[str], data: str) -> dict[str, Any]:
    log = {
        "address": "0x" + "00" * 20,
        "topics": [bytes.fromhex(topic[2:]) for topic in topics],
        "data": bytes.fromhex(data[2:]),
        "blockNumber": 1,
        "blockHash": b"",
        "transactionHash": b"",
        "transactionIndex": 0,
        "logIndex": 0,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # web3 imports what websockets has deprecated
        from web3 import Web3  # noqa: PLC0415
    contract: Any = Web3().eth.contract(abi=[abi])
    return {name: as_ours(value) for name, value in contract.events.Happened().process_log(log)["args"].items()}


@given(abi=events(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_it_decodes_as_web3_does(abi: dict[str, Any], data: st.DataObject) -> None:
    values = {
        parameter["name"]: data.draw(get_abi_strategy(type_name(parameter)), label=parameter["name"])
        for parameter in abi["inputs"]
    }
    topics, encoded = log_of(abi, values)
    assert EventDecoder(abi).decode(topics, encoded) == process_log(abi, topics, encoded)


def test_every_event_of_every_followed_contract_has_a_decoder() -> None:
    for contract in all_contracts():
        names = [entry["name"] for entry in load_abi(contract.name) if entry["type"] == "event"]
        assert set(contract.handlers) <= set(names)


def test_a_name_that_is_not_text_is_kept_readable() -> None:
    log = encode_log(
        "CreatorToken",
        ACCOUNTS[0],
        "CreatorInfoUpdated",
        {"description": b"a\0b" + INVALID_UTF8, "imageUrl": "", "isActive": True},
        0,
    )
    decoded = decoder_of("CreatorInfoUpdated").decode(log.topics, log.data)
    assert decoded["description"] == "a\ufffdb\ufffd\ufffd\ufffd"


@pytest.mark.parametrize("data", ["0x", "0x" + "00" * 31, "0x" + "00" * 64])
def test_a_log_of_another_shape_is_refused(data: str) -> None:
    decoder = decoder_of("Transfer")
    topics = [decoder.topic, "0x" + "00" * 32, "0x" + "00" * 32]
    with pytest.raises(LogFormatError, match=r"Transfer\(address,address,uint256\)"):
        decoder.decode(topics, data)


def test_a_log_with_a_topic_too_many_is_refused() -> None:
    decoder = decoder_of("Transfer")
    with pytest.raises(LogFormatError, match="4 topics"):
        decoder.decode([decoder.topic, *["0x" + "00" * 32] * 3], "0x")


def test_a_dynamic_log_that_is_cut_off_is_refused() -> None:
    decoder = decoder_of("CreatorInfoUpdated")
    with pytest.raises(LogFormatError, match="does not decode"):
        decoder.decode([decoder.topic], "0x" + "ff" * 96)


def decoder_of(event: str) -> EventDecoder:
    return next(
        EventDecoder(abi) for abi in load_abi("CreatorToken") if abi.get("name") == event and abi["type"] == "event"
    )
