"""Reading why a call reverted out of what different nodes answer."""

import pytest
from eth_abi.abi import encode

from encore.chain.outbox.reverts import is_revert, revert_reason
from encore.errors import RpcError

REASON = "0x08c379a0" + encode(["string"], ["metrics: stale update"]).hex()
PANIC = "0x4e487b71" + encode(["uint256"], [0x11]).hex()


@pytest.mark.parametrize(
    ("message", "data", "reason"),
    [
        ("execution reverted", REASON, "metrics: stale update"),
        ("execution reverted", {"data": REASON}, "metrics: stale update"),
        ("execution reverted", PANIC, "panic 0x11"),
        ("execution reverted: dex: expired", None, "execution reverted: dex: expired"),
        ("execution reverted", "0x", "execution reverted"),
        ("execution reverted", "0x08c379a0ff", "execution reverted"),
        ("execution reverted", "0x12345678", "execution reverted"),
    ],
)
def test_the_contracts_words_are_found_wherever_a_node_puts_them(message: str, data: object, reason: str) -> None:
    assert revert_reason(RpcError("eth_estimateGas", 3, message, data)) == reason


@pytest.mark.parametrize(
    ("code", "message", "reverted"),
    [
        (3, "execution failed", True),
        (-32000, "execution reverted", True),
        (-32603, "VM Exception while processing transaction: revert", True),
        (-32000, "insufficient funds for gas * price + value", False),
        (-32000, "gas required exceeds allowance (30000000)", False),
    ],
)
def test_a_refusing_contract_is_told_from_a_refusing_node(code: int, message: str, *, reverted: bool) -> None:
    assert is_revert(RpcError("eth_estimateGas", code, message)) is reverted
