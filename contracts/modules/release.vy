# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Release of a coin's supply as its creator grows
@license Apache-2.0
@notice Out of a reserve, at most one portion in 30 days, and only when the creator's reported monthly streams are at
        least 20 % above their high-water mark: what they were at the last release, or at the launch before the first.
        Figures that swing down and up again release nothing twice.
@dev It decides and keeps the books; the deployable mints what `_release` returns.
"""

event TokensReleased:
    creator: indexed(address)
    amount: uint256
    triggerGrowthBps: uint256


BASIS_POINTS: constant(uint256) = 10_000

# Basis points above the high-water mark.
minimumReleaseGrowth: public(constant(uint256)) = 2_000
# Seconds.
releaseInterval: public(constant(uint256)) = 30 * 86_400
releaseMetricsMaximumAge: public(constant(uint256)) = 7 * 86_400

# Monthly streams below the first are growth out of noise; above the second nobody has listeners.
LOWEST_MARK: constant(uint256) = 1_000
HIGHEST_MARK: constant(uint256) = 10**15

# Token wei: the most that one release gives, and all of them together.
releasePortion: public(immutable(uint256))
releaseReserve: public(immutable(uint256))

# Token wei so far.
releasedSupply: public(uint256)
# Monthly streams.
releaseHighWaterMark: public(uint256)
# Unix seconds; the launch counts as a release.
lastReleaseAt: public(uint256)


@deploy
def __init__(reserve: uint256, portion: uint256, monthly_streams: uint256):
    """
    @param reserve Token wei held for release.
    @param portion The most that one release gives, in token wei.
    @param monthly_streams What the creator has at the launch.
    """
    releaseReserve = reserve
    releasePortion = portion
    self.releaseHighWaterMark = self._mark(monthly_streams)
    self.lastReleaseAt = block.timestamp


@internal
def _release(creator: address, monthly_streams: uint256, observed_at: uint256) -> uint256:
    """
    @dev Emits TokensReleased. Reverts with "release: too soon", "release: metrics too old", "release: growth below
         2000 bps" or "release: nothing left".
    @param creator Whose streams.
    @param monthly_streams Plays in the 30 days before `observed_at`, as last reported.
    @param observed_at When they held, in unix seconds.
    @return Token wei to mint.
    """
    assert block.timestamp >= self.lastReleaseAt + releaseInterval, "release: too soon"
    assert block.timestamp <= observed_at + releaseMetricsMaximumAge, "release: metrics too old"
    previous: uint256 = self.releaseHighWaterMark
    mark: uint256 = self._mark(monthly_streams)
    assert mark * BASIS_POINTS >= previous * (BASIS_POINTS + minimumReleaseGrowth), "release: growth below 2000 bps"
    released: uint256 = self.releasedSupply
    amount: uint256 = min(releasePortion, releaseReserve - released)
    assert amount > 0, "release: nothing left"

    self.releasedSupply = released + amount
    self.releaseHighWaterMark = mark
    self.lastReleaseAt = block.timestamp
    log TokensReleased(
        creator=creator, amount=amount, triggerGrowthBps=(mark - previous) * BASIS_POINTS // previous
    )
    return amount


@internal
@pure
def _mark(monthly_streams: uint256) -> uint256:
    return min(max(monthly_streams, LOWEST_MARK), HIGHEST_MARK)
