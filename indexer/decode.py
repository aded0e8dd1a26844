"""Event decoders compiled once per ABI entry: slices for static types, the ABI library for dynamic ones."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.registry import ABIRegistry, BaseEquals, registry
from eth_utils.crypto import keccak

from indexer.errors import LogFormatError

WORD_DIGITS: Final = 64
"""Hexadecimal digits of one 32-byte ABI word."""
REPLACEMENT_CHARACTER: Final = "\ufffd"

_Word = Callable[[str], Any]
_Field = Callable[[Sequence[str], str, Sequence[Any]], Any]


class EventDecoder:
    """Decodes the logs of one event.

    Integers come out as `int`, addresses and bytes as lower-case 0x strings, arrays as lists, structs as dicts. A
    string is whatever a caller of the contract wrote, so bytes that are not UTF-8 become U+FFFD, and so does NUL,
    which PostgreSQL cannot store. An indexed parameter of a dynamic type is the 32-byte hash that the topic holds.
    """

    def __init__(self, abi: dict[str, Any]) -> None:
        inputs = abi["inputs"]
        indexed = [parameter for parameter in inputs if parameter["indexed"]]
        plain = [parameter for parameter in inputs if not parameter["indexed"]]
        plain_types = [_type_name(parameter) for parameter in plain]
        self.name: str = abi["name"]
        self.signature = f"{self.name}({','.join(_type_name(parameter) for parameter in inputs)})"
        self.topic = "0x" + keccak(text=self.signature).hex()
        self._topic_count = 1 + len(indexed)
        words = [_static_word(name) for name in plain_types]
        self._dynamic_types = plain_types if None in words else []
        self._data_digits = None if self._dynamic_types else 2 + WORD_DIGITS * len(plain)
        fields: dict[str, _Field] = {}
        for position, parameter in enumerate(indexed, start=1):
            fields[parameter["name"]] = _topic_field(position, _static_word(_type_name(parameter)) or _bytes32)
        for position, (parameter, word) in enumerate(zip(plain, words, strict=True)):
            fields[parameter["name"]] = (
                _value_field(position, parameter)
                if self._dynamic_types or word is None
                else _data_field(position, word)
            )
        self._fields = [(parameter["name"], fields[parameter["name"]]) for parameter in inputs]

    def decode(self, topics: Sequence[str], data: str) -> dict[str, Any]:
        """Return the event's parameters by name, in the order of the ABI.

        Raises `LogFormatError` when the log is not of this event's shape.
        """
        if len(topics) != self._topic_count or (self._data_digits is not None and len(data) != self._data_digits):
            raise LogFormatError(f"a log of {self.signature} has {len(topics)} topics and {len(data) // 2 - 1} bytes")
        values: Sequence[Any] = ()
        if self._dynamic_types:
            try:
                values = _DYNAMIC.decode(self._dynamic_types, bytes.fromhex(data[2:]))
            except Exception as error:  # eth_abi's decoders raise what they please on malformed data
                raise LogFormatError(f"a log of {self.signature} does not decode: {error}") from error
        return {name: field(topics, data, values) for name, field in self._fields}


def _topic_field(position: int, word: _Word) -> _Field:
    return lambda topics, _data, _values: word(topics[position][2:])


def _data_field(position: int, word: _Word) -> _Field:
    start = 2 + WORD_DIGITS * position
    end = start + WORD_DIGITS
    return lambda _topics, data, _values: word(data[start:end])


def _value_field(position: int, parameter: dict[str, Any]) -> _Field:
    return lambda _topics, _data, values: _plain(values[position], parameter)


def _static_word(type_name: str) -> _Word | None:
    """Return what turns one ABI word of a static elementary type into a value; None for every other type."""
    kind = re.fullmatch(r"(uint|int|address|bool|bytes)(\d*)", type_name)
    if kind is None or type_name == "bytes":
        return None
    if kind[1] == "bytes":
        digits = 2 * int(kind[2])
        return lambda word: "0x" + word[:digits]
    return {"uint": _unsigned, "int": _signed, "address": _address, "bool": _boolean}[kind[1]]


def _unsigned(word: str) -> int:
    return int(word, 16)


def _signed(word: str) -> int:
    return int.from_bytes(bytes.fromhex(word), signed=True)


def _address(word: str) -> str:
    return "0x" + word[24:]


def _boolean(word: str) -> bool:
    return word[-1] == "1"


def _bytes32(word: str) -> str:
    return "0x" + word


def _type_name(parameter: dict[str, Any]) -> str:
    """Spell a parameter's canonical type, structs as tuples of their components."""
    type_name: str = parameter["type"]
    if type_name.startswith("tuple"):
        components = ",".join(_type_name(component) for component in parameter["components"])
        return f"({components}){type_name.removeprefix('tuple')}"
    return type_name


def _plain(value: Any, parameter: dict[str, Any]) -> Any:
    """Turn what the ABI library returns into the value types that `EventDecoder` promises."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        item = parameter | {"type": kind[: kind.rindex("[")]}
        return [_plain(part, item) for part in value]
    if kind == "tuple":
        components = parameter["components"]
        return {part["name"]: _plain(field, part) for part, field in zip(components, value, strict=True)}
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT_CHARACTER)
    return value


def _lenient_decoder() -> ABIDecoder:
    """Build the ABI library's decoder for strings that need not be UTF-8."""
    lenient: ABIRegistry = registry.copy()  # type: ignore[no-untyped-call] # eth_abi's registry is not annotated
    lenient.unregister_decoder("string")
    lenient.register_decoder(
        BaseEquals("string", with_sub=False),  # type: ignore[no-untyped-call]
        StringDecoder(handle_string_errors="replace"),  # type: ignore[no-untyped-call]
        label="string",
    )
    return ABIDecoder(lenient)


_DYNAMIC: Final = _lenient_decoder()
