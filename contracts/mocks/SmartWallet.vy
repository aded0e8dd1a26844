# pragma version 0.4.3
# pragma evm-version cancun
"""
@title SmartWallet
@license Apache-2.0
@notice For tests: a wallet that calls anything for anybody, runs foreign code as its own, and accepts one signature
        (EIP-1271).
"""

VALID: constant(bytes4) = method_id("isValidSignature(bytes32,bytes)", output_type=bytes4)

_accepted: Bytes[1_024]


@external
@payable
def execute(target: address, data: Bytes[4_096]):
    """
    @notice Calls `target` with `data` and the value sent, and reverts as it does.
    @param target Whom to call.
    @param data The calldata.
    """
    raw_call(target, data, value=msg.value)


@external
def executeAsOwn(target: address, data: Bytes[4_096]):
    """
    @notice Runs the code of `target` on this wallet's storage, and reverts as it does.
    @param target Whose code.
    @param data The calldata.
    """
    raw_call(target, data, is_delegate_call=True)


@external
def accept(signature: Bytes[1_024]):
    """
    @notice Accepts `signature` from now on, whatever was signed.
    @param signature The only valid one.
    """
    self._accepted = signature


@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[1_024]) -> bytes4:
    """
    @notice Whether `signature` is the accepted one (EIP-1271).
    @param digest What was signed.
    @param signature The signature.
    @return The function's own selector if so, else zero.
    """
    if signature == self._accepted:
        return VALID
    return empty(bytes4)
