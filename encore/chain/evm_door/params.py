"""Parameters of JSON-RPC requests as Python values; what is no such value raises with code -32602."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from eth.constants import CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS
from eth_typing import Address

from encore.chain.evm_door.errors import INVALID_PARAMS, JsonRpcError
from encore.chain.evm_door.shapes import Json

ADDRESS_BYTES: Final = 20
HASH_BYTES: Final = 32
MAX_TOPICS: Final = 4
_MAX_WORD: Final = 2**256

AccessList = Sequence[tuple[Address, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class CallRequest:
    """The transaction object of eth_call and eth_estimateGas; fees in wei per gas, `to` empty to create a contract."""

    sender: Address
    to: Address
    value: int
    data: bytes
    gas: int | None
    max_fee: int
    max_priority_fee: int
    access_list: AccessList


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What eth_getLogs asks for: which logs, and either one block by its hash or a range of blocks."""

    addresses: frozenset[str]
    topics: Sequence[frozenset[str]]
    block_hash: str | None
    from_block: object
    to_block: object

    def matches(self, log: Json) -> bool:
        """Whether the address and each topic of `log` are among those asked for; an empty set asks for any."""
        if self.addresses and log["address"] not in self.addresses:
            return False
        pairs = zip_longest(self.topics, log["topics"], fillvalue=None)
        return all(not wanted or topic in wanted for wanted, topic in pairs)


def invalid(message: str) -> JsonRpcError:
    """Return the error that refuses a parameter."""
    return JsonRpcError(INVALID_PARAMS, message)


def quantity(value: object) -> int:
    """Decode a 0x number of at most 256 bits."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            number = int(value, 16)
        except ValueError:
            number = _MAX_WORD
        if number < _MAX_WORD:
            return number
    raise invalid(f"{value!r} is not a 0x number of at most 256 bits")


def binary(value: object, length: int | None = None) -> bytes:
    """Decode a 0x string of whole bytes, `length` of them where that is given."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            decoded = bytes.fromhex(value[2:])
        except ValueError:
            decoded = None
        if decoded is not None and length in (None, len(decoded)):
            return decoded
    expected = "a 0x string of whole bytes" if length is None else f"{length} bytes as a 0x string"
    raise invalid(f"{value!r} is not {expected}")


def address(value: object) -> Address:
    """Decode an address, whatever its letter case."""
    return Address(binary(value, ADDRESS_BYTES))


def hash_text(value: object) -> str:
    """Check a hash and return it as the chain spells it, in lower case."""
    return f"0x{binary(value, HASH_BYTES).hex()}"


def call_request(value: object) -> CallRequest:
    """Decode the transaction object of eth_call and eth_estimateGas."""
    fields = _object(value)
    gas_price = _optional_quantity(fields, "gasPrice")
    data = fields.get("input", fields.get("data"))
    return CallRequest(
        sender=ZERO_ADDRESS if fields.get("from") is None else address(fields["from"]),
        to=CREATE_CONTRACT_ADDRESS if fields.get("to") is None else address(fields["to"]),
        value=_optional_quantity(fields, "value") or 0,
        data=b"" if data is None else binary(data),
        gas=_optional_quantity(fields, "gas"),
        max_fee=gas_price or _optional_quantity(fields, "maxFeePerGas") or 0,
        max_priority_fee=gas_price or _optional_quantity(fields, "maxPriorityFeePerGas") or 0,
        access_list=[
            (
                address(item.get("address")),
                [int.from_bytes(binary(key, HASH_BYTES)) for key in item.get("storageKeys") or []],
            )
            for item in map(_object, fields.get("accessList") or [])
        ],
    )


def log_filter(value: object) -> LogFilter:
    """Decode the filter object of eth_getLogs; its block parameters are left to the chain to resolve."""
    fields = _object(value)
    block_hash = fields.get("blockHash")
    if block_hash is not None and ("fromBlock" in fields or "toBlock" in fields):
        raise invalid("cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
    topics = fields.get("topics") or []
    if not isinstance(topics, list) or len(topics) > MAX_TOPICS:
        raise invalid(f"topics must be a list of {MAX_TOPICS} at most")
    return LogFilter(
        addresses=_alternatives(fields.get("address"), ADDRESS_BYTES),
        topics=[_alternatives(topic, HASH_BYTES) for topic in topics],
        block_hash=None if block_hash is None else hash_text(block_hash),
        from_block=fields.get("fromBlock") or "latest",
        to_block=fields.get("toBlock") or "latest",
    )


def _alternatives(value: object, length: int) -> frozenset[str]:
    items = [] if value is None else value if isinstance(value, list) else [value]
    return frozenset(f"0x{binary(item, length).hex()}" for item in items)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"{value!r} is not an object")
    return value


def _optional_quantity(fields: dict[str, Any], name: str) -> int | None:
    return None if fields.get(name) is None else quantity(fields[name])
