# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title CreatorToken
@license Apache-2.0
@notice A creator's coin: ERC-20 with permit (EIP-2612), burning, votes (ERC-5805), an owner, and staking whose rewards
        are minted up to twice the initial supply. 18 decimals.
@custom:kill Nothing stops it: no proxy, no pause. The owner can mark it inactive for readers, which changes no rule.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable
from snekmate.tokens import erc20
from snekmate.tokens.interfaces import IERC20Permit
from snekmate.utils import eip712_domain_separator
from snekmate.utils.interfaces import IERC5267

from ..interfaces import ICreatorToken
from ..interfaces import IERC5805
from ..modules import checkpoints
from ..modules import creator_profile
from ..modules import ownership
from ..modules import staking
from ..modules import votes

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: ownership[ownable := ownable]
initializes: staking[erc20 := erc20]
initializes: checkpoints
initializes: votes[checkpoints := checkpoints, eip712_domain_separator := eip712_domain_separator, erc20 := erc20]
initializes: creator_profile[ownable := ownable, erc20 := erc20]

implements: IERC20
implements: IERC20Detailed
implements: IERC20Permit
implements: IERC5267
implements: IERC5805
implements: ICreatorToken

# erc20's minting, minters and unvoted transfers stay inside: nobody mints but staking.
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
# A stake keeps its votes: nothing is to be done around it.
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


@deploy
def __init__(
    name_: String[50],
    symbol_: String[10],
    description: String[500],
    imageUrl: String[200],
    initialSupply: uint256,
    creator: address,
    platformFeeRecipient: address,
    initialHolder: address,
):
    """
    @notice Mints the initial supply and makes `creator` the owner. Emits OwnershipTransferred, RoleMinterChanged,
            CreatorInfoUpdated, PlatformFeeRateUpdated, PlatformFeeRecipientUpdated and Transfer. Reverts with "token:
            initial supply is zero", "token: creator is the zero address", "token: name is empty", "token: symbol is
            empty", "token: fee recipient is the zero address", "staking: maximum supply too large" or "erc20: mint to
            the zero address", and without a reason from 2**255 token wei on.
    @param name_ 1 to 50 bytes; also the EIP-712 domain's name, with version "1".
    @param symbol_ 1 to 10 bytes.
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @param initialSupply Token wei, more than zero and below 2**105; the maximum supply is twice as much.
    @param creator The owner.
    @param platformFeeRecipient Who receives the platform's fee on trades.
    @param initialHolder Who receives the initial supply.
    """
    assert initialSupply > 0, "token: initial supply is zero"
    assert creator != empty(address), "token: creator is the zero address"

    ownable.__init__()
    erc20.__init__("", "", 18, name_, "1")
    staking.__init__(2 * initialSupply)
    creator_profile.__init__(name_, symbol_, description, imageUrl, platformFeeRecipient)

    ownable._transfer_ownership(creator)
    erc20._mint(initialHolder, initialSupply)
    votes._mint_units(initialHolder, initialSupply)


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
    reward: uint256 = staking._unstake(msg.sender)
    if reward > 0:
        votes._mint_units(msg.sender, reward)


@internal
def _transfer(owner: address, to: address, amount: uint256):
    erc20._transfer(owner, to, amount)
    votes._move_units(owner, to, amount)


@internal
def _burn(owner: address, amount: uint256):
    erc20._burn(owner, amount)
    votes._burn_units(owner, amount)
