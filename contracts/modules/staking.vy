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

# Token wei; bounded so that amounts can be packed, and no reward's arithmetic overflows and holds the principal back.
maximumSupply: public(immutable(uint256))
AMOUNT_BITS: constant(uint256) = 106
AMOUNT_MASK: constant(uint256) = 2**106 - 1
TIME_MASK: constant(uint256) = 2**48 - 1
LAST_CLAIMED_SHIFT: constant(uint256) = 154

# Token wei below the maximum supply that are kept for other purposes: rewards never take them.
_reserved: uint256

# Sum over positions of amount (low 106 bits) and of amount * lastClaimed (150): what all of them have earned so far is
# known without a loop.
_totals: uint256

# account -> amount (low 106 bits), stakedAt (48) and lastClaimed (48) of its position.
_terms: HashMap[address, uint256]
_total_rewards: HashMap[address, uint256]


@deploy
def __init__(maximum_supply: uint256):
    """
    @param maximum_supply Token wei that minted rewards may bring the total supply to.
    """
    assert maximum_supply <= AMOUNT_MASK, "staking: maximum supply too large"
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
    return self._rewards_due(self._position_of(account))


@external
@view
def stakingInfo(account: address) -> StakingPosition:
    """
    @notice The position of `account`: amount and totalRewards in token wei, stakedAt and lastClaimed in unix seconds;
            all zero without one.
    @param account The staker.
    @return The position.
    """
    position: StakingPosition = self._position_of(account)
    position.totalRewards = self._total_rewards[account]
    return position


@external
@view
def isStaking(account: address) -> bool:
    """
    @notice Whether `account` has an open position.
    @param account The staker.
    @return True while a position is open.
    """
    return self._amount_of(account) > 0


@external
@view
def totalStaked() -> uint256:
    """
    @notice The sum of all positions.
    @return Token wei.
    """
    return self._total_staked()


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
    staked: uint256 = self._total_staked()
    if staked == 0:
        return max_value(uint256)
    earned: uint256 = stakingRewardRate * (staked * block.timestamp - (self._totals >> AMOUNT_BITS))
    mintable: uint256 = self._room() * BASIS_POINTS * YEAR
    if mintable <= earned:
        return 0
    return (mintable - earned) // (stakingRewardRate * staked)


@internal
def _stake(account: address, amount: uint256):
    assert amount >= minimumStake, "staking: amount below minimum"
    assert self._terms[account] == 0, "staking: position already open"

    # First, for an amount that somebody has fits into what is packed.
    erc20._transfer(account, self, amount)
    self._terms[account] = amount | (block.timestamp << AMOUNT_BITS) | (block.timestamp << LAST_CLAIMED_SHIFT)
    self._totals += amount | (amount * block.timestamp << AMOUNT_BITS)
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
    position: StakingPosition = self._position_of(account)
    assert block.timestamp >= position.stakedAt + stakingLockPeriod, "staking: still locked"

    self._terms[account] = 0
    self._total_rewards[account] = 0
    self._totals -= position.amount | (position.amount * position.lastClaimed << AMOUNT_BITS)
    erc20._transfer(self, account, position.amount)
    log TokensUnstaked(account=account, amount=position.amount, reward=reward)
    return reward


@internal
def _collect(account: address) -> uint256:
    """
    @dev Mints what is due to `account`, possibly nothing, and starts its clock anew.
    """
    position: StakingPosition = self._position_of(account)
    assert position.amount > 0, "staking: no position"

    reward: uint256 = self._rewards_due(position)
    if reward > 0:
        elapsed: uint256 = block.timestamp - position.lastClaimed
        self._totals += position.amount * elapsed << AMOUNT_BITS
        self._terms[account] += elapsed << LAST_CLAIMED_SHIFT
        self._total_rewards[account] += reward
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
    return erc20.balanceOf[account] + self._amount_of(account)


@internal
@view
def _amount_of(account: address) -> uint256:
    return self._terms[account] & AMOUNT_MASK


@internal
@view
def _total_staked() -> uint256:
    return self._totals & AMOUNT_MASK


@internal
@view
def _position_of(account: address) -> StakingPosition:
    """
    @return The position but for its totalRewards, which only readers want.
    """
    terms: uint256 = self._terms[account]
    return StakingPosition(
        amount=terms & AMOUNT_MASK,
        stakedAt=(terms >> AMOUNT_BITS) & TIME_MASK,
        lastClaimed=terms >> LAST_CLAIMED_SHIFT,
        totalRewards=0,
    )


@internal
@view
def _room() -> uint256:
    # Never negative: whatever else is minted comes out of what is reserved.
    return maximumSupply - erc20.totalSupply - self._reserved
