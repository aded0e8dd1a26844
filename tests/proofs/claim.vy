# pragma version 0.4.3
# pragma evm-version cancun
"""
@title What a proof says
@license Apache-2.0
@notice In a proof `assert` restricts what is looked at, and `_holds` states what must follow: halmos looks for arguments
        under which it does not.
"""

# Where Foundry's cheat codes are, which halmos understands.
CHEATS: constant(address) = 0x7109709ECfa91a80626fF3989D68f67F5b1DD12D


@internal
@pure
def _holds(statement: bool):
    # Panic(1) is what halmos takes for a failed assertion; any other revert only ends the path.
    if not statement:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))


@internal
def _warp(time: uint256):
    """
    @dev Makes it `time`, in unix seconds.
    """
    raw_call(CHEATS, abi_encode(time, method_id=method_id("warp(uint256)")))
