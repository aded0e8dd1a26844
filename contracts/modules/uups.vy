# pragma version 0.4.3
# pragma evm-version cancun
"""
@title UUPS
@license Apache-2.0
@notice The implementation's side of a proxy (ERC-1822, ERC-1967): it replaces itself, and initialises a proxy once a
        version. Used directly, it is locked from its construction on.
@dev Before it upgrades, a deployable checks that it is behind a proxy, and who calls. No function here takes the
     re-entrancy lock: the call that an upgrade makes runs in the same proxy and takes it.
"""

from . import erc1967

uses: erc1967


event Initialized:
    version: uint64


UPGRADE_INTERFACE_VERSION: public(constant(String[5])) = "5.0.0"

# The implementation itself, wherever its code runs.
IMPLEMENTATION: immutable(address)

_version: uint64


@deploy
def __init__():
    """
    @notice Locks the implementation. Emits Initialized with the largest version.
    """
    IMPLEMENTATION = self
    self._initialize(max_value(uint64))


@external
@view
def proxiableUUID() -> bytes32:
    """
    @notice The slot that this implementation upgrades through (ERC-1822).
            Reverts with "uups: called through a proxy": a proxy must not be taken for an implementation.
    @return The ERC-1967 implementation slot.
    """
    assert self == IMPLEMENTATION, "uups: called through a proxy"
    return convert(erc1967.IMPLEMENTATION_SLOT, bytes32)


@internal
def _initialize(version: uint64):
    """
    @dev Lets one initialisation of each version pass, in order. Emits Initialized.
         Reverts with "uups: already initialised".
    """
    assert version > self._version, "uups: already initialised"
    self._version = version
    log Initialized(version=version)


@internal
@view
def _check_proxy():
    """
    @dev Reverts with "uups: not called through a proxy" where this code does not run on a proxy's storage that names
         it as implementation.
    """
    assert self != IMPLEMENTATION and erc1967._implementation == IMPLEMENTATION, "uups: not called through a proxy"


@internal
def _upgrade_to_and_call(implementation: address, data: Bytes[1_024]):
    """
    @dev Puts `implementation` behind this proxy and, unless `data` is empty, calls it there. Emits Upgraded.
         Reverts with "uups: implementation is not UUPS" or the call's reason.
    """
    # What cannot upgrade in its turn would stay for ever.
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        implementation,
        method_id("proxiableUUID()"),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    expected: bytes32 = convert(erc1967.IMPLEMENTATION_SLOT, bytes32)
    assert success and len(answer) == 32 and convert(answer, bytes32) == expected, "uups: implementation is not UUPS"

    erc1967._set_implementation(implementation)
    if len(data) > 0:
        raw_call(implementation, data, is_delegate_call=True)
