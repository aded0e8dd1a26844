# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title What every creator's coin says of itself
@license Apache-2.0
@notice Name and symbol, texts that the owner edits, and the platform's fee on trades, which its recipient sets.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20

from ..interfaces import ICreatorToken
from . import staking

uses: ownable
uses: erc20


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


# Basis points of a trade's native side.
maximumPlatformFeeRate: public(constant(uint256)) = 1_000
DEFAULT_PLATFORM_FEE_RATE: constant(uint256) = 250

# Longer than snekmate's 25 and 5 bytes: artists' names are.
name: public(immutable(String[50]))
symbol: public(immutable(String[10]))

ADDRESS_BITS: constant(uint256) = 160
ADDRESS_MASK: constant(uint256) = 2**160 - 1

# Who receives the platform's fee (low 160 bits) and basis points of a trade's native side: each trade asks for both.
_platform_fee: uint256

_description: String[500]
_image_url: String[200]
_is_active: bool


@deploy
def __init__(
    name_: String[50],
    symbol_: String[10],
    description: String[500],
    image_url: String[200],
    platform_fee_recipient: address,
):
    """
    @dev Emits CreatorInfoUpdated, PlatformFeeRateUpdated and PlatformFeeRecipientUpdated. Reverts with "token: name is
         empty", "token: symbol is empty" or "token: fee recipient is the zero address".
    """
    assert len(name_) > 0, "token: name is empty"
    assert len(symbol_) > 0, "token: symbol is empty"
    name = name_
    symbol = symbol_
    self._update_info(description, image_url, True)
    self._set_platform_fee_rate(DEFAULT_PLATFORM_FEE_RATE)
    self._set_platform_fee_recipient(platform_fee_recipient)


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


@external
@view
def platformFee() -> ICreatorToken.PlatformFee:
    """
    @notice The platform's fee on trades.
    @return Basis points of a trade's native side, and who receives them.
    """
    fee: uint256 = self._platform_fee
    return ICreatorToken.PlatformFee(rate=self._rate_in(fee), recipient=self._recipient_in(fee))


@external
@view
def platformFeeRate() -> uint256:
    """
    @notice The rate of the platform's fee on trades.
    @return Basis points of a trade's native side.
    """
    return self._rate_in(self._platform_fee)


@external
@view
def platformFeeRecipient() -> address:
    """
    @notice Who receives the platform's fee on trades, and may change it.
    @return The account.
    """
    return self._recipient_in(self._platform_fee)


@internal
def _update_info(description: String[500], image_url: String[200], is_active: bool):
    self._description = description
    self._image_url = image_url
    self._is_active = is_active
    log CreatorInfoUpdated(description=description, imageUrl=image_url, isActive=is_active)


@internal
def _set_platform_fee_rate(rate: uint256):
    assert rate <= maximumPlatformFeeRate, "token: fee rate above 1000 bps"
    fee: uint256 = self._platform_fee
    log PlatformFeeRateUpdated(previousRate=self._rate_in(fee), newRate=rate)
    self._platform_fee = (fee & ADDRESS_MASK) | (rate << ADDRESS_BITS)


@internal
def _set_platform_fee_recipient(recipient: address):
    assert recipient != empty(address), "token: fee recipient is the zero address"
    fee: uint256 = self._platform_fee
    log PlatformFeeRecipientUpdated(previousRecipient=self._recipient_in(fee), newRecipient=recipient)
    self._platform_fee = (fee & ~ADDRESS_MASK) | convert(recipient, uint256)


@internal
@view
def _check_fee_recipient():
    assert msg.sender == self._recipient_in(self._platform_fee), "token: caller is not the fee recipient"


@internal
@pure
def _rate_in(fee: uint256) -> uint256:
    return fee >> ADDRESS_BITS


@internal
@pure
def _recipient_in(fee: uint256) -> address:
    return convert(fee & ADDRESS_MASK, address)
