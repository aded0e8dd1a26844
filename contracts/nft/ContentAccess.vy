# pragma version 0.4.3
# pragma evm-version cancun
"""
@title ContentAccess
@license Apache-2.0
@notice Who may have a piece of content: its creator, who holds enough of the creator's coin in wallet and stake, who
        holds an NFT that opens it, and who has a grant that is not over, as for what was paid off chain. A piece that
        nobody has set is closed.
@dev `hasValidAccess` is for doors off chain, which ask at a block of their choosing. A contract that lets money follow
     from access asks `hasCommittedAccess`: wallet coins and NFTs can be borrowed for one transaction, stakes cannot.
@custom:kill Nothing stops it. The admin revokes ACCESS_ROLE to end grants; creators keep their pieces' rules.
"""

from ethereum.ercs import IERC20
from snekmate.auth import access_control

from ..interfaces import ICreatorTokenFactory
from ..interfaces import IMusicNFT
from ..interfaces import IStaking

initializes: access_control

exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
    access_control.supportsInterface,
)


struct ContentRule:
    creator: address
    minimumCoinHolding: uint256
    nftCollection: address
    nftDropId: uint256


event ContentAccessSet:
    pieceHash: indexed(bytes32)
    creator: indexed(address)
    pieceCid: String[100]
    minimumCoinHolding: uint256


event NftGateSet:
    pieceHash: indexed(bytes32)
    collection: indexed(address)
    dropId: indexed(uint256)


event AccessGranted:
    user: indexed(address)
    pieceHash: indexed(bytes32)
    pieceCid: String[100]
    expiresAt: uint256


event AccessRevoked:
    user: indexed(address)
    pieceHash: indexed(bytes32)


ACCESS_ROLE: public(constant(bytes32)) = keccak256("ACCESS_ROLE")

factory: public(immutable(ICreatorTokenFactory))
musicNft: public(immutable(IMusicNFT))

# By keccak256 of the piece's CID.
_rules: HashMap[bytes32, ContentRule]
# user -> keccak256 of the piece's CID -> unix time at which the grant ends
_grants: HashMap[address, HashMap[bytes32, uint256]]


@deploy
def __init__(factory_: ICreatorTokenFactory, musicNft_: IMusicNFT):
    """
    @notice The deployer becomes the admin and receives ACCESS_ROLE. Emits RoleGranted.
    @param factory_ The CreatorTokenFactory, which knows each creator's coin.
    @param musicNft_ The MusicNFT, which knows the registered creators.
    """
    access_control.__init__()
    access_control._grant_role(ACCESS_ROLE, msg.sender)
    factory = factory_
    musicNft = musicNft_


@external
def setContentAccess(pieceCid: String[100], creator: address, minimumCoinHolding: uint256):
    """
    @notice Says whose a piece is and how many of the creator's coins open it. A registered creator for a piece of its
            own that nobody else has set, or ACCESS_ROLE for any piece, also to correct whose it is. Keeps the NFT gate
            while the creator stays the same. Emits ContentAccessSet, and NftGateSet where a gate falls. Reverts with
            "access: piece is empty", "access: creator is the zero address", "access: caller may not set the piece" or
            "access: piece is another creator's".
    @param pieceCid The piece's content identifier, 1 to 100 bytes.
    @param creator Whose piece it is, and whose coin counts.
    @param minimumCoinHolding Token wei in wallet and stake together; zero: coins do not open it.
    """
    assert len(pieceCid) > 0, "access: piece is empty"
    assert creator != empty(address), "access: creator is the zero address"
    piece: bytes32 = keccak256(pieceCid)
    previous: address = self._rules[piece].creator
    if not access_control.hasRole[ACCESS_ROLE][msg.sender]:
        assert (
            msg.sender == creator and staticcall musicNft.isRegisteredCreator(creator)
        ), "access: caller may not set the piece"
        assert previous == empty(address) or previous == creator, "access: piece is another creator's"

    self._rules[piece].creator = creator
    self._rules[piece].minimumCoinHolding = minimumCoinHolding
    log ContentAccessSet(
        pieceHash=piece, creator=creator, pieceCid=pieceCid, minimumCoinHolding=minimumCoinHolding
    )
    if previous != creator and self._rules[piece].nftCollection != empty(address):
        self._set_nft_gate(piece, empty(address), 0)


@external
def setNftGate(pieceCid: String[100], collection: address, dropId: uint256):
    """
    @notice Lets the holders of an NFT have a piece, or no longer. The piece's creator or ACCESS_ROLE only. Emits
            NftGateSet. Reverts with "access: piece is not set" or "access: caller may not set the piece".
    @param pieceCid The piece's content identifier.
    @param collection An ERC-721 contract; the zero address: no NFT opens the piece.
    @param dropId The one drop whose editions count, where the collection is a MusicNFT; zero: every token counts.
    """
    piece: bytes32 = keccak256(pieceCid)
    creator: address = self._rules[piece].creator
    assert creator != empty(address), "access: piece is not set"
    assert (
        msg.sender == creator or access_control.hasRole[ACCESS_ROLE][msg.sender]
    ), "access: caller may not set the piece"
    self._set_nft_gate(piece, collection, dropId)


@external
def grantAccess(user: address, pieceCid: String[100], expiresAt: uint256):
    """
    @notice Lets a user have a piece until a time; replaces an earlier grant. ACCESS_ROLE only. Emits AccessGranted.
            Reverts with "access_control: account is missing role", "access: user is the zero address", "access: piece
            is empty" or "access: grant has expired".
    @param user Who may have it.
    @param pieceCid The piece's content identifier, set or not, 1 to 100 bytes.
    @param expiresAt When the grant ends, in unix seconds.
    """
    access_control._check_role(ACCESS_ROLE, msg.sender)
    assert user != empty(address), "access: user is the zero address"
    assert len(pieceCid) > 0, "access: piece is empty"
    assert expiresAt > block.timestamp, "access: grant has expired"
    piece: bytes32 = keccak256(pieceCid)
    self._grants[user][piece] = expiresAt
    log AccessGranted(user=user, pieceHash=piece, pieceCid=pieceCid, expiresAt=expiresAt)


@external
def revokeAccess(user: address, pieceCid: String[100]):
    """
    @notice Ends a grant, as after a refund. ACCESS_ROLE only. Emits AccessRevoked.
            Reverts with "access_control: account is missing role" or "access: no live grant".
    @param user Whose grant.
    @param pieceCid The piece's content identifier.
    """
    access_control._check_role(ACCESS_ROLE, msg.sender)
    piece: bytes32 = keccak256(pieceCid)
    assert self._has_live_grant(user, piece), "access: no live grant"
    self._grants[user][piece] = 0
    log AccessRevoked(user=user, pieceHash=piece)


@external
@view
def hasValidAccess(user: address, pieceCid: String[100]) -> bool:
    """
    @notice Whether a user may have a piece now, for doors off chain.
    @dev The grant comes first: whoever has paid depends on no other contract.
    @param user Who asks.
    @param pieceCid The piece's content identifier.
    @return True for the piece's creator, with a live grant, enough coins in wallet and stake, or an NFT that opens it.
    """
    piece: bytes32 = keccak256(pieceCid)
    rule: ContentRule = self._rules[piece]
    if self._has_live_grant(user, piece) or self._is_creator(user, rule):
        return True
    coin: address = self._coin_in(rule)
    if coin != empty(address):
        held: uint256 = staticcall IERC20(coin).balanceOf(user)
        if held + self._staked(coin, user) >= rule.minimumCoinHolding:
            return True
    return self._holds_nft(user, rule)


@external
@view
def hasCommittedAccess(user: address, pieceCid: String[100]) -> bool:
    """
    @notice Whether a user may have a piece by what cannot be borrowed for one transaction.
    @param user Who asks.
    @param pieceCid The piece's content identifier.
    @return True for the piece's creator, with a live grant or enough staked coins; wallet coins and NFTs do not count.
    """
    piece: bytes32 = keccak256(pieceCid)
    rule: ContentRule = self._rules[piece]
    if self._has_live_grant(user, piece) or self._is_creator(user, rule):
        return True
    coin: address = self._coin_in(rule)
    return coin != empty(address) and self._staked(coin, user) >= rule.minimumCoinHolding


@external
@view
def contentRule(pieceCid: String[100]) -> ContentRule:
    """
    @notice What opens a piece; all zero for one that nobody has set.
    @param pieceCid The piece's content identifier.
    @return The creator, the coins that open it in token wei (zero: none do), the NFT gate.
    """
    return self._rules[keccak256(pieceCid)]


@external
@view
def grantExpiry(user: address, pieceCid: String[100]) -> uint256:
    """
    @notice When a user's grant ends or ended.
    @param user Whose grant.
    @param pieceCid The piece's content identifier.
    @return Unix seconds; zero without a grant.
    """
    return self._grants[user][keccak256(pieceCid)]


@internal
def _set_nft_gate(piece: bytes32, collection: address, drop_id: uint256):
    self._rules[piece].nftCollection = collection
    self._rules[piece].nftDropId = drop_id
    log NftGateSet(pieceHash=piece, collection=collection, dropId=drop_id)


@internal
@view
def _has_live_grant(user: address, piece: bytes32) -> bool:
    return self._grants[user][piece] > block.timestamp


@internal
@pure
def _is_creator(user: address, rule: ContentRule) -> bool:
    return user == rule.creator and user != empty(address)


@internal
@view
def _coin_in(rule: ContentRule) -> address:
    """
    @return The coin that opens the piece; the zero address where none does, or the creator has not launched one.
    """
    if rule.minimumCoinHolding == 0:
        return empty(address)
    return staticcall factory.coinOf(rule.creator)


@internal
@view
def _staked(coin: address, user: address) -> uint256:
    position: IStaking.StakingPosition = staticcall IStaking(coin).stakingInfo(user)
    return position.amount


@internal
@view
def _holds_nft(user: address, rule: ContentRule) -> bool:
    """
    @dev The creator picks the collection: one that does not answer opens nothing, and stops nobody's question.
    """
    if rule.nftCollection == empty(address):
        return False
    question: Bytes[68] = abi_encode(user, method_id=method_id("balanceOf(address)"))
    if rule.nftDropId != 0:
        question = abi_encode(user, rule.nftDropId, method_id=method_id("editionsHeld(address,uint256)"))
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        rule.nftCollection, question, max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    return success and len(answer) == 32 and convert(answer, uint256) > 0
