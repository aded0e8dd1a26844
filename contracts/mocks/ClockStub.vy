# pragma version 0.4.3
# pragma evm-version cancun
"""
@title ClockStub
@license Apache-2.0
@notice For tests: tells time as it is told to.
"""

CLOCK_MODE: public(immutable(String[30]))


@deploy
def __init__(mode: String[30]):
    CLOCK_MODE = mode
