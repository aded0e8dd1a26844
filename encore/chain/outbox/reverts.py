"""Why a call reverted, from what a node says about it."""

from typing import Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from encore.errors import RpcError

ERROR_SELECTOR: Final = "0x08c379a0"  # Error(string)
PANIC_SELECTOR: Final = "0x4e487b71"  # Panic(uint256)
REVERTED_CODE: Final = 3  # what nodes answer besides the revert data, as geth introduced it


def is_revert(error: RpcError) -> bool:
    """Whether the contract refused the call, rather than the node."""
    return error.code == REVERTED_CODE or "revert" in error.message.lower()


def revert_reason(error: RpcError) -> str:
    """Return the string the contract reverted with, or the node's words where there is none to decode."""
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    if isinstance(data, str) and (decoded := _decode(data)) is not None:
        return decoded
    return error.message


def _decode(data: str) -> str | None:
    selector, payload = data[:10], data[10:]
    try:
        if selector == ERROR_SELECTOR:
            (reason,) = decode(["string"], bytes.fromhex(payload))
            return str(reason)
        if selector == PANIC_SELECTOR:
            (code,) = decode(["uint256"], bytes.fromhex(payload))
            return f"panic {code:#04x}"
    except (DecodingError, ValueError):
        return None
    return None
