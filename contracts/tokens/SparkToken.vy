# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title SparkToken
@license Apache-2.0
@notice SPARK, the platform's token: ERC-20 with permit (EIP-2612), burning, votes (ERC-5805), pausing, roles, and
        staking with rewards out of a funded pool. 18 decimals, 100 000 000 at first. Behind an ERC-1967 proxy.
@dev An upgrade keeps this order of modules and variables and adds at the end, at the same EVM version: the storage is
     the proxy's. deployments/storage/SparkToken.json holds the layout, and a test compares it.
@custom:kill PAUSER stops every movement of tokens but unstaking; UPGRADER, a timelock, replaces the code.
"""

from ethereum.ercs import IERC165
from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import access_control
from snekmate.auth import ownable
from snekmate.auth.interfaces import IAccessControl
from snekmate.tokens import erc20
from snekmate.tokens.interfaces import IERC20Permit
from snekmate.utils import eip712_domain_separator
from snekmate.utils import pausable
from snekmate.utils.interfaces import IERC5267

from ..interfaces import IERC5805
from ..modules import checkpoints
from ..modules import erc1967
from ..modules import reward_pool
from ..modules import uups
from ..modules import votes

# The order of storage: first what has a slot of its own to reach.
initializes: erc1967
initializes: uups[erc1967 := erc1967]
initializes: ownable
initializes: erc20[ownable := ownable]
initializes: access_control
initializes: pausable
initializes: checkpoints
initializes: votes[checkpoints := checkpoints, eip712_domain_separator := eip712_domain_separator, erc20 := erc20]
initializes: reward_pool[erc20 := erc20]

implements: IERC20
implements: IERC20Detailed
implements: IERC20Permit
implements: IERC5267
implements: IERC5805
implements: IERC165
implements: IAccessControl

# erc20's owner, minters and unvoted transfers stay inside.
exports: (
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)
exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
    access_control.supportsInterface,
)
exports: pausable.paused
exports: (
    votes.clock,
    votes.CLOCK_MODE,
    votes.delegates,
    votes.getVotes,
    votes.getPastVotes,
    votes.getPastTotalSupply,
)
exports: (
    reward_pool.totalStaked,
    reward_pool.stakedBalance,
    reward_pool.rewardRate,
    reward_pool.maximumRewardRate,
    reward_pool.pendingRewards,
    reward_pool.rewardsRemaining,
    reward_pool.rewardsRunway,
)
exports: (
    uups.proxiableUUID,
    uups.UPGRADE_INTERFACE_VERSION,
)


MINTER_ROLE: public(constant(bytes32)) = keccak256("MINTER_ROLE")
PAUSER_ROLE: public(constant(bytes32)) = keccak256("PAUSER_ROLE")
UPGRADER_ROLE: public(constant(bytes32)) = keccak256("UPGRADER_ROLE")

# Also the name of the EIP-712 domain, which is the code's: another one would void signatures and confuse wallets.
NAME: constant(String[50]) = "Spark"

INITIAL_SUPPLY: constant(uint256) = 100_000_000 * 10**18
# Below it no arithmetic of staking overflows, which would hold stakes back.
maximumSupply: public(constant(uint256)) = 2**112 - 1
# A tenth of a token a second: 3.15 million a year.
INITIAL_REWARD_RATE: constant(uint256) = 10**17

# In the proxy's storage: an immutable would be the implementation's.
name: public(String[50])
symbol: public(String[10])


@deploy
def __init__():
    """
    @notice Makes an implementation that cannot be initialised and has no administrator. Emits Initialized,
            OwnershipTransferred, RoleMinterChanged, RoleGranted and RoleRevoked, all of them about itself alone.
    """
    uups.__init__()
    ownable.__init__()
    erc20.__init__("", "", 18, NAME, "1")
    access_control.__init__()
    access_control._revoke_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    pausable.__init__()


@external
def initialize(admin: address, upgrader: address, holder: address):
    """
    @notice Mints the initial supply and gives the roles, once. The proxy's creation calls it. Emits Initialized,
            RoleGranted, RoleAdminChanged, RewardRateUpdated and Transfer. Reverts with "uups: already initialised",
            "spark: admin is the zero address", "spark: upgrader is the zero address" or "erc20: mint to the zero
            address".
    @param admin DEFAULT_ADMIN, MINTER and PAUSER.
    @param upgrader UPGRADER, which alone gives that role on: a timelock.
    @param holder Who receives 100 000 000 SPARK.
    """
    uups._initialize(1)
    assert admin != empty(address), "spark: admin is the zero address"
    assert upgrader != empty(address), "spark: upgrader is the zero address"

    self.name = NAME
    self.symbol = "SPARK"
    access_control._grant_role(access_control.DEFAULT_ADMIN_ROLE, admin)
    access_control._grant_role(MINTER_ROLE, admin)
    access_control._grant_role(PAUSER_ROLE, admin)
    # Otherwise the administrator could make itself upgrader, past the timelock.
    access_control._set_role_admin(UPGRADER_ROLE, UPGRADER_ROLE)
    access_control._grant_role(UPGRADER_ROLE, upgrader)
    reward_pool._set_reward_rate(INITIAL_REWARD_RATE)
    self._mint(holder, INITIAL_SUPPLY)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves the caller's tokens and their votes. Emits Transfer, and DelegateVotesChanged where votes move.
            Reverts with "pausable: contract is paused", "erc20: transfer to the zero address" or "erc20: transfer
            amount exceeds balance".
    @param to The receiver.
    @param amount Token wei.
    @return True.
    """
    self._transfer(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves tokens of `owner` and their votes out of the caller's allowance. Emits Approval, unless the allowance
            is endless, Transfer, and DelegateVotesChanged where votes move. Reverts as `transfer` does, or with
            "erc20: insufficient allowance".
    @param owner Whose tokens.
    @param to The receiver.
    @param amount Token wei.
    @return True.
    """
    erc20._spend_allowance(owner, msg.sender, amount)
    self._transfer(owner, to, amount)
    return True


@external
def mint(to: address, amount: uint256):
    """
    @notice Creates tokens. MINTER only. Emits Transfer from the zero address, and DelegateVotesChanged where the
            receiver delegates. Reverts with "access_control: account is missing role", "pausable: contract is
            paused", "erc20: mint to the zero address" or "spark: supply too large".
    @param to The receiver.
    @param amount Token wei.
    """
    access_control._check_role(MINTER_ROLE, msg.sender)
    pausable._require_not_paused()
    self._mint(to, amount)


@external
def burn(amount: uint256):
    """
    @notice Destroys tokens of the caller. Emits Transfer to the zero address, and DelegateVotesChanged where the
            caller delegates. Reverts with "pausable: contract is paused" or "erc20: burn amount exceeds balance".
    @param amount Token wei.
    """
    self._burn(msg.sender, amount)


@external
def burnFrom(account: address, amount: uint256):
    """
    @notice Destroys tokens of `account` out of the caller's allowance. Emits Approval, unless the allowance is
            endless, and what `burn` does. Reverts as `burn` does, or with "erc20: insufficient allowance".
    @param account Whose tokens.
    @param amount Token wei.
    """
    erc20._spend_allowance(account, msg.sender, amount)
    self._burn(account, amount)


@external
def delegate(delegatee: address):
    """
    @notice Gives the caller's votes, for its balance and its stake, to `delegatee`: itself, another or, to silence
            them, the zero address. Emits DelegateChanged, and DelegateVotesChanged where votes move.
    @param delegatee Who votes from now on.
    """
    votes._delegate(msg.sender, delegatee, self._units_of(msg.sender))


@external
def delegateBySig(delegatee: address, nonce: uint256, expiry: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice `delegate` for who signed (EIP-712); anybody may send it. The nonces are permit's. Emits what `delegate`
            does. Reverts with "votes: signature expired", "votes: invalid nonce", "ecdsa: invalid signature" or
            "ecdsa: invalid signature `s` value".
    @param delegatee Who votes from now on.
    @param nonce The signer's present nonce.
    @param expiry The last moment, in unix seconds.
    @param v The signature's recovery identifier.
    @param r The signature's first half.
    @param s The signature's second half, the low one of the two that verify.
    """
    delegator: address = votes._recover_delegator(delegatee, nonce, expiry, v, r, s)
    votes._delegate(delegator, delegatee, self._units_of(delegator))


@external
def stake(amount: uint256):
    """
    @notice Stakes tokens of the caller, which keep their votes. Emits Transfer to this contract and TokensStaked.
            Reverts with "pausable: contract is paused", "staking: amount is zero" or "erc20: transfer amount exceeds
            balance".
    @param amount Token wei.
    """
    pausable._require_not_paused()
    reward_pool._stake(msg.sender, amount)


@external
def unstake(amount: uint256):
    """
    @notice Gives the caller's stake back, at any time and also while paused; rewards stay to be claimed.
            Emits Transfer from this contract and TokensUnstaked.
            Reverts with "staking: amount is zero" or "staking: amount exceeds stake".
    @param amount Token wei.
    """
    reward_pool._unstake(msg.sender, amount)


@external
def claimRewards():
    """
    @notice Pays the caller's pending rewards. Emits Transfer from this contract, RewardsClaimed, and
            DelegateVotesChanged where the caller delegates.
            Reverts with "pausable: contract is paused" or "staking: no rewards due".
    """
    pausable._require_not_paused()
    reward: uint256 = reward_pool._claim(msg.sender)
    votes._move_units(self, msg.sender, reward)


@external
def fundRewards(amount: uint256):
    """
    @notice Gives tokens of the caller to the stakers, for good: they prolong the rewards at the same rate. Anybody
            may. Emits Transfer to this contract, RewardsFunded, and DelegateVotesChanged where the caller delegates.
            Reverts with "pausable: contract is paused", "staking: amount is zero" or "erc20: transfer amount exceeds
            balance".
    @param amount Token wei.
    """
    pausable._require_not_paused()
    reward_pool._fund(msg.sender, amount)
    votes._move_units(msg.sender, self, amount)


@external
def setRewardRate(rate: uint256):
    """
    @notice Changes what stakers share from now on. DEFAULT_ADMIN only. Emits RewardRateUpdated.
            Reverts with "access_control: account is missing role" or "staking: reward rate too high".
    @param rate Token wei a second, at most `maximumRewardRate`.
    """
    access_control._check_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    reward_pool._set_reward_rate(rate)


@external
def pause():
    """
    @notice Stops transfers, minting, burning, staking, claiming and funding. Unstaking, approvals and delegation go
            on. PAUSER only. Emits Paused.
            Reverts with "access_control: account is missing role" or "pausable: contract is paused".
    """
    access_control._check_role(PAUSER_ROLE, msg.sender)
    pausable._pause()


@external
def unpause():
    """
    @notice Ends a pause. PAUSER only. Emits Unpaused.
            Reverts with "access_control: account is missing role" or "pausable: contract is not paused".
    """
    access_control._check_role(PAUSER_ROLE, msg.sender)
    pausable._unpause()


@external
@reentrant
def upgradeToAndCall(newImplementation: address, data: Bytes[1_024]):
    """
    @notice Replaces the code behind the proxy and, in the same transaction, calls it. UPGRADER only. Takes no coin.
            Emits Upgraded and what the call emits. Reverts with "uups: not called through a proxy", "access_control:
            account is missing role", "uups: implementation is not UUPS" or the call's reason.
    @dev Without the re-entrancy lock, which the call takes; nothing here is left to do after it.
    @param newImplementation Which must upgrade through the same slot.
    @param data The call that migrates the storage; empty for none.
    """
    uups._check_proxy()
    access_control._check_role(UPGRADER_ROLE, msg.sender)
    uups._upgrade_to_and_call(newImplementation, data)


@internal
def _transfer(owner: address, to: address, amount: uint256):
    pausable._require_not_paused()
    erc20._transfer(owner, to, amount)
    votes._move_units(owner, to, amount)


@internal
def _mint(to: address, amount: uint256):
    erc20._mint(to, amount)
    assert erc20.totalSupply <= maximumSupply, "spark: supply too large"
    votes._mint_units(to, amount)


@internal
def _burn(owner: address, amount: uint256):
    pausable._require_not_paused()
    erc20._burn(owner, amount)
    votes._burn_units(owner, amount)


@internal
@view
def _units_of(account: address) -> uint256:
    return erc20.balanceOf[account] + reward_pool.stakedBalance[account]
