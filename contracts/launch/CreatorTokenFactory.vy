# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title CreatorTokenFactory
@license Apache-2.0
@notice Creates creator tokens, launches one coin a creator with its pool once the creator's figures allow it, and
        shares a creator's revenue with the coin's holders.
@dev It holds nothing between calls but the creators' revenue that they have not withdrawn yet.
@custom:kill The owner of the deployer withdraws this factory, or the owner of the metrics raises the requirements.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable

from ..interfaces import IBalancedCreatorToken
from ..interfaces import ICreatorMetrics
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


event RevenueDistributed:
    creator: indexed(address)
    token: indexed(address)
    amount: uint256
    holdersShare: uint256
    creatorShare: uint256
    distributor: indexed(address)


event CreatorRevenueWithdrawn:
    creator: indexed(address)
    amount: uint256


event HoldersShareUpdated:
    previousShare: uint256
    newShare: uint256


event LauncherAuthorisationChanged:
    launcher: indexed(address)
    authorised: bool


event MinimumSeedUpdated:
    previousSeed: uint256
    newSeed: uint256


BASIS_POINTS: constant(uint256) = 10_000
DEFAULT_HOLDERS_SHARE: constant(uint256) = 1_000
# Native wei.
largestMinimumSeed: public(constant(uint256)) = 1_000_000 * 10**18
# Native wei that a creator must earn in 30 days, as reported, for its revenue to be shared.
minimumMonthlyRevenue: public(constant(uint256)) = 10**18

deployer: public(immutable(ITokenDeploymentFactory))
metricsManager: public(immutable(ICreatorMetricsManager))
exchange: public(immutable(IIntegratedCreatorDEX))
# Of launched coins.
launchFeeRecipient: public(immutable(address))

minimumSeed: public(uint256)
isLauncher: public(HashMap[address, bool])
coinOf: public(HashMap[address, address])

# Of distributed revenue, in basis points.
holdersShare: public(uint256)
# Native wei.
creatorRevenueDue: public(HashMap[address, uint256])


@deploy
def __init__(
    deployer_: ITokenDeploymentFactory,
    metricsManager_: ICreatorMetricsManager,
    exchange_: IIntegratedCreatorDEX,
    platformFeeRecipient: address,
    minimumSeed_: uint256,
):
    """
    @notice The account that deploys this becomes the owner. Emits OwnershipTransferred, MinimumSeedUpdated
            and HoldersShareUpdated. Reverts with "factory: fee recipient is the zero address" or "factory: minimum
            seed out of range".
    @param deployer_ The TokenDeploymentFactory, which must authorise this factory.
    @param metricsManager_ The CreatorMetricsManager.
    @param exchange_ The IntegratedCreatorDEX.
    @param platformFeeRecipient Who receives the platform's fee on trades of launched coins.
    @param minimumSeed_ Wei of the native coin that a launch must bring, more than zero, at most a million coins.
    """
    assert platformFeeRecipient != empty(address), "factory: fee recipient is the zero address"
    ownable.__init__()
    deployer = deployer_
    metricsManager = metricsManager_
    exchange = exchange_
    launchFeeRecipient = platformFeeRecipient
    self._set_minimum_seed(minimumSeed_)
    self._set_holders_share(DEFAULT_HOLDERS_SHARE)


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
            as the deployment does ("deployer: …", "token: …").
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
    @notice Launches a creator's one coin, a BalancedCreatorToken: its first 10 000 000 coins go into a pool together
            with the whole value sent. The pool's shares are locked for ever. The creator itself or a launcher only.
            Emits CreatorCoinLaunched after the events of deployment and pool. Reverts with "factory: caller may not
            launch", "factory: seed below minimum", "factory: coin already launched", "factory: launch requirements
            not met", or as deployment and pool do ("deployer: …", "token: …", "dex: …").
    @param creator The coin's owner and beneficiary.
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

    token: address = extcall deployer.deployBalancedCreatorToken(
        name,
        symbol,
        description,
        imageUrl,
        creator,
        launchFeeRecipient,
        self,
        metricsManager.address,
        exchange.address,
    )
    self.coinOf[creator] = token
    token_seed: uint256 = staticcall IERC20(token).balanceOf(self)
    extcall IERC20(token).approve(exchange.address, token_seed, default_return_value=True)
    extcall exchange.createPool(token, token_seed, empty(address), value=msg.value)
    log CreatorCoinLaunched(
        creator=creator, token=token, launcher=msg.sender, nativeSeed=msg.value, tokenSeed=token_seed
    )
    return token


@external
@payable
def distributeRevenue(creator: address):
    """
    @notice Shares the value sent: `holdersShare` of it, rounded down, among the holders of the creator's coin, the
            rest for the creator to withdraw. Anybody may. Emits RevenueDistributed, after the coin's RevenueReceived.
            Reverts with "factory: no value sent", "factory: no coin launched", "factory: Revenue backing not enabled"
            while the creator's reported monthly revenue is below `minimumMonthlyRevenue`, or as the coin's
            `distribute` does.
    @param creator Whose revenue it is.
    """
    assert msg.value > 0, "factory: no value sent"
    token: address = self.coinOf[creator]
    assert token != empty(address), "factory: no coin launched"
    metrics: ICreatorMetrics.CreatorMetrics = staticcall ICreatorMetrics(metricsManager.address).creatorMetrics(creator)
    assert metrics.monthlyRevenue >= minimumMonthlyRevenue, "factory: Revenue backing not enabled"

    holders_share: uint256 = msg.value * self.holdersShare // BASIS_POINTS
    creator_share: uint256 = msg.value - holders_share
    # Not sent: a creator that refuses it would keep the holders from theirs.
    self.creatorRevenueDue[creator] += creator_share
    if holders_share > 0:
        extcall IBalancedCreatorToken(token).distribute(value=holders_share)
    log RevenueDistributed(
        creator=creator,
        token=token,
        amount=msg.value,
        holdersShare=holders_share,
        creatorShare=creator_share,
        distributor=msg.sender,
    )


@external
def withdrawCreatorRevenue(creator: address) -> uint256:
    """
    @notice Pays `creator` all revenue due to it. Anybody may call. Emits CreatorRevenueWithdrawn.
            Reverts with "factory: no revenue due" or, if the creator refuses the coin, "factory: native transfer
            failed".
    @param creator Who is paid.
    @return What was paid, in native wei.
    """
    return self._withdraw_creator_revenue(creator, creator)


@external
def withdrawCreatorRevenueTo(receiver: address) -> uint256:
    """
    @notice Pays all revenue due to the caller to another account, for creators that cannot take the native coin. Emits
            CreatorRevenueWithdrawn. Reverts with "factory: receiver is the zero address", "factory: no revenue due" or
            "factory: native transfer failed".
    @param receiver Who is paid.
    @return What was paid, in native wei.
    """
    assert receiver != empty(address), "factory: receiver is the zero address"
    return self._withdraw_creator_revenue(msg.sender, receiver)


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


@external
def setHoldersShare(newShare: uint256):
    """
    @notice Changes the holders' part of revenue distributed from now on. The owner only. Emits HoldersShareUpdated.
            Reverts with "ownable: caller is not the owner" or "factory: holders' share above 10000 bps".
    @param newShare Basis points, at most 10 000.
    """
    ownable._check_owner()
    self._set_holders_share(newShare)


@internal
def _withdraw_creator_revenue(creator: address, receiver: address) -> uint256:
    amount: uint256 = self.creatorRevenueDue[creator]
    assert amount > 0, "factory: no revenue due"
    self.creatorRevenueDue[creator] = 0
    log CreatorRevenueWithdrawn(creator=creator, amount=amount)
    sent: bool = raw_call(receiver, b"", value=amount, revert_on_failure=False)
    assert sent, "factory: native transfer failed"
    return amount


@internal
def _set_holders_share(new_share: uint256):
    assert new_share <= BASIS_POINTS, "factory: holders' share above 10000 bps"
    log HoldersShareUpdated(previousShare=self.holdersShare, newShare=new_share)
    self.holdersShare = new_share


@internal
def _set_minimum_seed(new_seed: uint256):
    assert new_seed > 0 and new_seed <= largestMinimumSeed, "factory: minimum seed out of range"
    log MinimumSeedUpdated(previousSeed=self.minimumSeed, newSeed=new_seed)
    self.minimumSeed = new_seed


@internal
@view
def _check_may_launch(creator: address):
    assert msg.sender == creator or self.isLauncher[msg.sender], "factory: caller may not launch"
