# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Votes of a token
@license Apache-2.0
@notice ERC-5805 voting with the clock of ERC-6372 in unix seconds. Whoever delegates, to itself or to another, gives
        its units a voice; past votes and past supply are checkpointed and found in O(log n).
@dev Units are what the deployable says they are, the balance and what is staked: it calls `_move_units`,
     `_mint_units` and `_burn_units` after tokens changed hands, and not when they only went into a stake or came
     back, so that staked tokens keep their votes. It offers `delegate` and `delegateBySig` over `_delegate`, to
     which it tells the delegator's units. EIP-712 domain and nonces are the ones of erc20's permit.
     The slot that every transfer reads has room for a tag of 48 bits, for whatever else a deployable must know of an
     account at every transfer.
"""

from snekmate.tokens import erc20
from snekmate.utils import ecdsa
from snekmate.utils import eip712_domain_separator

from ..interfaces import IERC5805
from . import checkpoints

uses: checkpoints
uses: eip712_domain_separator
uses: erc20


CLOCK_MODE: public(constant(String[14])) = "mode=timestamp"

DELEGATION_TYPE_HASH: constant(bytes32) = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)")

ADDRESS_BITS: constant(uint256) = 160
ADDRESS_MASK: constant(uint256) = 2**160 - 1
# A checkpoint a second fills it after nine million years.
LENGTH_MASK: constant(uint256) = 2**48 - 1
TAG_SHIFT: constant(uint256) = 208
UNTAGGED_MASK: constant(uint256) = 2**208 - 1

# An account's history is its address; no address is this long.
SUPPLY_HISTORY: constant(uint256) = 2**160

# account -> its delegate (low 160 bits), the length of the history of the votes that it received (48) and its tag (48):
# who delegates to itself, as most do, reads and writes one slot for all.
_accounts: HashMap[address, uint256]

_supply_history_length: uint256


@external
@view
def clock() -> uint48:
    """
    @notice The present timepoint (ERC-6372).
    @return Unix seconds.
    """
    return convert(block.timestamp, uint48)


@external
@view
def delegates(account: address) -> address:
    """
    @notice Who votes with the units of `account`.
    @param account The delegator.
    @return The delegate; the zero address where the units are silent.
    """
    return self._delegate_of(account)


@external
@view
def getVotes(account: address) -> uint256:
    """
    @notice The votes of `account` now. Decide nothing by them: they can be borrowed for one transaction.
    @param account The delegate.
    @return Units delegated to it, in token wei.
    """
    return checkpoints._latest(self._history_of(account), self._history_length_of(account))


@external
@view
def getPastVotes(account: address, timepoint: uint256) -> uint256:
    """
    @notice The votes of `account` at the end of a past second. Reverts with "votes: timepoint not in the past".
    @param account The delegate.
    @param timepoint Unix seconds, before now.
    @return Units that were delegated to it, in token wei.
    """
    self._check_past(timepoint)
    return checkpoints._at(self._history_of(account), self._history_length_of(account), timepoint)


@external
@view
def getPastTotalSupply(timepoint: uint256) -> uint256:
    """
    @notice The total supply at the end of a past second, delegated or not.
            Reverts with "votes: timepoint not in the past".
    @param timepoint Unix seconds, before now.
    @return Token wei.
    """
    self._check_past(timepoint)
    return checkpoints._at(SUPPLY_HISTORY, self._supply_history_length, timepoint)


@internal
def _delegate(delegator: address, delegatee: address, units: uint256):
    """
    @dev Gives the votes of `delegator` to `delegatee`; the zero address silences them. Emits DelegateChanged, and
         DelegateVotesChanged for each account whose votes change.
    @param delegator Whose units.
    @param delegatee Who votes with them from now on.
    @param units All that `delegator` owns, staked or not, in token wei.
    """
    packed: uint256 = self._accounts[delegator]
    previous: address = convert(packed & ADDRESS_MASK, address)
    self._accounts[delegator] = packed & ~ADDRESS_MASK | convert(delegatee, uint256)
    log IERC5805.DelegateChanged(delegator=delegator, fromDelegate=previous, toDelegate=delegatee)
    self._move_votes(previous, delegatee, units)


@internal
def _recover_delegator(
    delegatee: address, nonce: uint256, expiry: uint256, v: uint8, r: bytes32, s: bytes32
) -> address:
    """
    @dev Uses up the nonce of a signed delegation (EIP-712). Reverts with "votes: signature expired", "votes: invalid
         nonce", "ecdsa: invalid signature `s` value" (the malleable half, EIP-2) or "ecdsa: invalid signature".
    @return Who signed.
    """
    assert block.timestamp <= expiry, "votes: signature expired"
    struct_hash: bytes32 = keccak256(abi_encode(DELEGATION_TYPE_HASH, delegatee, nonce, expiry))
    delegator: address = ecdsa._recover_vrs(
        eip712_domain_separator._hash_typed_data_v4(struct_hash),
        convert(v, uint256),
        convert(r, uint256),
        convert(s, uint256),
    )
    assert nonce == erc20.nonces[delegator], "votes: invalid nonce"
    erc20.nonces[delegator] = nonce + 1
    return delegator


@internal
def _move_units(sender: address, receiver: address, amount: uint256):
    """
    @dev To be called when `amount` token wei went from one owner to another. Emits DelegateVotesChanged.
    """
    # Not through `_delegate_of`: two calls fewer on every transfer.
    self._move_votes(
        convert(self._accounts[sender] & ADDRESS_MASK, address),
        convert(self._accounts[receiver] & ADDRESS_MASK, address),
        amount,
    )


@internal
def _mint_units(receiver: address, amount: uint256):
    """
    @dev To be called after `amount` token wei were minted. Emits DelegateVotesChanged.
    """
    self._checkpoint_supply()
    self._move_votes(empty(address), self._delegate_of(receiver), amount)


@internal
def _burn_units(owner: address, amount: uint256):
    """
    @dev To be called after `amount` token wei were burnt. Emits DelegateVotesChanged.
    """
    self._checkpoint_supply()
    self._move_votes(self._delegate_of(owner), empty(address), amount)


@internal
def _move_votes(source: address, destination: address, amount: uint256):
    if source == destination or amount == 0:
        return
    if source != empty(address):
        self._checkpoint_votes(source, 0, amount)
    if destination != empty(address):
        self._checkpoint_votes(destination, amount, 0)


@internal
def _checkpoint_votes(account: address, gained: uint256, lost: uint256):
    packed: uint256 = self._accounts[account]
    history: uint256 = self._history_of(account)
    length: uint256 = (packed >> ADDRESS_BITS) & LENGTH_MASK
    previous: uint256 = checkpoints._latest(history, length)
    votes: uint256 = previous + gained - lost
    if checkpoints._push(history, length, block.timestamp, votes) != length:
        self._accounts[account] = packed + (1 << ADDRESS_BITS)
    log IERC5805.DelegateVotesChanged(delegate=account, previousVotes=previous, newVotes=votes)


@internal
def _checkpoint_supply():
    # Fits in 208 bits or reverts, and with it every sum of votes.
    self._supply_history_length = checkpoints._push(
        SUPPLY_HISTORY, self._supply_history_length, block.timestamp, erc20.totalSupply
    )


@internal
@view
def _tag_of(account: address) -> uint256:
    return self._accounts[account] >> TAG_SHIFT


@internal
def _set_tag(account: address, tag: uint256):
    """
    @param tag At most 48 bits.
    """
    self._accounts[account] = (self._accounts[account] & UNTAGGED_MASK) | (tag << TAG_SHIFT)


@internal
@view
def _check_past(timepoint: uint256):
    # The present second can still change.
    assert timepoint < block.timestamp, "votes: timepoint not in the past"


@internal
@view
def _delegate_of(account: address) -> address:
    return convert(self._accounts[account] & ADDRESS_MASK, address)


@internal
@view
def _history_length_of(account: address) -> uint256:
    return (self._accounts[account] >> ADDRESS_BITS) & LENGTH_MASK


@internal
@pure
def _history_of(account: address) -> uint256:
    return convert(account, uint256)
