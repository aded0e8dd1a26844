# pragma version 0.4.3
# pragma evm-version cancun
"""
@title PlainToken
@license Apache-2.0
@notice For gas figures: a plain ERC-20 with the platform's fee, and nothing that a creator token has beside.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20

from ..interfaces import ICreatorToken

initializes: ownable
initializes: erc20[ownable := ownable]

exports: (erc20.totalSupply, erc20.balanceOf, erc20.allowance, erc20.approve, erc20.transfer, erc20.transferFrom)

ADDRESS_BITS: constant(uint256) = 160
ADDRESS_MASK: constant(uint256) = 2**160 - 1

# Recipient and rate in one slot, as creator tokens have them.
_platform_fee: uint256


@deploy
def __init__(supply: uint256, feeRate: uint256):
    """
    @notice Mints `supply` token wei to the deployer, who also receives the fees.
    @param supply Token wei.
    @param feeRate Basis points.
    """
    ownable.__init__()
    erc20.__init__("", "", 18, "Plain Token", "1")
    erc20._mint(msg.sender, supply)
    self._platform_fee = (feeRate << ADDRESS_BITS) | convert(msg.sender, uint256)


@external
@view
def platformFee() -> ICreatorToken.PlatformFee:
    """
    @notice The platform's fee on trades.
    @return Basis points of a trade's native side, and who receives them.
    """
    fee: uint256 = self._platform_fee
    return ICreatorToken.PlatformFee(rate=fee >> ADDRESS_BITS, recipient=convert(fee & ADDRESS_MASK, address))
