# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Batch
@license Apache-2.0
@notice For tests: an account that makes several calls in one transaction, and so in one second.
"""


struct Call:
    target: address
    value: uint256
    data: Bytes[256]


@external
@payable
def __default__():
    """
    @notice Takes the native coin.
    """
    pass


@external
@payable
def execute(calls: DynArray[Call, 8]):
    """
    @notice Makes the calls one after the other, and reverts as the first that does.
    @param calls Whom to call, with how many native wei, and with what calldata.
    """
    for call: Call in calls:
        raw_call(call.target, call.data, value=call.value)
