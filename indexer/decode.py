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

_STATIC: Final = re.compile(r"(u?int|bytes)\d+|address|bool")
"""Types of which one ABI word is the value."""


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
        self._dynamic_types = plain_types if any(map(_is_dynamic, plain)) else []
        self._data_digits = None if self._dynamic_types else 2 + WORD_DIGITS * len(plain)
        sources = {
            parameter["name"]: _topic_source(position, _type_name(parameter))
            for position, parameter in enumerate(indexed, start=1)
        } | {
            parameter["name"]: f"plain(values[{position}], parameters[{position}])"
            if self._dynamic_types
            else _word_source("data", 2 + WORD_DIGITS * position, _type_name(parameter))
            for position, parameter in enumerate(plain)
        }
        names = [parameter["name"] for parameter in inputs]
        self._decode = _compile(
            "topics, data, values", {name: sources[name] for name in names}, {"plain": _plain, "parameters": plain}
        )
        self.journalled: Callable[[dict[str, Any]], dict[str, Any]] = _compile(
            "args",
            {parameter["name"]: _journal_source(parameter) for parameter in inputs},
            {"spell": _spell},
        )
        """Turns what `decode` returned into JSON values: integers into decimal strings, as readers lose large ones."""

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
        return self._decode(topics, data, values)


def _compile(parameters: str, sources: dict[str, str], namespace: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Compile a function that returns a dict of expressions: in the hot path it takes half the time of a loop."""
    body = ", ".join(f"{name!r}: {source}" for name, source in sources.items())
    function: Callable[..., dict[str, Any]] = eval(  # noqa: S307 - of our own expressions; names are quoted
        f"lambda {parameters}: {{{body}}}", {"signed": _signed} | namespace
    )
    return function


def _is_dynamic(parameter: dict[str, Any]) -> bool:
    """Whether a parameter takes more than one word, or one that only the ABI library finds."""
    return _STATIC.fullmatch(_type_name(parameter)) is None


def _topic_source(position: int, type_name: str) -> str:
    """Return the expression of an indexed parameter: one of a dynamic type is the hash that its topic holds."""
    return _word_source(f"topics[{position}]", 2, type_name if _STATIC.fullmatch(type_name) else "bytes32")


def _word_source(text: str, start: int, type_name: str) -> str:
    """Return the expression of a static elementary type whose ABI word starts at digit `start` of `text`."""
    end = start + WORD_DIGITS
    kind, size = re.fullmatch(r"([a-z]+)(\d*)", type_name).groups()  # type: ignore[union-attr] # _STATIC matched
    return {
        "uint": f"int({text}[{start}:{end}], 16)",
        "int": f"signed({text}[{start}:{end}])",
        "address": f"'0x' + {text}[{end - 40}:{end}]",
        "bool": f"{text}[{end - 1}] == '1'",
        "bytes": f"'0x' + {text}[{start}:{start + 2 * int(size or 0)}]",
    }[kind]


def _journal_source(parameter: dict[str, Any]) -> str:
    value = f"args[{parameter['name']!r}]"
    type_name = _type_name(parameter)
    if type_name.endswith(("]", ")")):
        return value if parameter["indexed"] else f"spell({value})"
    is_integer = type_name.startswith(("uint", "int"))
    return f"str({value})" if is_integer else value


def _signed(word: str) -> int:
    return int.from_bytes(bytes.fromhex(word), signed=True)


def _spell(value: Any) -> Any:
    """Spell the integers in an array or struct as decimal strings."""
    if type(value) is int:
        return str(value)
    if isinstance(value, list):
        return [_spell(item) for item in value]
    if isinstance(value, dict):
        return {name: _spell(item) for name, item in value.items()}
    return value


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
