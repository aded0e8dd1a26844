# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Staking with rewards from a funded pool
@license Apache-2.0
@notice Stakers share `rewardRate` token wei a second in proportion to their stakes, for as long as the reserve that
        somebody funded lasts: nothing is minted, and nothing is promised that is not held. No lock, no minimum.
@dev Held by the contract, at any time: all stakes, the reserve, and all pending rewards. A reward per token is
     accumulated, so no loop runs over stakers. While nobody stakes, or the reserve is empty, nothing is earned.
     Tokens move past the deployable's own books: it keeps them, and checks pausing, around the internal functions.
"""

from snekmate.tokens import erc20

uses: erc20


event TokensStaked:
    account: indexed(address)
    amount: uint256


event TokensUnstaked:
    account: indexed(address)
    amount: uint256


event RewardsClaimed:
    account: indexed(address)
    reward: uint256


event RewardsFunded:
    funder: indexed(address)
    amount: uint256


event RewardRateUpdated:
    previousRate: uint256
    newRate: uint256


# Token wei a second: ten tokens a second are 315 million a year.
maximumRewardRate: public(constant(uint256)) = 10 * 10**18

# The reward per staked token wei is kept in fractions of 2**96: with every amount below 2**112, what one stake earns
# cannot overflow, and each settlement loses less than a token wei of a staker's, which stays in the contract.
SCALE: constant(uint256) = 2**96

TIME_BITS: constant(uint256) = 48
TIME_MASK: constant(uint256) = 2**48 - 1

# Token wei.
totalStaked: public(uint256)
stakedBalance: public(HashMap[address, uint256])

# Token wei a second, for all stakers together.
rewardRate: public(uint256)

# What is funded and not earned yet, in token wei, above the time up to which was settled (48 bits).
_reserve: uint256

# Since the beginning, scaled: for a stake that was there all the time, and up to where each account was settled.
_reward_per_token: uint256
_settled_reward_per_token: HashMap[address, uint256]

# Settled and not claimed, in token wei.
_settled_rewards: HashMap[address, uint256]


@external
@view
def pendingRewards(account: address) -> uint256:
    """
    @notice What `claimRewards` would pay `account` now.
    @param account The staker.
    @return Token wei, rounded down.
    """
    return self._pending(account, self._accrued()[0])


@external
@view
def rewardsRemaining() -> uint256:
    """
    @notice What is funded and not earned by anybody yet.
    @return Token wei.
    """
    return self._accrued()[1]


@external
@view
def rewardsRunway() -> uint256:
    """
    @notice How long what remains lasts at the present rate while anybody stakes.
    @return Seconds, rounded down; the largest uint256 at a rate of zero.
    """
    if self.rewardRate == 0:
        return max_value(uint256)
    return self._accrued()[1] // self.rewardRate


@internal
def _stake(account: address, amount: uint256):
    """
    @dev Emits Transfer to this contract and TokensStaked. Reverts with "staking: amount is zero".
    """
    assert amount > 0, "staking: amount is zero"
    self._settle(account)
    self.stakedBalance[account] += amount
    self.totalStaked += amount
    erc20._transfer(account, self, amount)
    log TokensStaked(account=account, amount=amount)


@internal
def _unstake(account: address, amount: uint256):
    """
    @dev The rewards stay pending. Emits Transfer from this contract and TokensUnstaked.
         Reverts with "staking: amount is zero" or "staking: amount exceeds stake".
    """
    assert amount > 0, "staking: amount is zero"
    staked: uint256 = self.stakedBalance[account]
    assert amount <= staked, "staking: amount exceeds stake"
    self._settle(account)
    self.stakedBalance[account] = staked - amount
    self.totalStaked -= amount
    erc20._transfer(self, account, amount)
    log TokensUnstaked(account=account, amount=amount)


@internal
def _claim(account: address) -> uint256:
    """
    @dev Emits Transfer from this contract and RewardsClaimed. Reverts with "staking: no rewards due".
    @return Token wei paid.
    """
    self._settle(account)
    reward: uint256 = self._settled_rewards[account]
    assert reward > 0, "staking: no rewards due"
    self._settled_rewards[account] = 0
    erc20._transfer(self, account, reward)
    log RewardsClaimed(account=account, reward=reward)
    return reward


@internal
def _fund(funder: address, amount: uint256):
    """
    @dev Emits Transfer to this contract and RewardsFunded. Reverts with "staking: amount is zero".
    """
    assert amount > 0, "staking: amount is zero"
    # What was not earned while the reserve was empty is not made up for.
    self._accrue()
    self._reserve += amount << TIME_BITS
    erc20._transfer(funder, self, amount)
    log RewardsFunded(funder=funder, amount=amount)


@internal
def _set_reward_rate(rate: uint256):
    """
    @dev From now on. Emits RewardRateUpdated. Reverts with "staking: reward rate too high".
    """
    assert rate <= maximumRewardRate, "staking: reward rate too high"
    self._accrue()
    log RewardRateUpdated(previousRate=self.rewardRate, newRate=rate)
    self.rewardRate = rate


@internal
def _settle(account: address):
    reward_per_token: uint256 = self._accrue()
    self._settled_rewards[account] = self._pending(account, reward_per_token)
    self._settled_reward_per_token[account] = reward_per_token


@internal
def _accrue() -> uint256:
    """
    @dev Books what stakers earned up to now.
    @return The reward per token.
    """
    reward_per_token: uint256 = 0
    reserve: uint256 = 0
    reward_per_token, reserve = self._accrued()
    self._reward_per_token = reward_per_token
    self._reserve = reserve << TIME_BITS | block.timestamp
    return reward_per_token


@internal
@view
def _accrued() -> (uint256, uint256):
    """
    @return The reward per token and the reserve as they are now.
    """
    reward_per_token: uint256 = self._reward_per_token
    packed: uint256 = self._reserve
    reserve: uint256 = packed >> TIME_BITS
    elapsed: uint256 = block.timestamp - (packed & TIME_MASK)
    staked: uint256 = self.totalStaked
    if elapsed == 0 or reserve == 0 or staked == 0:
        return reward_per_token, reserve
    growth: uint256 = min(elapsed * self.rewardRate, reserve) * SCALE // staked
    # Rounded up, so that no more is ever promised than leaves the reserve.
    earned: uint256 = (growth * staked + SCALE - 1) // SCALE
    return reward_per_token + growth, reserve - earned


@internal
@view
def _pending(account: address, reward_per_token: uint256) -> uint256:
    growth: uint256 = reward_per_token - self._settled_reward_per_token[account]
    return self._settled_rewards[account] + self.stakedBalance[account] * growth // SCALE
