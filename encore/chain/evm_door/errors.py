"""JSON-RPC errors with the codes of EIP-1474, and the one that EVM reverts have in practice."""

from typing import Final

from eth.abc import ComputationAPI
from eth.exceptions import Revert
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
INVALID_INPUT: Final = -32000
RESOURCE_NOT_FOUND: Final = -32001
TRANSACTION_REJECTED: Final = -32003
EXECUTION_REVERTED: Final = 3

_SELECTOR_BYTES: Final = 4
_ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")  # Error(string)
_PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")  # Panic(uint256)


class JsonRpcError(Exception):
    """What a request is answered with instead of a result; `data` is a 0x string or None."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def execution_failed(computation: ComputationAPI) -> JsonRpcError:
    """Describe why a call that ended in an error did so; a revert carries the data it gave."""
    if not isinstance(computation.error, Revert):
        return JsonRpcError(INTERNAL_ERROR, f"EVM error {type(computation.error).__name__}")
    output = computation.output
    reason = _revert_reason(output)
    message = f"execution reverted: {reason}" if reason else "execution reverted"
    return JsonRpcError(EXECUTION_REVERTED, message, f"0x{output.hex()}")


def _revert_reason(output: bytes) -> str:
    selector, arguments = output[:_SELECTOR_BYTES], output[_SELECTOR_BYTES:]
    try:
        if selector == _ERROR_SELECTOR:
            return str(decode(["string"], arguments)[0])
        if selector == _PANIC_SELECTOR:
            return f"panic: {decode(['uint256'], arguments)[0]:#x}"
    except (DecodingError, UnicodeDecodeError):
        pass  # a contract may revert with anything at all
    return f"custom error 0x{selector.hex()}" if selector else ""
