# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title MusicNFT
@license Apache-2.0
@notice Tracks as drops of numbered editions (ERC-721), with royalties (EIP-2981) and metadata on chain. A registered
        creator makes drops, mints editions or sells them for the native coin or a creator token, and never more than
        a drop's maximum supply. A token's ID is its drop in the upper 128 bits and its number, from 1 on, in the lower.
@dev Sales in the native coin are credited to the creator and pulled; creator tokens go from buyer to creator. Coins
     sent here past `buyEdition` belong to nobody.
@custom:kill Nothing stops a drop but its creator, who ends its sale; registrars keep creators out of new drops.
"""

from ethereum.ercs import IERC20
from snekmate.auth import access_control

from ..interfaces import ICreatorTokenFactory
from ..interfaces import IERC2981
from ..interfaces import IMusicNFT
from ..interfaces import ITokenDeploymentFactory
from ..modules import editions
from ..modules import json_uri

initializes: access_control
initializes: editions

implements: IERC2981
implements: IMusicNFT

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


struct DropState:
    creator: address
    maxSupply: uint256
    minted: uint256
    royaltyBps: uint256
    isExclusive: bool


struct Sale:
    paymentToken: address
    price: uint256


struct Track:
    title: String[100]
    audioPieceCid: String[100]


struct Drop:
    creator: address
    title: String[100]
    audioPieceCid: String[100]
    royaltyBps: uint256
    maxSupply: uint256
    minted: uint256
    isExclusive: bool
    paymentToken: address
    price: uint256


event DropCreated:
    dropId: indexed(uint256)
    creator: indexed(address)
    title: String[100]
    audioPieceCid: String[100]
    royaltyBps: uint256
    maxSupply: uint256
    isExclusive: bool


event SaleUpdated:
    dropId: indexed(uint256)
    paymentToken: indexed(address)
    price: uint256


event EditionSold:
    dropId: indexed(uint256)
    tokenId: indexed(uint256)
    buyer: indexed(address)
    paymentToken: address
    price: uint256


event ProceedsWithdrawn:
    creator: indexed(address)
    receiver: indexed(address)
    amount: uint256


event MediaBaseUriUpdated:
    mediaBaseUri: String[100]


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
BASIS_POINTS_PER_PERCENT: constant(uint256) = 100

CREATOR_ROLE: public(constant(bytes32)) = keccak256("CREATOR_ROLE")
REGISTRAR_ROLE: public(constant(bytes32)) = keccak256("REGISTRAR_ROLE")
# Basis points of a resale's price.
maximumRoyaltyBps: public(constant(uint256)) = 1_000

SUPPLY_BITS: constant(uint256) = 32
ROYALTY_BITS: constant(uint256) = 16
MAXIMUM_SUPPLY: constant(uint256) = 2**32 - 1
MAXIMUM_ROYALTY_FIELD: constant(uint256) = 2**16 - 1
ADDRESS_BITS: constant(uint256) = 160
# Where the number of minted editions stands: one more edition adds this to the packed state.
ONE_MINTED: constant(uint256) = 1 << ADDRESS_BITS
MAXIMUM_ADDRESS: constant(uint256) = 2**160 - 1

SEVERAL: constant(uint256) = 1
EXCLUSIVE: constant(uint256) = 2

registry: public(immutable(ITokenDeploymentFactory))
factory: public(immutable(ICreatorTokenFactory))

totalDrops: public(uint256)
saleOf: public(HashMap[uint256, Sale])
# Native wei that a creator has earned and not withdrawn.
proceeds: public(HashMap[address, uint256])
# Stands before a piece's CID in the metadata's animation_url.
mediaBaseUri: public(String[100])

# drop -> creator (160 bits), minted (32), maximum supply (32), royalty in bps (16), exclusive (1): one slot.
_packed_drops: HashMap[uint256, uint256]
_tracks: HashMap[uint256, Track]
# creator -> keccak256 of the piece's CID -> zero without a drop, EXCLUSIVE with an exclusive one, else SEVERAL.
_drops_of_piece: HashMap[address, HashMap[bytes32, uint256]]


@deploy
def __init__(registry_: ITokenDeploymentFactory, factory_: ICreatorTokenFactory, mediaBaseUri_: String[100]):
    """
    @notice The deployer becomes the admin and a registrar. Emits RoleGranted, RoleAdminChanged and
            MediaBaseUriUpdated.
    @param registry_ The TokenDeploymentFactory: editions sell for its tokens only, beside the native coin.
    @param factory_ The CreatorTokenFactory: whoever launched a coin there is a registered creator.
    @param mediaBaseUri_ Where players find a piece by its CID, such as "https://media.example/pieces/"; empty for
           metadata that names the CID alone.
    """
    access_control.__init__()
    access_control._grant_role(REGISTRAR_ROLE, msg.sender)
    access_control._set_role_admin(CREATOR_ROLE, REGISTRAR_ROLE)
    editions.__init__("Encore Music", "MUSIC")
    registry = registry_
    factory = factory_
    self._set_media_base_uri(mediaBaseUri_)


@external
def createDrop(
    title: String[100],
    audioPieceCid: String[100],
    royaltyBps: uint256,
    maxSupply: uint256,
    isExclusive: bool,
    paymentToken: address,
    price: uint256,
) -> uint256:
    """
    @notice Makes a drop of the caller's track. Registered creators only. Emits DropCreated, and SaleUpdated where
            there is a price. Reverts with "music nft: caller is not a registered creator", "music nft: title is
            empty", "music nft: piece is empty", "music nft: royalty above 10 %", "music nft: maximum supply out of
            range", "music nft: piece would not be exclusive" or "music nft: unknown payment token".
    @param title 1 to 100 bytes.
    @param audioPieceCid The content identifier of the audio, 1 to 100 bytes.
    @param royaltyBps The creator's part of resales, at most 1 000 basis points.
    @param maxSupply How many editions there may ever be, 1 to 4 294 967 295; never changes.
    @param isExclusive Whether this is the creator's only drop of the piece, for ever.
    @param paymentToken What editions are sold for: a registered creator token, or the zero address for native coin.
    @param price Wei of it for an edition; zero: not for sale.
    @return The drop's ID.
    """
    drop_id: uint256 = self._create_drop(title, audioPieceCid, royaltyBps, maxSupply, isExclusive)
    if price > 0:
        self._set_sale(drop_id, paymentToken, price)
    return drop_id


@external
def mintExclusiveTrack(
    to: address, title: String[100], audioPieceCid: String[100], royaltyPercent: uint256, maxSupply: uint256
) -> uint256:
    """
    @notice Makes an exclusive drop that is not for sale and mints its first edition. Registered creators only.
            Emits DropCreated and Transfer. Reverts as `createDrop` and `mintEdition` do.
    @param to Who receives the first edition.
    @param title 1 to 100 bytes.
    @param audioPieceCid The content identifier of the audio, 1 to 100 bytes.
    @param royaltyPercent The creator's part of resales in whole percent, at most 10.
    @param maxSupply How many editions there may ever be, 1 to 4 294 967 295.
    @return The edition's token ID; its upper 128 bits are the drop's ID.
    """
    # The bound comes before the product, which must not overflow.
    assert royaltyPercent <= maximumRoyaltyBps // BASIS_POINTS_PER_PERCENT, "music nft: royalty above 10 %"
    drop_id: uint256 = self._create_drop(
        title, audioPieceCid, royaltyPercent * BASIS_POINTS_PER_PERCENT, maxSupply, True
    )
    token_id: uint256 = self._mint_edition(drop_id, self._packed_drops[drop_id], to)
    editions._ask_receiver(empty(address), to, token_id, b"")
    return token_id


@external
def mintEdition(dropId: uint256, to: address) -> uint256:
    """
    @notice Mints the next edition without payment. The drop's creator only. Emits Transfer. Reverts with "music nft:
            caller is not the drop's creator", "music nft: sold out", "erc721: mint to the zero address", "erc721:
            receiver refused the token" or the receiver's own reason.
    @param dropId The drop.
    @param to Who receives the edition.
    @return The edition's token ID.
    """
    packed: uint256 = self._packed_drops[dropId]
    self._check_creator(packed)
    token_id: uint256 = self._mint_edition(dropId, packed, to)
    editions._ask_receiver(empty(address), to, token_id, b"")
    return token_id


@external
@payable
def buyEdition(dropId: uint256, paymentToken: address, price: uint256) -> uint256:
    """
    @notice Sells the next edition to the caller, at the terms that the caller names, which must be the present ones.
            Anybody may. Emits Transfer and EditionSold. Reverts with "music nft: not for sale", "music nft: terms
            changed", "music nft: wrong payment", "music nft: sold out", "music nft: payment failed" or the payment
            token's reason, "erc721: receiver refused the token" or the receiver's own reason.
    @param dropId The drop.
    @param paymentToken The creator token (approve first), or the zero address for the native coin.
    @param price Wei of it; sent with the call where it is the native coin.
    @return The edition's token ID.
    """
    sale: Sale = self.saleOf[dropId]
    assert sale.price > 0, "music nft: not for sale"
    assert paymentToken == sale.paymentToken and price == sale.price, "music nft: terms changed"
    assert msg.value == (price if paymentToken == empty(address) else 0), "music nft: wrong payment"

    packed: uint256 = self._packed_drops[dropId]
    creator: address = self._creator_in(packed)
    token_id: uint256 = self._mint_edition(dropId, packed, msg.sender)
    log EditionSold(dropId=dropId, tokenId=token_id, buyer=msg.sender, paymentToken=paymentToken, price=price)
    if paymentToken == empty(address):
        self.proceeds[creator] += price
    else:
        assert extcall IERC20(paymentToken).transferFrom(
            msg.sender, creator, price, default_return_value=True
        ), "music nft: payment failed"
    editions._ask_receiver(empty(address), msg.sender, token_id, b"")
    return token_id


@external
def setSale(dropId: uint256, paymentToken: address, price: uint256):
    """
    @notice Changes what an edition costs, or ends the sale. The drop's creator only. Emits SaleUpdated.
            Reverts with "music nft: caller is not the drop's creator" or "music nft: unknown payment token".
    @param dropId The drop.
    @param paymentToken A registered creator token, or the zero address for the native coin.
    @param price Wei of it; zero: not for sale.
    """
    self._check_creator(self._packed_drops[dropId])
    self._set_sale(dropId, paymentToken, price)


@external
def withdrawProceeds(creator: address) -> uint256:
    """
    @notice Pays `creator` what its sales have earned. Anybody may call. Emits ProceedsWithdrawn. Reverts with
            "music nft: no proceeds" or, if the creator refuses the coin, "music nft: native transfer failed".
    @param creator Who is paid.
    @return What was paid, in native wei.
    """
    return self._withdraw_proceeds(creator, creator)


@external
def withdrawProceedsTo(receiver: address) -> uint256:
    """
    @notice Pays what the caller's sales have earned to another account. Emits ProceedsWithdrawn. Reverts with
            "music nft: receiver is the zero address", "music nft: no proceeds" or "music nft: native transfer failed".
    @param receiver Who is paid.
    @return What was paid, in native wei.
    """
    assert receiver != empty(address), "music nft: receiver is the zero address"
    return self._withdraw_proceeds(msg.sender, receiver)


@external
def setMediaBaseUri(mediaBaseUri: String[100]):
    """
    @notice Changes where players find the pieces. The admin only. Emits MediaBaseUriUpdated and, for whoever caches
            metadata, ERC-4906's BatchMetadataUpdate. Reverts with "access_control: account is missing role".
    @param mediaBaseUri At most 100 bytes; a piece's CID is appended to it. Empty: metadata name the CID alone.
    """
    access_control._check_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    self._set_media_base_uri(mediaBaseUri)
    log BatchMetadataUpdate(_fromTokenId=0, _toTokenId=max_value(uint256))


@external
@view
def isRegisteredCreator(account: address) -> bool:
    """
    @notice Whether an account may make drops: a registrar gave it CREATOR_ROLE, or it launched a coin.
    @param account The account.
    @return True for a registered creator.
    """
    return self._is_registered_creator(account)


@external
@view
def drop(dropId: uint256) -> Drop:
    """
    @notice Everything about a drop; all empty where there is none.
    @param dropId The drop.
    @return The drop: supplies in editions, royalty in basis points, price in wei of the payment token.
    """
    state: DropState = self._unpack(self._packed_drops[dropId])
    track: Track = self._tracks[dropId]
    sale: Sale = self.saleOf[dropId]
    return Drop(
        creator=state.creator,
        title=track.title,
        audioPieceCid=track.audioPieceCid,
        royaltyBps=state.royaltyBps,
        maxSupply=state.maxSupply,
        minted=state.minted,
        isExclusive=state.isExclusive,
        paymentToken=sale.paymentToken,
        price=sale.price,
    )


@external
@view
def editionsHeld(holder: address, dropId: uint256) -> uint256:
    """
    @notice How many editions of a drop an account holds.
    @param holder The account.
    @param dropId The drop.
    @return The number of editions.
    """
    return editions._held_of_series(holder, dropId)


@external
@view
def royaltyInfo(tokenId: uint256, salePrice: uint256) -> (address, uint256):
    """
    @notice What a resale owes to the creator (EIP-2981).
    @param tokenId The edition; also one that is not minted yet.
    @param salePrice The price, in the smallest unit of any currency.
    @return The creator, and its part in the same unit, rounded down; zeros where there is no such drop.
    """
    state: DropState = self._unpack(self._packed_drops[editions._series_of(tokenId)])
    return (state.creator, salePrice * state.royaltyBps // BASIS_POINTS)


@external
@view
def tokenURI(tokenId: uint256) -> String[5_400]:
    """
    @notice The edition's metadata as a JSON data URI. Reverts with "erc721: invalid token ID".
    @param tokenId The edition.
    @return The data URI.
    """
    editions._owner_of(tokenId)
    drop_id: uint256 = editions._series_of(tokenId)
    state: DropState = self._unpack(self._packed_drops[drop_id])
    track: Track = self._tracks[drop_id]
    number: String[10] = self._decimal(editions._number_of(tokenId))
    max_supply: String[10] = self._decimal(state.maxSupply)
    animation: String[1_220] = ""
    if len(self.mediaBaseUri) > 0:
        location: String[200] = concat(self.mediaBaseUri, track.audioPieceCid)
        animation = concat('"animation_url":"', json_uri._escape(location), '",')
    exclusive: String[5] = "true" if state.isExclusive else "false"
    document: String[4_000] = concat(
        '{"name":"',
        json_uri._escape(track.title),
        " #",
        number,
        '","description":"Edition ',
        number,
        " of at most ",
        max_supply,
        '",',
        animation,
        '"properties":{"audioPieceCid":"',
        json_uri._escape(track.audioPieceCid),
        '","edition":',
        number,
        ',"maxSupply":',
        max_supply,
        ',"isExclusive":',
        exclusive,
        "}}",
    )
    return json_uri._data_uri(document)


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
def _create_drop(
    title: String[100], audio_piece_cid: String[100], royalty_bps: uint256, max_supply: uint256, is_exclusive: bool
) -> uint256:
    assert self._is_registered_creator(msg.sender), "music nft: caller is not a registered creator"
    assert len(title) > 0, "music nft: title is empty"
    assert len(audio_piece_cid) > 0, "music nft: piece is empty"
    assert royalty_bps <= maximumRoyaltyBps, "music nft: royalty above 10 %"
    assert max_supply > 0 and max_supply <= MAXIMUM_SUPPLY, "music nft: maximum supply out of range"
    # By creator: nobody can keep another one's piece from being dropped.
    piece: bytes32 = keccak256(audio_piece_cid)
    drops: uint256 = self._drops_of_piece[msg.sender][piece]
    assert drops == 0 or (drops == SEVERAL and not is_exclusive), "music nft: piece would not be exclusive"
    self._drops_of_piece[msg.sender][piece] = EXCLUSIVE if is_exclusive else SEVERAL

    drop_id: uint256 = self.totalDrops + 1
    self.totalDrops = drop_id
    self._packed_drops[drop_id] = self._pack(
        DropState(
            creator=msg.sender, maxSupply=max_supply, minted=0, royaltyBps=royalty_bps, isExclusive=is_exclusive
        )
    )
    self._tracks[drop_id] = Track(title=title, audioPieceCid=audio_piece_cid)
    log DropCreated(
        dropId=drop_id,
        creator=msg.sender,
        title=title,
        audioPieceCid=audio_piece_cid,
        royaltyBps=royalty_bps,
        maxSupply=max_supply,
        isExclusive=is_exclusive,
    )
    return drop_id


@internal
def _mint_edition(drop_id: uint256, packed: uint256, to: address) -> uint256:
    """
    @param packed The drop's packed state.
    """
    minted: uint256 = (packed >> ADDRESS_BITS) & MAXIMUM_SUPPLY
    assert minted < (packed >> (ADDRESS_BITS + SUPPLY_BITS)) & MAXIMUM_SUPPLY, "music nft: sold out"
    self._packed_drops[drop_id] = packed + ONE_MINTED
    token_id: uint256 = editions._token_id(drop_id, minted + 1)
    editions._mint(to, token_id)
    return token_id


@internal
def _set_sale(drop_id: uint256, payment_token: address, price: uint256):
    assert (
        payment_token == empty(address) or staticcall registry.isCreatorToken(payment_token)
    ), "music nft: unknown payment token"
    self.saleOf[drop_id] = Sale(paymentToken=payment_token, price=price)
    log SaleUpdated(dropId=drop_id, paymentToken=payment_token, price=price)


@internal
def _withdraw_proceeds(creator: address, receiver: address) -> uint256:
    amount: uint256 = self.proceeds[creator]
    assert amount > 0, "music nft: no proceeds"
    self.proceeds[creator] = 0
    log ProceedsWithdrawn(creator=creator, receiver=receiver, amount=amount)
    assert raw_call(receiver, b"", value=amount, revert_on_failure=False), "music nft: native transfer failed"
    return amount


@internal
def _set_media_base_uri(media_base_uri: String[100]):
    self.mediaBaseUri = media_base_uri
    log MediaBaseUriUpdated(mediaBaseUri=media_base_uri)


@internal
@view
def _check_creator(packed: uint256):
    assert msg.sender == self._creator_in(packed), "music nft: caller is not the drop's creator"


@internal
@view
def _is_registered_creator(account: address) -> bool:
    return access_control.hasRole[CREATOR_ROLE][account] or staticcall factory.coinOf(account) != empty(address)


@internal
@pure
def _creator_in(packed: uint256) -> address:
    return convert(packed & MAXIMUM_ADDRESS, address)


@internal
@pure
def _pack(state: DropState) -> uint256:
    return (
        convert(state.creator, uint256)
        | (state.minted << ADDRESS_BITS)
        | (state.maxSupply << (ADDRESS_BITS + SUPPLY_BITS))
        | (state.royaltyBps << (ADDRESS_BITS + 2 * SUPPLY_BITS))
        | (convert(state.isExclusive, uint256) << (ADDRESS_BITS + 2 * SUPPLY_BITS + ROYALTY_BITS))
    )


@internal
@pure
def _unpack(packed: uint256) -> DropState:
    return DropState(
        creator=self._creator_in(packed),
        maxSupply=(packed >> (ADDRESS_BITS + SUPPLY_BITS)) & MAXIMUM_SUPPLY,
        minted=(packed >> ADDRESS_BITS) & MAXIMUM_SUPPLY,
        royaltyBps=(packed >> (ADDRESS_BITS + 2 * SUPPLY_BITS)) & MAXIMUM_ROYALTY_FIELD,
        isExclusive=packed >> (ADDRESS_BITS + 2 * SUPPLY_BITS + ROYALTY_BITS) == 1,
    )


@internal
@pure
def _decimal(number: uint256) -> String[10]:
    """
    @param number Below 2**32: an edition's number or a maximum supply.
    """
    return uint2str(convert(number, uint32))
