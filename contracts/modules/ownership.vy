# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Ownership
@license Apache-2.0
@notice snekmate's single owner behind a camelCase interface. Ownership can be handed over, never renounced:
        every contract here has duties that only an owner can fulfil.
"""

from snekmate.auth import ownable

uses: ownable

exports: ownable.owner


@external
def transferOwnership(newOwner: address):
    """
    @notice Makes `newOwner` the owner. The owner only. Emits OwnershipTransferred.
            Reverts with "ownable: caller is not the owner" or "ownable: new owner is the zero address".
    @param newOwner The account that takes over.
    """
    ownable._check_owner()
    assert newOwner != empty(address), "ownable: new owner is the zero address"
    ownable._transfer_ownership(newOwner)
