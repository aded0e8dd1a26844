# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Checkpoints
@license Apache-2.0
@notice Histories of values over time: what a value was at any past second is found in O(log n).
@dev One slot per checkpoint: the time in unix seconds in the high 48 bits, the value in the low 208. A second has at
     most one checkpoint, its last value. Whoever keeps a history also keeps its length, packed where that is cheap.
"""

VALUE_BITS: constant(uint256) = 208
MAXIMUM_VALUE: constant(uint256) = 2**208 - 1
# Binary search halves a history at each step, and times are distinct 48-bit numbers.
MAXIMUM_STEPS: constant(uint256) = 48

# history -> index -> checkpoint
_checkpoints: HashMap[uint256, HashMap[uint256, uint256]]


@internal
def _push(history: uint256, length: uint256, timepoint: uint256, new_value: uint256) -> uint256:
    """
    @dev Writes what the value is from `timepoint` on. Reverts with "checkpoints: value too large".
    @param history Which history.
    @param length How many checkpoints it has.
    @param timepoint Unix seconds, not before the last checkpoint's.
    @param new_value At most 208 bits.
    @return The length from now on.
    """
    assert new_value <= MAXIMUM_VALUE, "checkpoints: value too large"
    checkpoint: uint256 = timepoint << VALUE_BITS | new_value
    if length > 0 and self._checkpoints[history][length - 1] >> VALUE_BITS == timepoint:
        self._checkpoints[history][length - 1] = checkpoint
        return length
    self._checkpoints[history][length] = checkpoint
    return length + 1


@internal
@view
def _latest(history: uint256, length: uint256) -> uint256:
    """
    @param history Which history.
    @param length How many checkpoints it has.
    @return The present value; zero without a checkpoint.
    """
    if length == 0:
        return 0
    return self._checkpoints[history][length - 1] & MAXIMUM_VALUE


@internal
@view
def _at(history: uint256, length: uint256, timepoint: uint256) -> uint256:
    """
    @param history Which history.
    @param length How many checkpoints it has.
    @param timepoint Unix seconds.
    @return The value at the end of that second; zero before the first checkpoint.
    """
    # Most look-ups are recent: one read answers where nothing changed since.
    low: uint256 = 0
    high: uint256 = length
    if length > 0 and self._checkpoints[history][length - 1] >> VALUE_BITS <= timepoint:
        low = length
    for _: uint256 in range(MAXIMUM_STEPS):
        if low >= high:
            break
        # Every checkpoint below `low` is at or before `timepoint`, every one from `high` on after it.
        middle: uint256 = (low + high) // 2
        if self._checkpoints[history][middle] >> VALUE_BITS <= timepoint:
            low = middle + 1
        else:
            high = middle
    return self._latest(history, low)
