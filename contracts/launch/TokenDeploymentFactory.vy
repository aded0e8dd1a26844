# pragma version 0.4.3
# pragma evm-version cancun
"""
@title TokenDeploymentFactory
@license Apache-2.0
@notice Deploys creator tokens, plain and balanced ones, from ERC-5202 blueprints with CREATE2, for authorised
        factories, and knows which tokens are its own. A token's address commits to every argument that it is deployed
        with.
@custom:kill The owner stops deployments by withdrawing every factory; deployed tokens are out of its reach.
"""

from ethereum.ercs import IERC20
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


# Follows CreatorTokenDeployed for a balanced one.
event BalancedCreatorTokenDeployed:
    token: indexed(address)
    creator: indexed(address)
    metricsManager: address
    exchange: address


event FactoryAuthorisationChanged:
    factory: indexed(address)
    authorised: bool


# ERC-5202: 0xFE7100, then the initcode.
BLUEPRINT_PREAMBLE: constant(uint256) = 3
CHUNK: constant(uint256) = 1_024
MAXIMUM_CODE: constant(uint256) = 24 * CHUNK
# Of either token's constructor, encoded.
MAXIMUM_ARGUMENTS: constant(uint256) = 1_248

creatorTokenBlueprint: public(immutable(address))
balancedCreatorTokenBlueprint: public(immutable(address))

isFactory: public(HashMap[address, bool])
isCreatorToken: public(HashMap[address, bool])


@deploy
def __init__(creatorTokenBlueprint_: address, balancedCreatorTokenBlueprint_: address):
    """
    @notice The deployer becomes the owner. Emits OwnershipTransferred. Reverts with "deployer: not a blueprint".
    @param creatorTokenBlueprint_ The ERC-5202 blueprint of CreatorToken.
    @param balancedCreatorTokenBlueprint_ The ERC-5202 blueprint of BalancedCreatorToken.
    """
    self._check_blueprint(creatorTokenBlueprint_)
    self._check_blueprint(balancedCreatorTokenBlueprint_)
    ownable.__init__()
    creatorTokenBlueprint = creatorTokenBlueprint_
    balancedCreatorTokenBlueprint = balancedCreatorTokenBlueprint_


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
    self._register(token, creator, name, symbol, description, imageUrl, initialSupply, platformFeeRecipient)
    return token


@external
def deployBalancedCreatorToken(
    name: String[50],
    symbol: String[10],
    description: String[500],
    imageUrl: String[200],
    creator: address,
    platformFeeRecipient: address,
    poolSeeder: address,
    metricsManager: address,
    exchange: address,
) -> address:
    """
    @notice Deploys and registers a BalancedCreatorToken. Authorised factories only. Emits CreatorTokenDeployed and
            BalancedCreatorTokenDeployed after the token's own events. Reverts with "deployer: caller is not a factory",
            with the token's reason ("token: …"), or without one when the same token, argument by argument, exists
            already.
    @param name 1 to 50 bytes.
    @param symbol 1 to 10 bytes.
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @param creator The token's owner and beneficiary.
    @param platformFeeRecipient Who receives the platform's fee on trades.
    @param poolSeeder Who receives the pool's part of the supply.
    @param metricsManager The CreatorMetricsManager.
    @param exchange The IntegratedCreatorDEX.
    @return The token's address.
    """
    assert self.isFactory[msg.sender], "deployer: caller is not a factory"

    token: address = create_from_blueprint(
        balancedCreatorTokenBlueprint,
        name,
        symbol,
        description,
        imageUrl,
        creator,
        platformFeeRecipient,
        poolSeeder,
        metricsManager,
        exchange,
        code_offset=BLUEPRINT_PREAMBLE,
        salt=empty(bytes32),
    )
    minted: uint256 = staticcall IERC20(token).totalSupply()
    self._register(token, creator, name, symbol, description, imageUrl, minted, platformFeeRecipient)
    log BalancedCreatorTokenDeployed(token=token, creator=creator, metricsManager=metricsManager, exchange=exchange)
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
    arguments: Bytes[MAXIMUM_ARGUMENTS] = abi_encode(
        name,
        symbol,
        description,
        imageUrl,
        initialSupply,
        creator,
        platformFeeRecipient,
        self._holder(initialHolder, creator),
    )
    return self._predicted(creatorTokenBlueprint, arguments)


@external
@view
def predictBalancedTokenAddress(
    name: String[50],
    symbol: String[10],
    description: String[500],
    imageUrl: String[200],
    creator: address,
    platformFeeRecipient: address,
    poolSeeder: address,
    metricsManager: address,
    exchange: address,
) -> address:
    """
    @notice The address at which `deployBalancedCreatorToken` with the same arguments puts its token, as
            `predictTokenAddress` says it of plain ones.
    @param name As in `deployBalancedCreatorToken`, and so are the other parameters.
    @param symbol See there.
    @param description See there.
    @param imageUrl See there.
    @param creator See there.
    @param platformFeeRecipient See there.
    @param poolSeeder See there.
    @param metricsManager See there.
    @param exchange See there.
    @return The address, whether or not the token exists already.
    """
    arguments: Bytes[MAXIMUM_ARGUMENTS] = abi_encode(
        name,
        symbol,
        description,
        imageUrl,
        creator,
        platformFeeRecipient,
        poolSeeder,
        metricsManager,
        exchange,
    )
    return self._predicted(balancedCreatorTokenBlueprint, arguments)


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
def _register(
    token: address,
    creator: address,
    name: String[50],
    symbol: String[10],
    description: String[500],
    image_url: String[200],
    initial_supply: uint256,
    platform_fee_recipient: address,
):
    self.isCreatorToken[token] = True
    log CreatorTokenDeployed(
        token=token,
        creator=creator,
        factory=msg.sender,
        name=name,
        symbol=symbol,
        description=description,
        imageUrl=image_url,
        initialSupply=initial_supply,
        maximumSupply=staticcall ICreatorToken(token).maximumSupply(),
        platformFeeRate=staticcall ICreatorToken(token).platformFeeRate(),
        platformFeeRecipient=platform_fee_recipient,
    )


@internal
@pure
def _holder(initial_holder: address, creator: address) -> address:
    return creator if initial_holder == empty(address) else initial_holder


@internal
@view
def _predicted(blueprint: address, arguments: Bytes[MAXIMUM_ARGUMENTS]) -> address:
    """
    @dev EIP-1014 with a zero salt.
    """
    initcode_hash: bytes32 = keccak256(concat(self._initcode(blueprint), arguments))
    digest: bytes32 = keccak256(concat(0xff, convert(self, bytes20), empty(bytes32), initcode_hash))
    return convert(convert(digest, uint256) & convert(max_value(uint160), uint256), address)


@internal
@view
def _check_blueprint(blueprint: address):
    assert blueprint.codesize > CHUNK, "deployer: not a blueprint"
    assert slice(blueprint.code, 0, BLUEPRINT_PREAMBLE) == x"FE7100", "deployer: not a blueprint"


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
