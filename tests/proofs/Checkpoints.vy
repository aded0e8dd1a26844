# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Proofs of the checkpoints module
@license Apache-2.0
"""

from contracts.modules import checkpoints
from tests.proofs import claim

initializes: checkpoints

HISTORY: constant(uint256) = 7
TIME_BOUND: constant(uint256) = 2**48


@external
def check_what_is_pushed_is_read_back(time: uint256, pushed: uint256):
    assert time < TIME_BOUND and pushed <= checkpoints.MAXIMUM_VALUE
    length: uint256 = checkpoints._push(HISTORY, 0, time, pushed)
    claim._holds(length == 1)
    claim._holds(checkpoints._latest(HISTORY, length) == pushed)
    claim._holds(checkpoints._checkpoints[HISTORY][0] >> checkpoints.VALUE_BITS == time)


@external
def check_the_past_is_the_last_value_at_or_before(times: uint256[4], pushed: uint256[4], queried: uint256):
    """
    @notice Of four pushes, any of which may fall into one second.
    """
    length: uint256 = 0
    expected: uint256 = 0
    previous: uint256 = 0
    for i: uint256 in range(4):
        assert previous <= times[i] and times[i] < TIME_BOUND
        assert pushed[i] <= checkpoints.MAXIMUM_VALUE
        previous = times[i]
        length = checkpoints._push(HISTORY, length, times[i], pushed[i])
        if times[i] <= queried:
            expected = pushed[i]
    claim._holds(checkpoints._at(HISTORY, length, queried) == expected)
