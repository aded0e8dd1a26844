# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Editions
@license Apache-2.0
@notice ERC-721 whose tokens come in series: a token's ID is its series in the upper 128 bits and its number within
        the series in the lower ones. Beside the balance it knows how many tokens of one series an account holds.
        No enumeration: indexers list tokens from the Transfer events.
@dev Not locked against re-entrancy, so that a receiver may pass on at once what it was just given: every function
     has finished its own work before it calls a receiver. Transfers refuse the native coin, as EIP-721 allows and
     OpenZeppelin does; Vyper's IERC721 insists on payable, so it is not declared as implemented.
"""

from ethereum.ercs import IERC721

from ..interfaces import IERC721Receiver


SERIES_SHIFT: constant(uint256) = 128
MAXIMUM_NUMBER: constant(uint256) = 2**128 - 1
MAXIMUM_COUNT: constant(uint256) = 2**64 - 1
COUNT_BITS: constant(uint256) = 64
ACCEPTED: constant(bytes4) = method_id("onERC721Received(address,address,uint256,bytes)", output_type=bytes4)

name: public(immutable(String[50]))
symbol: public(immutable(String[10]))

isApprovedForAll: public(HashMap[address, HashMap[address, bool]])

_owners: HashMap[uint256, address]
_approved: HashMap[uint256, address]
# holder -> balance (lower 64 bits), how many of them are of the favoured series (64), the favoured series (128): most
# holders have editions of one drop only, and pay for one slot.
_holdings: HashMap[address, uint256]
# holder -> series -> tokens that are not counted as the favoured series'.
_other_holdings: HashMap[address, HashMap[uint256, uint256]]


@deploy
def __init__(name_: String[50], symbol_: String[10]):
    """
    @param name_ The collection's name, at most 50 bytes.
    @param symbol_ The collection's symbol, at most 10 bytes.
    """
    name = name_
    symbol = symbol_


@external
@view
def balanceOf(owner: address) -> uint256:
    """
    @notice How many tokens `owner` holds. Reverts with "erc721: zero address is not a valid owner".
    @param owner The holder.
    @return The number of tokens.
    """
    assert owner != empty(address), "erc721: zero address is not a valid owner"
    return self._holdings[owner] & MAXIMUM_COUNT


@external
@view
def ownerOf(tokenId: uint256) -> address:
    """
    @notice Who holds a token. Reverts with "erc721: invalid token ID".
    @param tokenId The token.
    @return The holder.
    """
    return self._owner_of(tokenId)


@external
@view
def getApproved(tokenId: uint256) -> address:
    """
    @notice Who may transfer this one token beside its owner and the owner's operators.
            Reverts with "erc721: invalid token ID".
    @param tokenId The token.
    @return The approved account, or the zero address.
    """
    self._owner_of(tokenId)
    return self._approved[tokenId]


@external
def approve(spender: address, tokenId: uint256):
    """
    @notice Lets `spender` transfer a token until the token moves; the zero address withdraws that. The owner or its
            operators only. Emits Approval. Reverts with "erc721: invalid token ID" or "erc721: caller is not token
            owner or operator".
    @param spender Who may transfer the token.
    @param tokenId The token.
    """
    owner: address = self._owner_of(tokenId)
    assert (
        msg.sender == owner or self.isApprovedForAll[owner][msg.sender]
    ), "erc721: caller is not token owner or operator"
    self._approved[tokenId] = spender
    log IERC721.Approval(owner=owner, approved=spender, token_id=tokenId)


@external
def setApprovalForAll(operator: address, approved: bool):
    """
    @notice Lets `operator` transfer all the caller's tokens, now and later, or withdraws that. Emits ApprovalForAll.
            Reverts with "erc721: operator is the zero address".
    @param operator Who may transfer.
    @param approved Whether it may from now on.
    """
    assert operator != empty(address), "erc721: operator is the zero address"
    self.isApprovedForAll[msg.sender][operator] = approved
    log IERC721.ApprovalForAll(owner=msg.sender, operator=operator, approved=approved)


@external
def transferFrom(owner: address, to: address, tokenId: uint256):
    """
    @notice Transfers a token without asking the receiver. The owner, its operators and the token's approved account
            only. Emits Transfer. Reverts with "erc721: invalid token ID", "erc721: caller is not token owner or
            approved", "erc721: transfer from incorrect owner" or "erc721: transfer to the zero address".
    @param owner The present holder.
    @param to The receiver.
    @param tokenId The token.
    """
    self._transfer_by_caller(owner, to, tokenId)


@external
def safeTransferFrom(owner: address, to: address, tokenId: uint256, data: Bytes[1_024] = b""):
    """
    @notice Transfers a token; a receiver with code must accept it through onERC721Received. Emits and reverts as
            `transferFrom` does, besides with "erc721: receiver refused the token" or the receiver's own reason.
    @param owner The present holder.
    @param to The receiver.
    @param tokenId The token.
    @param data Handed to the receiver, at most 1 024 bytes.
    """
    self._transfer_by_caller(owner, to, tokenId)
    self._ask_receiver(owner, to, tokenId, data)


@internal
def _mint(to: address, token_id: uint256):
    """
    @dev `token_id` must be new: the deployable numbers tokens upwards. Whoever must not mint to a contract that
         cannot handle tokens calls `_ask_receiver` at the end.
    """
    assert to != empty(address), "erc721: mint to the zero address"
    self._owners[token_id] = to
    self._count_in(to, token_id >> SERIES_SHIFT)
    log IERC721.Transfer(sender=empty(address), receiver=to, token_id=token_id)


@internal
def _transfer_by_caller(owner: address, to: address, token_id: uint256):
    holder: address = self._owner_of(token_id)
    approved: address = self._approved[token_id]
    assert (
        msg.sender == holder or msg.sender == approved or self.isApprovedForAll[holder][msg.sender]
    ), "erc721: caller is not token owner or approved"
    assert holder == owner, "erc721: transfer from incorrect owner"
    assert to != empty(address), "erc721: transfer to the zero address"

    if approved != empty(address):
        self._approved[token_id] = empty(address)
    series: uint256 = token_id >> SERIES_SHIFT
    self._count_out(owner, series)
    self._count_in(to, series)
    self._owners[token_id] = to
    log IERC721.Transfer(sender=owner, receiver=to, token_id=token_id)


@internal
def _ask_receiver(sender: address, to: address, token_id: uint256, data: Bytes[1_024]):
    if to.is_contract:
        answer: bytes4 = extcall IERC721Receiver(to).onERC721Received(msg.sender, sender, token_id, data)
        assert answer == ACCEPTED, "erc721: receiver refused the token"


@internal
def _count_in(holder: address, series: uint256):
    holding: uint256 = self._holdings[holder] + 1
    favoured_count: uint256 = (holding >> COUNT_BITS) & MAXIMUM_COUNT
    if favoured_count == 0:
        # Nothing is counted for the favoured series: the place is free.
        holding = (holding & MAXIMUM_COUNT) | (1 << COUNT_BITS) | (series << (2 * COUNT_BITS))
    elif holding >> (2 * COUNT_BITS) == series:
        holding += 1 << COUNT_BITS
    else:
        self._other_holdings[holder][series] += 1
    self._holdings[holder] = holding


@internal
def _count_out(holder: address, series: uint256):
    holding: uint256 = self._holdings[holder] - 1
    favoured_count: uint256 = (holding >> COUNT_BITS) & MAXIMUM_COUNT
    if favoured_count > 0 and holding >> (2 * COUNT_BITS) == series:
        holding -= 1 << COUNT_BITS
    else:
        self._other_holdings[holder][series] -= 1
    # Who holds nothing favours no series: the cleared slot is paid back.
    self._holdings[holder] = holding if holding & MAXIMUM_COUNT > 0 else 0


@internal
@view
def _held_of_series(holder: address, series: uint256) -> uint256:
    """
    @return How many tokens of `series` the account holds.
    """
    holding: uint256 = self._holdings[holder]
    held: uint256 = self._other_holdings[holder][series]
    if holding >> (2 * COUNT_BITS) == series:
        held += (holding >> COUNT_BITS) & MAXIMUM_COUNT
    return held


@internal
@view
def _owner_of(token_id: uint256) -> address:
    owner: address = self._owners[token_id]
    assert owner != empty(address), "erc721: invalid token ID"
    return owner


@internal
@pure
def _token_id(series: uint256, number: uint256) -> uint256:
    return (series << SERIES_SHIFT) | number


@internal
@pure
def _series_of(token_id: uint256) -> uint256:
    return token_id >> SERIES_SHIFT


@internal
@pure
def _number_of(token_id: uint256) -> uint256:
    return token_id & MAXIMUM_NUMBER
