# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title SparkTokenClashing
@license Apache-2.0
@notice For tests: a next version of SPARK that must never be deployed. Its variable stands before all others and moves
        them by a slot.
"""

from ..tokens import SparkToken

motto: public(uint256)

initializes: SparkToken

exports: SparkToken.__interface__


@deploy
def __init__():
    SparkToken.__init__()
