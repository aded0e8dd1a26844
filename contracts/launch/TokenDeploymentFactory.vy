# pragma version 0.4.3
# pragma evm-version cancun
"""
@title TokenDeploymentFactory
@license Apache-2.0
@notice Deploys creator tokens from an ERC-5202 blueprint with CREATE2, for authorised factories, and knows which
        tokens are its own. A token's address commits to every argument that it is deployed with.
@custom:kill The owner stops deployments by withdrawing every factory; deployed tokens are out of its reach.
"""

from snekmate.auth import ownable

from ..interfaces import ICreatorToken
from ..interfaces import ITokenDeploymentFactory
from ..modules import ownership

initializes: ownable
initializes: ownership[ownable := ownable]

implements: ITokenDeploymentFactory

exports: (ownership.owner, ownership.transferOwnership)


event CreatorTokenDeployed:
    token: indexed(address)
    creator: indexed(address)
    factory: indexed(address)
    name: String[50]
    symbol: String[10]
    description: String[500]
    imageUrl: String[200]
    initialSupply: uint256
    maximumSupply: uint256
    platformFeeRate: uint256
    platformFeeRecipient: address


event FactoryAuthorisationChanged:
    factory: indexed(address)
    authorised: bool


# ERC-5202: 0xFE7100, then the initcode.
BLUEPRINT_PREAMBLE: constant(uint256) = 3
CHUNK: constant(uint256) = 1_024
MAXIMUM_CODE: constant(uint256) = 24 * CHUNK

creatorTokenBlueprint: public(immutable(address))

isFactory: public(HashMap[address, bool])
isCreatorToken: public(HashMap[address, bool])


@deploy
def __init__(creatorTokenBlueprint_: address):
    """
    @notice The deployer becomes the owner. Emits OwnershipTransferred.
    @param creatorTokenBlueprint_ The ERC-5202 blueprint of CreatorToken.
    """
    assert creatorTokenBlueprint_.codesize > CHUNK, "deployer: not a blueprint"
    assert slice(creatorTokenBlueprint_.code, 0, BLUEPRINT_PREAMBLE) == x"FE7100", "deployer: not a blueprint"
    ownable.__init__()
    creatorTokenBlueprint = creatorTokenBlueprint_


@external
def deployCreatorToken(
    name: String[50],
    symbol: String[10],
    description: String[500],
    imageUrl: String[200],
    initialSupply: uint256,
    creator: address,
    platformFeeRecipient: address,
    initialHolder: address = empty(address),
) -> address:
    """
    @notice Deploys and registers a CreatorToken. Authorised factories only. Emits CreatorTokenDeployed after the
            token's own events. Reverts with "deployer: caller is not a factory", with the token's reason ("token: …"),
            or without one when the same token, argument by argument, exists already.
    @param name 1 to 50 bytes.
    @param symbol 1 to 10 bytes.
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @param initialSupply Token wei.
    @param creator The token's owner.
    @param platformFeeRecipient Who receives the platform's fee on trades.
    @param initialHolder Who receives the initial supply; the creator, unless given.
    @return The token's address.
    """
    assert self.isFactory[msg.sender], "deployer: caller is not a factory"

    token: address = create_from_blueprint(
        creatorTokenBlueprint,
        name,
        symbol,
        description,
        imageUrl,
        initialSupply,
        creator,
        platformFeeRecipient,
        self._holder(initialHolder, creator),
        code_offset=BLUEPRINT_PREAMBLE,
        salt=empty(bytes32),
    )
    self.isCreatorToken[token] = True
    log CreatorTokenDeployed(
        token=token,
        creator=creator,
        factory=msg.sender,
        name=name,
        symbol=symbol,
        description=description,
        imageUrl=imageUrl,
        initialSupply=initialSupply,
        maximumSupply=staticcall ICreatorToken(token).maximumSupply(),
        platformFeeRate=staticcall ICreatorToken(token).platformFeeRate(),
        platformFeeRecipient=platformFeeRecipient,
    )
    return token


@external
@view
def predictTokenAddress(
    name: String[50],
    symbol: String[10],
    description: String[500],
    imageUrl: String[200],
    initialSupply: uint256,
    creator: address,
    platformFeeRecipient: address,
    initialHolder: address = empty(address),
) -> address:
    """
    @notice The address at which `deployCreatorToken` with the same arguments puts its token (EIP-1014, zero salt).
            Meant for calls off chain: it reads the whole blueprint.
    @param name As in `deployCreatorToken`, and so are the other parameters.
    @param symbol See there.
    @param description See there.
    @param imageUrl See there.
    @param initialSupply See there.
    @param creator See there.
    @param platformFeeRecipient See there.
    @param initialHolder See there.
    @return The address, whether or not the token exists already.
    """
    arguments: Bytes[1_216] = abi_encode(
        name,
        symbol,
        description,
        imageUrl,
        initialSupply,
        creator,
        platformFeeRecipient,
        self._holder(initialHolder, creator),
    )
    initcode_hash: bytes32 = keccak256(concat(self._initcode(creatorTokenBlueprint), arguments))
    digest: bytes32 = keccak256(concat(0xff, convert(self, bytes20), empty(bytes32), initcode_hash))
    return convert(convert(digest, uint256) & convert(max_value(uint160), uint256), address)


@external
def setFactory(factory: address, authorised: bool):
    """
    @notice Authorises a factory or withdraws it. The owner only. Emits FactoryAuthorisationChanged.
            Reverts with "ownable: caller is not the owner" or "deployer: factory is the zero address".
    @param factory Who may deploy tokens.
    @param authorised Whether it may from now on.
    """
    ownable._check_owner()
    assert factory != empty(address), "deployer: factory is the zero address"
    self.isFactory[factory] = authorised
    log FactoryAuthorisationChanged(factory=factory, authorised=authorised)


@internal
@pure
def _holder(initial_holder: address, creator: address) -> address:
    return creator if initial_holder == empty(address) else initial_holder


@internal
@view
def _initcode(blueprint: address) -> Bytes[MAXIMUM_CODE]:
    """
    @dev Vyper copies foreign code in pieces of constant length only: whole chunks, then the end of the last chunk.
    """
    initcode: Bytes[MAXIMUM_CODE] = b""
    end: uint256 = blueprint.codesize
    for i: uint256 in range(24):
        start: uint256 = BLUEPRINT_PREAMBLE + i * CHUNK
        if start + CHUNK > end:
            break
        initcode = convert(concat(initcode, slice(blueprint.code, start, CHUNK)), Bytes[MAXIMUM_CODE])
    rest: uint256 = (end - BLUEPRINT_PREAMBLE) % CHUNK
    last_chunk: Bytes[CHUNK] = slice(blueprint.code, end - CHUNK, CHUNK)
    return convert(concat(initcode, slice(last_chunk, CHUNK - rest, rest)), Bytes[MAXIMUM_CODE])
