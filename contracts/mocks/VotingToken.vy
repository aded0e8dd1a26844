# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title VotingToken
@license Apache-2.0
@notice For tests: the votes module over snekmate's erc20 and the staking module, and minting by anybody.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20
from snekmate.utils import eip712_domain_separator

from ..interfaces import IERC5805
from ..modules import checkpoints
from ..modules import staking
from ..modules import votes

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: staking[erc20 := erc20]
initializes: checkpoints
initializes: votes[checkpoints := checkpoints, eip712_domain_separator := eip712_domain_separator, erc20 := erc20]

implements: IERC5805

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
# Staking moves tokens past the votes: they stay the staker's.
exports: (
    staking.stake,
    staking.stakingInfo,
    staking.calculateRewards,
    staking.totalStaked,
)
exports: (
    votes.clock,
    votes.CLOCK_MODE,
    votes.delegates,
    votes.getVotes,
    votes.getPastVotes,
    votes.getPastTotalSupply,
)


@deploy
def __init__(supply: uint256):
    """
    @notice Mints `supply` token wei to the deployer.
    """
    ownable.__init__()
    erc20.__init__("", "", 18, "Voting Token", "1")
    staking.__init__(2 * supply)
    self._mint(msg.sender, supply)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves tokens and their votes.
    """
    self._transfer(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves tokens of `owner` and their votes.
    """
    erc20._spend_allowance(owner, msg.sender, amount)
    self._transfer(owner, to, amount)
    return True


@external
def mint(receiver: address, amount: uint256):
    """
    @notice Creates tokens and their votes. Anybody.
    """
    self._mint(receiver, amount)


@external
def burn(amount: uint256):
    """
    @notice Destroys tokens and their votes.
    """
    erc20._burn(msg.sender, amount)
    votes._burn_units(msg.sender, amount)


@external
def claimRewards():
    """
    @notice Mints what a stake earned, with its votes.
    """
    reward: uint256 = staking._collect(msg.sender)
    votes._mint_units(msg.sender, reward)


@external
def unstake():
    """
    @notice Gives a stake back, with what it earned.
    """
    supply: uint256 = erc20.totalSupply
    staking._unstake(msg.sender)
    votes._mint_units(msg.sender, erc20.totalSupply - supply)


@external
def delegate(delegatee: address):
    """
    @notice Gives the votes of balance and stake to `delegatee`.
    """
    votes._delegate(msg.sender, delegatee, self._units_of(msg.sender))


@external
def delegateBySig(delegatee: address, nonce: uint256, expiry: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice `delegate` for who signed.
    """
    delegator: address = votes._recover_delegator(delegatee, nonce, expiry, v, r, s)
    votes._delegate(delegator, delegatee, self._units_of(delegator))


@internal
def _transfer(owner: address, to: address, amount: uint256):
    erc20._transfer(owner, to, amount)
    votes._move_units(owner, to, amount)


@internal
def _mint(receiver: address, amount: uint256):
    erc20._mint(receiver, amount)
    votes._mint_units(receiver, amount)


@internal
@view
def _units_of(account: address) -> uint256:
    return staking._units_of(account)
