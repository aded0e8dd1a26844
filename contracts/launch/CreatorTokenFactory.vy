# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title CreatorTokenFactory
@license Apache-2.0
@notice Creates creator tokens, and launches one coin a creator with its pool once the creator's figures allow it.
        It holds nothing between calls.
@custom:kill The owner of the deployer withdraws this factory, or the owner of the metrics raises the requirements.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable

from ..interfaces import ICreatorMetricsManager
from ..interfaces import IIntegratedCreatorDEX
from ..interfaces import ITokenDeploymentFactory
from ..modules import ownership

initializes: ownable
initializes: ownership[ownable := ownable]

exports: (ownership.owner, ownership.transferOwnership)


event CreatorTokenCreated:
    creator: indexed(address)
    token: indexed(address)
    initialSupply: uint256


event CreatorCoinLaunched:
    creator: indexed(address)
    token: indexed(address)
    launcher: indexed(address)
    nativeSeed: uint256
    tokenSeed: uint256


event LauncherAuthorisationChanged:
    launcher: indexed(address)
    authorised: bool


event MinimumSeedUpdated:
    previousSeed: uint256
    newSeed: uint256


# Token wei: half of a launched coin goes to its creator, half into its pool.
COIN_SUPPLY: constant(uint256) = 20_000_000 * 10**18
POOL_SUPPLY: constant(uint256) = COIN_SUPPLY // 2
# Native wei.
LARGEST_MINIMUM_SEED: constant(uint256) = 1_000_000 * 10**18

deployer: public(immutable(ITokenDeploymentFactory))
metricsManager: public(immutable(ICreatorMetricsManager))
exchange: public(immutable(IIntegratedCreatorDEX))
# Of launched coins.
launchFeeRecipient: public(immutable(address))

minimumSeed: public(uint256)
isLauncher: public(HashMap[address, bool])
coinOf: public(HashMap[address, address])


@deploy
def __init__(
    deployer_: ITokenDeploymentFactory,
    metricsManager_: ICreatorMetricsManager,
    exchange_: IIntegratedCreatorDEX,
    platformFeeRecipient: address,
    minimumSeed_: uint256,
):
    """
    @notice The account that deploys this becomes the owner. Emits OwnershipTransferred and MinimumSeedUpdated.
    @param deployer_ The TokenDeploymentFactory, which must authorise this factory.
    @param metricsManager_ The CreatorMetricsManager.
    @param exchange_ The IntegratedCreatorDEX.
    @param platformFeeRecipient Who receives the platform's fee on trades of launched coins.
    @param minimumSeed_ Wei of the native coin that a launch must bring.
    """
    assert platformFeeRecipient != empty(address), "factory: fee recipient is the zero address"
    ownable.__init__()
    deployer = deployer_
    metricsManager = metricsManager_
    exchange = exchange_
    launchFeeRecipient = platformFeeRecipient
    self._set_minimum_seed(minimumSeed_)


@external
def createCreatorToken(
    name: String[50],
    symbol: String[10],
    description: String[500],
    imageUrl: String[200],
    initialSupply: uint256,
    creator: address,
    platformFeeRecipient: address,
) -> address:
    """
    @notice Creates a token whose whole initial supply the creator holds. The creator itself or a launcher only.
            Emits CreatorTokenCreated after the deployment's events. Reverts with "factory: caller may not launch" or
            as the deployment does.
    @param name 1 to 50 bytes.
    @param symbol 1 to 10 bytes.
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @param initialSupply Token wei.
    @param creator The token's owner and first holder.
    @param platformFeeRecipient Who receives the platform's fee on trades.
    @return The token's address.
    """
    self._check_may_launch(creator)
    token: address = extcall deployer.deployCreatorToken(
        name, symbol, description, imageUrl, initialSupply, creator, platformFeeRecipient
    )
    log CreatorTokenCreated(creator=creator, token=token, initialSupply=initialSupply)
    return token


@external
@payable
def launchCreatorCoin(
    creator: address, name: String[50], symbol: String[10], description: String[500], imageUrl: String[200]
) -> address:
    """
    @notice Launches a creator's one coin: 20 000 000 coins, half to the creator, half into a pool together with the
            whole value sent. The pool's shares are locked for ever. The creator itself or a launcher only.
            Emits CreatorCoinLaunched after the events of deployment and pool. Reverts with "factory: caller may not
            launch", "factory: seed below minimum", "factory: coin already launched" or "factory: launch requirements
            not met".
    @param creator The coin's owner.
    @param name 1 to 50 bytes.
    @param symbol 1 to 10 bytes.
    @param description At most 500 bytes.
    @param imageUrl At most 200 bytes.
    @return The coin's address.
    """
    self._check_may_launch(creator)
    assert msg.value >= self.minimumSeed, "factory: seed below minimum"
    assert self.coinOf[creator] == empty(address), "factory: coin already launched"
    assert staticcall metricsManager.meetsLaunchRequirements(creator), "factory: launch requirements not met"

    token: address = extcall deployer.deployCreatorToken(
        name, symbol, description, imageUrl, COIN_SUPPLY, creator, launchFeeRecipient, self
    )
    self.coinOf[creator] = token
    extcall IERC20(token).transfer(creator, COIN_SUPPLY - POOL_SUPPLY, default_return_value=True)
    extcall IERC20(token).approve(exchange.address, POOL_SUPPLY, default_return_value=True)
    extcall exchange.createPool(token, POOL_SUPPLY, empty(address), value=msg.value)
    log CreatorCoinLaunched(
        creator=creator, token=token, launcher=msg.sender, nativeSeed=msg.value, tokenSeed=POOL_SUPPLY
    )
    return token


@external
def setLauncher(launcher: address, authorised: bool):
    """
    @notice Authorises a launcher, who may launch for any creator, or withdraws it. The owner only.
            Emits LauncherAuthorisationChanged.
            Reverts with "ownable: caller is not the owner" or "factory: launcher is the zero address".
    @param launcher The launching account.
    @param authorised Whether it may from now on.
    """
    ownable._check_owner()
    assert launcher != empty(address), "factory: launcher is the zero address"
    self.isLauncher[launcher] = authorised
    log LauncherAuthorisationChanged(launcher=launcher, authorised=authorised)


@external
def setMinimumSeed(newSeed: uint256):
    """
    @notice Changes what a launch must bring. The owner only. Emits MinimumSeedUpdated.
            Reverts with "ownable: caller is not the owner" or "factory: minimum seed out of range".
    @param newSeed Wei of the native coin, more than zero, at most a million coins.
    """
    ownable._check_owner()
    self._set_minimum_seed(newSeed)


@internal
def _set_minimum_seed(new_seed: uint256):
    assert new_seed > 0 and new_seed <= LARGEST_MINIMUM_SEED, "factory: minimum seed out of range"
    log MinimumSeedUpdated(previousSeed=self.minimumSeed, newSeed=new_seed)
    self.minimumSeed = new_seed


@internal
@view
def _check_may_launch(creator: address):
    assert msg.sender == creator or self.isLauncher[msg.sender], "factory: caller may not launch"
