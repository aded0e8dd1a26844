# pragma version 0.4.3
# pragma evm-version cancun
"""
@title OpenRegistry
@license Apache-2.0
@notice For tests: a registry that takes every token for a creator token, so that hostile ones can be paid with, and
        that knows no coins.
"""

coinOf: public(HashMap[address, address])


@external
@view
def isCreatorToken(token: address) -> bool:
    """
    @notice Whether `token` is a creator token.
    @param token Any address.
    @return True.
    """
    return True
