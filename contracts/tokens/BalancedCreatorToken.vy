# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title BalancedCreatorToken
@license Apache-2.0
@notice The coin of a creator that was launched: what CreatorToken is, with a share of the revenue for its holders and
        a supply that grows with the creator. Of 100 000 000 coins at most, 10 % are minted at the launch, for the
        pool; 10 % are the creator's, vesting over a year; 10 % are for staking rewards; 70 % are released to the
        creator as its streams grow. 18 decimals.
@dev Nothing is minted before it is somebody's, so that votes, shares of revenue and limits by total supply count only
     what exists. What is vested, released or left below both keeps its part of the maximum: `staking._reserved`.
@custom:kill Nothing stops it: no proxy, no pause. The owner can mark it inactive for readers, which changes no rule.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable
from snekmate.tokens import erc20
from snekmate.tokens.interfaces import IERC20Permit
from snekmate.utils import eip712_domain_separator
from snekmate.utils.interfaces import IERC5267

from ..interfaces import IBalancedCreatorToken
from ..interfaces import ICreatorMetrics
from ..interfaces import ICreatorToken
from ..interfaces import IERC5805
from ..modules import checkpoints
from ..modules import creator_profile
from ..modules import dividends
from ..modules import ownership
from ..modules import release as growth_release
from ..modules import staking
from ..modules import vesting
from ..modules import votes

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: ownership[ownable := ownable]
initializes: staking[erc20 := erc20]
initializes: checkpoints
initializes: votes[checkpoints := checkpoints, eip712_domain_separator := eip712_domain_separator, erc20 := erc20]
initializes: creator_profile[ownable := ownable, erc20 := erc20]
initializes: dividends[erc20 := erc20, staking := staking, votes := votes]
initializes: growth_release
initializes: vesting

implements: IERC20
implements: IERC20Detailed
implements: IERC20Permit
implements: IERC5267
implements: IERC5805
implements: ICreatorToken
implements: IBalancedCreatorToken

# erc20's minting, minters and bare transfers stay inside.
exports: (
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)
exports: (ownership.owner, ownership.transferOwnership)
# A stake keeps its votes and its share of revenue: nothing is to be done around it.
exports: (
    staking.stake,
    staking.calculateRewards,
    staking.stakingInfo,
    staking.isStaking,
    staking.totalStaked,
    staking.rewardsRemaining,
    staking.rewardsRunway,
    staking.maximumSupply,
    staking.minimumStake,
    staking.stakingLockPeriod,
    staking.stakingRewardRate,
)
exports: (
    votes.clock,
    votes.CLOCK_MODE,
    votes.delegates,
    votes.getVotes,
    votes.getPastVotes,
    votes.getPastTotalSupply,
)
exports: (
    creator_profile.name,
    creator_profile.symbol,
    creator_profile.creatorInfo,
    creator_profile.updateCreatorInfo,
    creator_profile.platformFee,
    creator_profile.platformFeeRate,
    creator_profile.platformFeeRecipient,
    creator_profile.maximumPlatformFeeRate,
    creator_profile.setPlatformFeeRate,
    creator_profile.setPlatformFeeRecipient,
)
exports: (
    dividends.distribute,
    dividends.claimRevenue,
    dividends.claimRevenueTo,
    dividends.pendingRevenue,
    dividends.eligibleSupply,
    dividends.revenueBooks,
    dividends.minimumDistribution,
    dividends.revenueExempt,
)
exports: (
    growth_release.releasedSupply,
    growth_release.releaseReserve,
    growth_release.releasePortion,
    growth_release.releaseInterval,
    growth_release.releaseHighWaterMark,
    growth_release.releaseMetricsMaximumAge,
    growth_release.minimumReleaseGrowth,
    growth_release.lastReleaseAt,
)
exports: (
    vesting.claimableVestedTokens,
    vesting.vestedTokensClaimed,
    vesting.vestingAllocation,
    vesting.vestingPeriod,
    vesting.vestingStart,
)


# The parts of the supply, in token wei.
MAXIMUM_SUPPLY: constant(uint256) = 100_000_000 * 10**18
poolAllocation: public(constant(uint256)) = 10 * MAXIMUM_SUPPLY // 100
rewardsAllocation: public(constant(uint256)) = 10 * MAXIMUM_SUPPLY // 100
VESTING_SUPPLY: constant(uint256) = 10 * MAXIMUM_SUPPLY // 100
RELEASE_SUPPLY: constant(uint256) = 70 * MAXIMUM_SUPPLY // 100
RELEASE_PORTION: constant(uint256) = 2 * MAXIMUM_SUPPLY // 100

# Whose figures count, and to whom vested and released coins go, whoever the owner is.
creator: public(immutable(address))
metricsManager: public(immutable(ICreatorMetrics))


@deploy
def __init__(
    name_: String[50],
    symbol_: String[10],
    description: String[500],
    imageUrl: String[200],
    creator_: address,
    platformFeeRecipient: address,
    poolSeeder: address,
    metricsManager_: ICreatorMetrics,
    exchange: address,
):
    """
    @notice Mints the pool's 10 000 000 coins and makes `creator_` the owner. Vesting starts, and so does the wait for
            the first release. Emits OwnershipTransferred, RoleMinterChanged, CreatorInfoUpdated,
            PlatformFeeRateUpdated, PlatformFeeRecipientUpdated and Transfer. Reverts with "token: creator is the zero
            address", "token: name is empty", "token: symbol is empty", "token: fee recipient is the zero address" or
            "erc20: mint to the zero address".
    @param name_ 1 to 50 bytes; also the EIP-712 domain's name, with version "1".
    @param symbol_ 1 to 10 bytes.
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @param creator_ The owner, and for ever the one that coins vest for and are released to.
    @param platformFeeRecipient Who receives the platform's fee on trades.
    @param poolSeeder Who receives the pool's coins, to open the pool with them.
    @param metricsManager_ The CreatorMetricsManager, which reports the streams that coins are released by.
    @param exchange The IntegratedCreatorDEX, whose coins earn no revenue.
    """
    assert creator_ != empty(address), "token: creator is the zero address"

    ownable.__init__()
    erc20.__init__("", "", 18, name_, "1")
    staking.__init__(MAXIMUM_SUPPLY)
    staking._reserved = MAXIMUM_SUPPLY - poolAllocation - rewardsAllocation
    creator_profile.__init__(name_, symbol_, description, imageUrl, platformFeeRecipient)
    dividends.__init__(exchange)
    growth_release.__init__(
        RELEASE_SUPPLY, RELEASE_PORTION, (staticcall metricsManager_.creatorMetrics(creator_)).monthlyStreams
    )
    vesting.__init__(VESTING_SUPPLY)
    creator = creator_
    metricsManager = metricsManager_

    ownable._transfer_ownership(creator_)
    erc20._mint(poolSeeder, poolAllocation)
    votes._mint_units(poolSeeder, poolAllocation)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves the caller's tokens and their votes. Emits Transfer, and DelegateVotesChanged where votes move.
            Reverts with "erc20: transfer to the zero address" or "erc20: transfer amount exceeds balance".
    @param to The receiver.
    @param amount Token wei.
    @return True.
    """
    self._transfer(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves tokens of `owner` and their votes out of the caller's allowance. Emits Approval, unless the allowance
            is endless, Transfer, and DelegateVotesChanged where votes move. Reverts as `transfer` does, or with
            "erc20: insufficient allowance".
    @param owner Whose tokens.
    @param to The receiver.
    @param amount Token wei.
    @return True.
    """
    erc20._spend_allowance(owner, msg.sender, amount)
    self._transfer(owner, to, amount)
    return True


@external
def burn(amount: uint256):
    """
    @notice Destroys tokens of the caller. Emits Transfer to the zero address, and DelegateVotesChanged where the
            caller delegates. Reverts with "erc20: burn amount exceeds balance".
    @param amount Token wei.
    """
    self._burn(msg.sender, amount)


@external
def burnFrom(account: address, amount: uint256):
    """
    @notice Destroys tokens of `account` out of the caller's allowance. Emits Approval, unless the allowance is
            endless, and what `burn` does. Reverts as `burn` does, or with "erc20: insufficient allowance".
    @param account Whose tokens.
    @param amount Token wei.
    """
    erc20._spend_allowance(account, msg.sender, amount)
    self._burn(account, amount)


@external
def delegate(delegatee: address):
    """
    @notice Gives the caller's votes, for its balance and its stake, to `delegatee`: itself, another or, to silence
            them, the zero address. Emits DelegateChanged, and DelegateVotesChanged where votes move.
    @param delegatee Who votes from now on.
    """
    votes._delegate(msg.sender, delegatee, staking._units_of(msg.sender))


@external
def delegateBySig(delegatee: address, nonce: uint256, expiry: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice `delegate` for who signed (EIP-712); anybody may send it. The nonces are permit's. Emits what `delegate`
            does. Reverts with "votes: signature expired", "votes: invalid nonce", "ecdsa: invalid signature" or
            "ecdsa: invalid signature `s` value".
    @param delegatee Who votes from now on.
    @param nonce The signer's present nonce.
    @param expiry The last moment, in unix seconds.
    @param v The signature's recovery identifier.
    @param r The signature's first half.
    @param s The signature's second half, the low one of the two that verify.
    """
    delegator: address = votes._recover_delegator(delegatee, nonce, expiry, v, r, s)
    votes._delegate(delegator, delegatee, staking._units_of(delegator))


@external
def claimRewards():
    """
    @notice Mints the caller's rewards due so far; where the maximum supply leaves less room, as much as it leaves,
            and what is above lapses. Emits Transfer from the zero address, RewardsClaimed, and DelegateVotesChanged
            where the caller delegates. Reverts with "staking: no position" or "staking: no rewards due".
    """
    dividends._settle(msg.sender)
    reward: uint256 = staking._claim(msg.sender)
    votes._mint_units(msg.sender, reward)


@external
def unstake():
    """
    @notice Returns the caller's whole principal and mints the rewards due, in one call; with no room left below the
            maximum supply the principal comes back alone. Emits Transfer, TokensUnstaked (not RewardsClaimed), and
            DelegateVotesChanged where the caller delegates.
            Reverts with "staking: no position" or "staking: still locked".
    """
    dividends._settle(msg.sender)
    reward: uint256 = staking._unstake(msg.sender)
    if reward > 0:
        votes._mint_units(msg.sender, reward)


@external
def claimVestedTokens() -> uint256:
    """
    @notice Mints to the creator what has vested since it claimed last. The creator only. Emits VestedTokensClaimed,
            Transfer from the zero address, and DelegateVotesChanged where the creator delegates.
            Reverts with "vesting: caller is not the creator" or "vesting: nothing vested".
    @return Token wei.
    """
    assert msg.sender == creator, "vesting: caller is not the creator"
    amount: uint256 = vesting._claim(creator)
    self._mint_reserved(creator, amount)
    return amount


@external
def release() -> uint256:
    """
    @notice Mints to the creator 2 000 000 coins of those held for release, or what is left of them, if its monthly
            streams grew by 20 % or more beyond what they were at the last release (at the launch before the first).
            Anybody may: who calls has no influence on whether or how much. Emits TokensReleased, Transfer from the
            zero address, and DelegateVotesChanged where the creator delegates. Reverts with "release: too soon"
            (30 days since the last), "release: metrics too old" (7 days), "release: growth below 2000 bps" or
            "release: nothing left".
    @return Token wei.
    """
    metrics: ICreatorMetrics.CreatorMetrics = staticcall metricsManager.creatorMetrics(creator)
    amount: uint256 = growth_release._release(creator, metrics.monthlyStreams, metrics.observedAt)
    self._mint_reserved(creator, amount)
    return amount


@internal
def _mint_reserved(receiver: address, amount: uint256):
    dividends._settle(receiver)
    staking._reserved -= amount
    erc20._mint(receiver, amount)
    votes._mint_units(receiver, amount)


@internal
def _transfer(owner: address, to: address, amount: uint256):
    dividends._settle_both(owner, to)
    erc20._transfer(owner, to, amount)
    votes._move_units(owner, to, amount)


@internal
def _burn(owner: address, amount: uint256):
    dividends._settle(owner)
    erc20._burn(owner, amount)
    votes._burn_units(owner, amount)
