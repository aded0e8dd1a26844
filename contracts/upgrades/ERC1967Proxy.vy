# pragma version 0.4.3
# pragma evm-version cancun
"""
@title ERC1967Proxy
@license Apache-2.0
@notice Runs an implementation's code on its own storage, coin and address. It has no function of its own, so none can
        clash with the implementation's, and no administrator: the implementation decides who replaces it (UUPS).
@dev Without the re-entrancy lock: it would be taken around the implementation's own, which lives in the same storage.
@custom:kill Nothing stops it; what its implementation pauses is paused.
"""

from ..modules import erc1967

initializes: erc1967

# Vyper reserves memory for the longest answer: 32 words cost 100 gas. SPARK's longest is eip712Domain's, 12 words.
MAXIMUM_ANSWER: constant(uint256) = 1_024


@deploy
@payable
def __init__(implementation: address, data: Bytes[1_024]):
    """
    @notice Initialises the proxy in the transaction that creates it: between two, a stranger would. Emits Upgraded and
            what the call emits. Reverts with "proxy: initialisation is missing", "erc1967: implementation is not a
            contract" or the call's reason.
    @param implementation The first implementation.
    @param data The call that initialises it.
    """
    assert len(data) > 0, "proxy: initialisation is missing"
    erc1967._set_implementation(implementation)
    raw_call(implementation, data, is_delegate_call=True)


@external
@payable
@raw_return
def __default__() -> Bytes[MAXIMUM_ANSWER]:
    """
    @notice Passes any call and its coin to the implementation, and its answer or reason back.
            Reverts with "proxy: answer too long" rather than cut one of 1 024 bytes or more.
    @return The answer, as it is.
    """
    success: bool = False
    answer: Bytes[MAXIMUM_ANSWER] = b""
    success, answer = raw_call(
        erc1967._implementation,
        msg.data,
        max_outsize=MAXIMUM_ANSWER,
        is_delegate_call=True,
        revert_on_failure=False,
    )
    if not success:
        raw_revert(answer)
    assert len(answer) < MAXIMUM_ANSWER, "proxy: answer too long"
    return answer
