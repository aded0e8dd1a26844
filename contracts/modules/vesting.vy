# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Linear vesting
@license Apache-2.0
@notice An allocation that becomes its beneficiary's by the second over 365 days from the deployment.
@dev It keeps the books; the deployable mints what `_claim` returns.
"""

event VestedTokensClaimed:
    creator: indexed(address)
    amount: uint256


# Seconds.
vestingPeriod: public(constant(uint256)) = 365 * 86_400

# Token wei in all.
vestingAllocation: public(immutable(uint256))
# Unix seconds.
vestingStart: public(immutable(uint256))

# Token wei so far.
vestedTokensClaimed: public(uint256)


@deploy
def __init__(allocation: uint256):
    """
    @param allocation Token wei.
    """
    vestingAllocation = allocation
    vestingStart = block.timestamp


@external
@view
def claimableVestedTokens() -> uint256:
    """
    @notice What has vested and was not claimed yet.
    @return Token wei, rounded down.
    """
    return self._claimable()


@internal
def _claim(creator: address) -> uint256:
    """
    @dev Emits VestedTokensClaimed. Reverts with "vesting: nothing vested".
    @return Token wei to mint.
    """
    amount: uint256 = self._claimable()
    assert amount > 0, "vesting: nothing vested"
    self.vestedTokensClaimed += amount
    log VestedTokensClaimed(creator=creator, amount=amount)
    return amount


@internal
@view
def _claimable() -> uint256:
    elapsed: uint256 = min(block.timestamp - vestingStart, vestingPeriod)
    return vestingAllocation * elapsed // vestingPeriod - self.vestedTokensClaimed
