# pragma version 0.4.3
# pragma evm-version cancun
"""
@title SparkNFT
@license Apache-2.0
@notice The platform's own collectables (ERC-721), minted by its minters, with one royalty for the whole collection
        (EIP-2981). Token IDs count from 1.
@dev It holds nothing of value.
@custom:kill The admin stops minting by revoking every minter; tokens that exist are out of its reach.
"""

from snekmate.auth import access_control

from ..interfaces import IERC2981
from ..modules import editions

initializes: access_control
initializes: editions

implements: IERC2981

exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
)
exports: (
    editions.name,
    editions.symbol,
    editions.balanceOf,
    editions.ownerOf,
    editions.getApproved,
    editions.isApprovedForAll,
    editions.approve,
    editions.setApprovalForAll,
    editions.transferFrom,
    editions.safeTransferFrom,
)


struct Royalty:
    receiver: address
    bps: uint256


event RoyaltyUpdated:
    receiver: indexed(address)
    royaltyBps: uint256


event BaseUriUpdated:
    baseUri: String[100]


event BatchMetadataUpdate:
    _fromTokenId: uint256
    _toTokenId: uint256


SUPPORTED_INTERFACES: constant(bytes4[6]) = [
    0x01FFC9A7, # ERC-165
    0x80AC58CD, # ERC-721
    0x5B5E139F, # ERC-721's metadata
    0x2A55205A, # ERC-2981
    0x49064906, # ERC-4906
    0x7965DB0B, # OpenZeppelin's IAccessControl
]

BASIS_POINTS: constant(uint256) = 10_000

MINTER_ROLE: public(constant(bytes32)) = keccak256("MINTER_ROLE")
# Basis points of a resale's price.
maximumRoyaltyBps: public(constant(uint256)) = 1_000

# Nothing is ever destroyed: how many tokens exist is also the newest one's ID.
totalSupply: public(uint256)
royalty: public(Royalty)
baseUri: public(String[100])


@deploy
def __init__(name_: String[50], symbol_: String[10], baseUri_: String[100], receiver: address, royaltyBps: uint256):
    """
    @notice The deployer becomes the admin and a minter. Emits RoleGranted, BaseUriUpdated and RoyaltyUpdated. Reverts
            with "spark nft: royalty receiver is the zero address" or "spark nft: royalty above 10 %".
    @param name_ The collection's name, at most 50 bytes.
    @param symbol_ The collection's symbol, at most 10 bytes.
    @param baseUri_ Stands before a token's ID in its URI, at most 100 bytes.
    @param receiver Who receives royalties.
    @param royaltyBps Basis points of a resale's price, at most 1 000.
    """
    access_control.__init__()
    access_control._grant_role(MINTER_ROLE, msg.sender)
    editions.__init__(name_, symbol_)
    self._set_base_uri(baseUri_)
    self._set_royalty(receiver, royaltyBps)


@external
def mint(to: address) -> uint256:
    """
    @notice Mints the next token. Minters only. Emits Transfer. Reverts with "access_control: account is missing role",
            "erc721: mint to the zero address", "erc721: receiver refused the token" or the receiver's own reason.
    @param to Who receives it.
    @return The token's ID.
    """
    access_control._check_role(MINTER_ROLE, msg.sender)
    token_id: uint256 = self.totalSupply + 1
    self.totalSupply = token_id
    editions._mint(to, token_id)
    editions._ask_receiver(empty(address), to, token_id, b"")
    return token_id


@external
def setRoyalty(receiver: address, royaltyBps: uint256):
    """
    @notice Changes the royalty. The admin only. Emits RoyaltyUpdated. Reverts with "access_control: account is
            missing role", "spark nft: royalty receiver is the zero address" or "spark nft: royalty above 10 %".
    @param receiver Who receives royalties.
    @param royaltyBps Basis points of a resale's price, at most 1 000.
    """
    access_control._check_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    self._set_royalty(receiver, royaltyBps)


@external
def setBaseUri(baseUri: String[100]):
    """
    @notice Changes where the metadata are. The admin only. Emits BaseUriUpdated and, for whoever caches metadata,
            ERC-4906's BatchMetadataUpdate. Reverts with "access_control: account is missing role".
    @param baseUri At most 100 bytes; a token's decimal ID is appended to it.
    """
    access_control._check_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    self._set_base_uri(baseUri)
    log BatchMetadataUpdate(_fromTokenId=0, _toTokenId=max_value(uint256))


@external
@view
def tokenURI(tokenId: uint256) -> String[178]:
    """
    @notice Where a token's metadata are. Reverts with "erc721: invalid token ID".
    @param tokenId The token.
    @return The base URI and the token's ID.
    """
    editions._owner_of(tokenId)
    return concat(self.baseUri, uint2str(tokenId))


@external
@view
def royaltyInfo(tokenId: uint256, salePrice: uint256) -> (address, uint256):
    """
    @notice What a resale owes as royalty (EIP-2981).
    @param tokenId Any token: all have the same royalty.
    @param salePrice The price, in the smallest unit of any currency.
    @return The receiver, and its part in the same unit, rounded down.
    """
    royalty: Royalty = self.royalty
    return (royalty.receiver, salePrice * royalty.bps // BASIS_POINTS)


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    """
    @notice Whether this contract implements an interface (ERC-165).
    @param interfaceId The interface's identifier.
    @return True for ERC-165, ERC-721 and its metadata, ERC-2981, ERC-4906 and IAccessControl.
    """
    return interfaceId in SUPPORTED_INTERFACES


@internal
def _set_royalty(receiver: address, royalty_bps: uint256):
    assert receiver != empty(address), "spark nft: royalty receiver is the zero address"
    assert royalty_bps <= maximumRoyaltyBps, "spark nft: royalty above 10 %"
    self.royalty = Royalty(receiver=receiver, bps=royalty_bps)
    log RoyaltyUpdated(receiver=receiver, royaltyBps=royalty_bps)


@internal
def _set_base_uri(base_uri: String[100]):
    self.baseUri = base_uri
    log BaseUriUpdated(baseUri=base_uri)
