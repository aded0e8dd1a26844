"""How values look in JSON: wei as decimal strings, EIP-55 addresses, ISO 8601 UTC times; and how they may be given."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final

from eth_utils.address import to_checksum_address
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from encore.db.types import UINT256_MAX

INT64_MAX: Final = 2**63 - 1

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_DECIMAL: Final = re.compile(r"[0-9]{1,78}")
_CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f]")


class Wire(BaseModel):
    """Base of what goes over the wire; unknown fields of a request are refused rather than ignored."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_serialization_defaults_required=True,  # an answer always holds them
    )


def is_address(value: str) -> bool:
    """Whether `value` has the form of an address."""
    return _ADDRESS.fullmatch(value) is not None


@lru_cache(maxsize=65_536)
def checksummed(address: str) -> str:
    """Return `address` in EIP-55 form. Cached: a page shows the same few addresses again and again."""
    return str(to_checksum_address(address))


def utc(timestamp: int) -> datetime:
    """Turn a block time (unix seconds) into a UTC datetime."""
    return datetime.fromtimestamp(timestamp, UTC)


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("should be an address: 0x and 40 hexadecimal digits")
    digits = value[2:]
    if digits not in {digits.lower(), digits.upper()} and value != checksummed(value):
        raise ValueError("has a wrong EIP-55 checksum: check for a typing mistake, or give it in lower case")
    return value.lower()


def _decimal(value: Any) -> int:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError("should be a string of decimal digits, in wei")
    number = int(value)
    if not 0 < number <= UINT256_MAX:
        raise ValueError("should be at least 1 and at most 2**256 - 1")
    return number


def _search_text(value: str) -> str:
    if _CONTROL_CHARACTER.search(value):
        raise ValueError("should hold no control characters")
    return value


_WEI_SCHEMA: Final = {"type": "string", "pattern": "^[0-9]+$", "examples": ["1500000000000000000"]}
_ADDRESS_SCHEMA: Final = {
    "type": "string",
    "pattern": "^0x[0-9a-fA-F]{40}$",
    "examples": ["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"],
}

Wei = Annotated[int, PlainSerializer(str, return_type=str), WithJsonSchema(_WEI_SCHEMA)]
"""An amount in wei: `int` inside, a decimal string outside."""
SignedWei = Annotated[
    int, PlainSerializer(str, return_type=str), WithJsonSchema({**_WEI_SCHEMA, "pattern": "^-?[0-9]+$"})
]
"""A difference of amounts in wei."""
Address = Annotated[str, AfterValidator(checksummed), WithJsonSchema(_ADDRESS_SCHEMA)]
"""An address on its way out: checksummed."""
Hash = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-f]{64}$", "examples": ["0x" + "5f2b" * 16]})
]
"""A 32-byte hash in lower-case hex."""
AddressInput = Annotated[str, AfterValidator(_address), WithJsonSchema(_ADDRESS_SCHEMA)]
"""An address on its way in: any case, its checksum verified where it has one; lower case inside."""
WeiInput = Annotated[int, BeforeValidator(_decimal), WithJsonSchema(_WEI_SCHEMA)]
"""A positive amount in wei on its way in."""
SearchText = Annotated[str, AfterValidator(_search_text)]
"""What a person typed into a search box."""
