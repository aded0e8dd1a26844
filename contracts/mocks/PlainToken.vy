# pragma version 0.4.3
# pragma evm-version cancun
"""
@title PlainToken
@license Apache-2.0
@notice For gas figures: a plain ERC-20 with the platform's fee, and nothing that a creator token has beside.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20

initializes: ownable
initializes: erc20[ownable := ownable]

exports: (erc20.totalSupply, erc20.balanceOf, erc20.allowance, erc20.approve, erc20.transfer, erc20.transferFrom)

platformFeeRate: public(uint256)
platformFeeRecipient: public(address)


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
    self.platformFeeRate = feeRate
    self.platformFeeRecipient = msg.sender
