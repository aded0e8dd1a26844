# pragma version 0.4.3
# pragma evm-version cancun
"""
@title ProxiableStub
@license Apache-2.0
@notice For tests: says that it upgrades through the slot that it is told to say.
"""

proxiableUUID: public(immutable(bytes32))


@deploy
def __init__(uuid: bytes32):
    proxiableUUID = uuid
