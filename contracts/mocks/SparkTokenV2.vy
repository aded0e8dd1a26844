# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title SparkTokenV2
@license Apache-2.0
@notice For tests: the next version of SPARK, with a function and a variable more, behind all that was there.
"""

from ..modules import uups
from ..tokens import SparkToken

uses: uups
initializes: SparkToken

exports: SparkToken.__interface__

motto: public(String[50])


@deploy
def __init__():
    SparkToken.__init__()


@external
def initializeV2(motto: String[50]):
    """
    @notice Migrates the storage, once.
    @param motto What the new variable holds.
    """
    uups._initialize(2)
    self.motto = motto


@external
@view
def echo(answer: Bytes[2_048]) -> Bytes[2_048]:
    """
    @notice An answer as long as one likes, for the proxy to pass on.
    @param answer The answer.
    @return The same.
    """
    return answer
