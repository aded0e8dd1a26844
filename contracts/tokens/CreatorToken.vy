# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title CreatorToken
@license Apache-2.0
@notice A creator's coin: ERC-20 with permit (EIP-2612), burning, an owner, and staking whose rewards are minted up to
        twice the initial supply. 18 decimals.
@custom:kill Nothing stops it: no proxy, no pause. The owner can mark it inactive for readers, which changes no rule.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable
from snekmate.tokens import erc20

from ..interfaces import ICreatorToken
from ..modules import ownership
from ..modules import staking

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: ownership[ownable := ownable]
initializes: staking[erc20 := erc20]

implements: IERC20
implements: IERC20Detailed
implements: ICreatorToken

# erc20's minting, minters and snake_case functions stay inside: nobody mints but staking.
exports: (
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.burn,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)
exports: (ownership.owner, ownership.transferOwnership)
exports: (
    staking.stake,
    staking.claimRewards,
    staking.unstake,
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


struct CreatorInfo:
    name: String[50]
    symbol: String[10]
    description: String[500]
    imageUrl: String[200]
    totalSupply: uint256
    stakingRewardRate: uint256
    isActive: bool


event CreatorInfoUpdated:
    description: String[500]
    imageUrl: String[200]
    isActive: bool


event PlatformFeeRateUpdated:
    previousRate: uint256
    newRate: uint256


event PlatformFeeRecipientUpdated:
    previousRecipient: indexed(address)
    newRecipient: indexed(address)


MAXIMUM_PLATFORM_FEE_RATE: constant(uint256) = 1_000
DEFAULT_PLATFORM_FEE_RATE: constant(uint256) = 250

# Longer than snekmate's 25 and 5 bytes: artists' names are.
name: public(immutable(String[50]))
symbol: public(immutable(String[10]))

# Basis points of a trade's native side, and who receives them.
platformFeeRate: public(uint256)
platformFeeRecipient: public(address)

_description: String[500]
_image_url: String[200]
_is_active: bool


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
    @notice Mints the initial supply and makes `creator` the owner. Emits Transfer, OwnershipTransferred,
            CreatorInfoUpdated, PlatformFeeRateUpdated and PlatformFeeRecipientUpdated.
    @param name_ 1 to 50 bytes; also the EIP-712 domain's name, with version "1".
    @param symbol_ 1 to 10 bytes.
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @param initialSupply Token wei, more than zero; the maximum supply is twice as much.
    @param creator The owner.
    @param platformFeeRecipient Who receives the platform's fee on trades.
    @param initialHolder Who receives the initial supply: the creator, or a factory that seeds a pool with a part.
    """
    assert len(name_) > 0, "token: name is empty"
    assert len(symbol_) > 0, "token: symbol is empty"
    assert initialSupply > 0, "token: initial supply is zero"
    assert creator != empty(address), "token: creator is the zero address"
    assert platformFeeRecipient != empty(address), "token: fee recipient is the zero address"

    ownable.__init__()
    erc20.__init__("", "", 18, name_, "1")
    staking.__init__(2 * initialSupply)
    name = name_
    symbol = symbol_
    self._update_info(description, imageUrl, True)
    self._set_platform_fee_rate(DEFAULT_PLATFORM_FEE_RATE)
    self._set_platform_fee_recipient(platformFeeRecipient)

    ownable._transfer_ownership(creator)
    erc20._mint(initialHolder, initialSupply)


@external
def burnFrom(account: address, amount: uint256):
    """
    @notice Destroys `amount` tokens of `account` out of the caller's allowance. Emits Approval and Transfer.
            Reverts with "erc20: insufficient allowance" or "erc20: burn amount exceeds balance".
    @param account Whose tokens.
    @param amount Token wei.
    """
    erc20._spend_allowance(account, msg.sender, amount)
    erc20._burn(account, amount)


@external
def updateCreatorInfo(description: String[500], imageUrl: String[200], isActive: bool):
    """
    @notice Changes what the coin says of itself. The owner only. Emits CreatorInfoUpdated.
            Reverts with "ownable: caller is not the owner".
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @param isActive Whether the creator still stands behind the coin; transfers and staking go on either way.
    """
    ownable._check_owner()
    self._update_info(description, imageUrl, isActive)


@external
def setPlatformFeeRate(rate: uint256):
    """
    @notice Changes the platform's fee on trades. The platform fee recipient only. Emits PlatformFeeRateUpdated.
            Reverts with "token: caller is not the fee recipient" or "token: fee rate above 1000 bps".
    @param rate Basis points of a trade's native side, at most 1 000.
    """
    self._check_fee_recipient()
    self._set_platform_fee_rate(rate)


@external
def setPlatformFeeRecipient(recipient: address):
    """
    @notice Hands the platform's fee, and the right to set it, to `recipient`. The platform fee recipient only.
            Emits PlatformFeeRecipientUpdated.
            Reverts with "token: caller is not the fee recipient" or "token: fee recipient is the zero address".
    @param recipient Who receives the fee from now on; what is due already stays the previous recipient's.
    """
    self._check_fee_recipient()
    assert recipient != empty(address), "token: fee recipient is the zero address"
    self._set_platform_fee_recipient(recipient)


@external
@view
def creatorInfo() -> CreatorInfo:
    """
    @notice What the coin says of itself, with its live figures.
    @return Texts, total supply in token wei, staking reward rate in basis points a year, and whether it is active.
    """
    return CreatorInfo(
        name=name,
        symbol=symbol,
        description=self._description,
        imageUrl=self._image_url,
        totalSupply=erc20.totalSupply,
        stakingRewardRate=staking.stakingRewardRate,
        isActive=self._is_active,
    )


@internal
def _update_info(description: String[500], image_url: String[200], is_active: bool):
    self._description = description
    self._image_url = image_url
    self._is_active = is_active
    log CreatorInfoUpdated(description=description, imageUrl=image_url, isActive=is_active)


@internal
def _set_platform_fee_rate(rate: uint256):
    assert rate <= MAXIMUM_PLATFORM_FEE_RATE, "token: fee rate above 1000 bps"
    log PlatformFeeRateUpdated(previousRate=self.platformFeeRate, newRate=rate)
    self.platformFeeRate = rate


@internal
def _set_platform_fee_recipient(recipient: address):
    log PlatformFeeRecipientUpdated(previousRecipient=self.platformFeeRecipient, newRecipient=recipient)
    self.platformFeeRecipient = recipient


@internal
@view
def _check_fee_recipient():
    assert msg.sender == self.platformFeeRecipient, "token: caller is not the fee recipient"
