# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title Staking of a token in the token's own contract
@license Apache-2.0
@notice One position per account, locked for 365 days, earning 10 % a year linearly by the second. Rewards are newly
        minted, never beyond `maximumSupply`: once that is reached they stop, and principal stays withdrawable.
@dev The staked tokens are held by the contract itself, and move past the deployable's other books: they stay the
     staker's units, to vote with and to earn revenue by. Rewards are minted past those books too: a deployable offers
     claimRewards and unstake over `_claim` and `_unstake`, which tell it what was minted, and keeps its books around.
"""

from snekmate.tokens import erc20

uses: erc20


struct StakingPosition:
    amount: uint256
    stakedAt: uint256
    lastClaimed: uint256
    totalRewards: uint256


event TokensStaked:
    account: indexed(address)
    amount: uint256
    unlocksAt: uint256


event RewardsClaimed:
    account: indexed(address)
    reward: uint256


event TokensUnstaked:
    account: indexed(address)
    amount: uint256
    reward: uint256


BASIS_POINTS: constant(uint256) = 10_000
YEAR: constant(uint256) = 365 * 86_400

# Basis points a year.
stakingRewardRate: public(constant(uint256)) = 1_000
# Token wei.
minimumStake: public(constant(uint256)) = 100 * 10**18
# Seconds.
stakingLockPeriod: public(constant(uint256)) = YEAR

# Token wei; bounded so that a reward's arithmetic cannot overflow and hold the principal back.
maximumSupply: public(immutable(uint256))
MAXIMUM_SUPPLY_BOUND: constant(uint256) = 2**112 - 1

totalStaked: public(uint256)

# Token wei below the maximum supply that are kept for other purposes: rewards never take them.
_reserved: uint256

# Sum over positions of amount * lastClaimed: what all of them have earned so far is known without a loop.
_weighted_last_claims: uint256

_positions: HashMap[address, StakingPosition]


@deploy
def __init__(maximum_supply: uint256):
    """
    @param maximum_supply Token wei that minted rewards may bring the total supply to.
    """
    assert maximum_supply <= MAXIMUM_SUPPLY_BOUND, "staking: maximum supply too large"
    maximumSupply = maximum_supply


@external
def stake(amount: uint256):
    """
    @notice Locks `amount` of the caller's tokens for 365 days. Emits Transfer to this contract and TokensStaked.
            Reverts with "staking: amount below minimum" or "staking: position already open".
    @param amount Token wei, at least `minimumStake`.
    """
    self._stake(msg.sender, amount)


@external
@view
def calculateRewards(account: address) -> uint256:
    """
    @notice What `claimRewards` would pay `account` now.
    @param account The staker.
    @return Token wei, rounded down.
    """
    return self._rewards_due(self._positions[account])


@external
@view
def stakingInfo(account: address) -> StakingPosition:
    """
    @notice The position of `account`: amount and totalRewards in token wei, stakedAt and lastClaimed in unix seconds;
            all zero without one.
    @param account The staker.
    @return The position.
    """
    return self._positions[account]


@external
@view
def isStaking(account: address) -> bool:
    """
    @notice Whether `account` has an open position.
    @param account The staker.
    @return True while a position is open.
    """
    return self._positions[account].amount > 0


@external
@view
def rewardsRemaining() -> uint256:
    """
    @notice How much may still be minted as rewards.
    @return Token wei below the maximum supply that are kept for nothing else; burning adds to it.
    """
    return self._room()


@external
@view
def rewardsRunway() -> uint256:
    """
    @notice How long the rewards last at the present stake, counting what is earned and not claimed yet.
    @return Seconds, rounded down; the largest uint256 while nothing is staked.
    """
    if self.totalStaked == 0:
        return max_value(uint256)
    earned: uint256 = stakingRewardRate * (self.totalStaked * block.timestamp - self._weighted_last_claims)
    mintable: uint256 = self._room() * BASIS_POINTS * YEAR
    if mintable <= earned:
        return 0
    return (mintable - earned) // (stakingRewardRate * self.totalStaked)


@internal
def _stake(account: address, amount: uint256):
    assert amount >= minimumStake, "staking: amount below minimum"
    assert self._positions[account].amount == 0, "staking: position already open"

    self._positions[account] = StakingPosition(
        amount=amount, stakedAt=block.timestamp, lastClaimed=block.timestamp, totalRewards=0
    )
    self.totalStaked += amount
    self._weighted_last_claims += amount * block.timestamp
    erc20._transfer(account, self, amount)
    log TokensStaked(account=account, amount=amount, unlocksAt=block.timestamp + stakingLockPeriod)


@internal
def _claim(account: address) -> uint256:
    """
    @dev Mints the rewards of `account` due so far; where the maximum supply leaves less room, as much as it leaves,
         and what is above lapses. Emits Transfer from the zero address and RewardsClaimed.
         Reverts with "staking: no position" or "staking: no rewards due".
    @return Token wei minted.
    """
    reward: uint256 = self._collect(account)
    assert reward > 0, "staking: no rewards due"
    log RewardsClaimed(account=account, reward=reward)
    return reward


@internal
def _unstake(account: address) -> uint256:
    """
    @dev Returns the whole principal of `account` and mints the rewards due; with no room left below the maximum
         supply the principal comes back alone. Emits Transfer and TokensUnstaked (not RewardsClaimed).
         Reverts with "staking: no position" or "staking: still locked".
    @return Token wei minted.
    """
    # Shared with _claim through _collect: an external call from here would meet the re-entrancy lock.
    reward: uint256 = self._collect(account)
    position: StakingPosition = self._positions[account]
    assert block.timestamp >= position.stakedAt + stakingLockPeriod, "staking: still locked"

    self._positions[account] = empty(StakingPosition)
    self.totalStaked -= position.amount
    self._weighted_last_claims -= position.amount * position.lastClaimed
    erc20._transfer(self, account, position.amount)
    log TokensUnstaked(account=account, amount=position.amount, reward=reward)
    return reward


@internal
def _collect(account: address) -> uint256:
    """
    @dev Mints what is due to `account`, possibly nothing, and starts its clock anew.
    """
    position: StakingPosition = self._positions[account]
    assert position.amount > 0, "staking: no position"

    reward: uint256 = self._rewards_due(position)
    if reward > 0:
        self._weighted_last_claims += position.amount * (block.timestamp - position.lastClaimed)
        self._positions[account].lastClaimed = block.timestamp
        self._positions[account].totalRewards = position.totalRewards + reward
        erc20._mint(account, reward)
    return reward


@internal
@view
def _rewards_due(position: StakingPosition) -> uint256:
    earned: uint256 = (
        position.amount * stakingRewardRate * (block.timestamp - position.lastClaimed) // (BASIS_POINTS * YEAR)
    )
    return min(earned, self._room())


@internal
@view
def _units_of(account: address) -> uint256:
    """
    @return All that `account` owns, staked or not, in token wei.
    """
    return erc20.balanceOf[account] + self._positions[account].amount


@internal
@view
def _room() -> uint256:
    # Never negative: whatever else is minted comes out of what is reserved.
    return maximumSupply - erc20.totalSupply - self._reserved
