# pragma version 0.4.3
# pragma evm-version cancun
"""
@title ERC-1967 implementation slot
@license Apache-2.0
@notice The variable that proxy and implementation share, in the slot where explorers look for it.
@dev Vyper places variables one after another: gaps as long as the slot's number put `implementation` there. That
     needs this module to be the first thing that a deployable initialises; all else is placed behind the slot.
"""

event Upgraded:
    implementation: indexed(address)


# keccak256("eip1967.proxy.implementation") - 1, in digits because the compiler takes no hexadecimal length.
IMPLEMENTATION_SLOT: constant(uint256) = (
    24_440_054_405_305_269_366_569_402_256_811_496_959_409_073_762_505_157_381_672_968_839_269_610_695_612
)

# The compiler warns of arrays of 2**64 items and more, so the gap is the slot's number in digits of this radix.
RADIX: constant(uint256) = 2**64 - 1
_gap_3: uint256[RADIX][RADIX][RADIX][IMPLEMENTATION_SLOT // RADIX**3]
_gap_2: uint256[RADIX][RADIX][IMPLEMENTATION_SLOT // RADIX**2 % RADIX]
_gap_1: uint256[RADIX][IMPLEMENTATION_SLOT // RADIX % RADIX]
_gap_0: uint256[IMPLEMENTATION_SLOT % RADIX]

_implementation: address


@internal
def _set_implementation(implementation: address):
    """
    @dev Emits Upgraded. Reverts with "erc1967: implementation is not a contract".
    """
    assert implementation.is_contract, "erc1967: implementation is not a contract"
    self._implementation = implementation
    log Upgraded(implementation=implementation)
