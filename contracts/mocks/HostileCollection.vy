# pragma version 0.4.3
# pragma evm-version cancun
"""
@title HostileCollection
@license Apache-2.0
@notice For tests: an ERC-721 that answers royaltyInfo with anything, stops, fakes or seizes transfers, and calls back
        while a token moves.
"""

from ..modules import editions

initializes: editions

exports: (
    editions.getApproved,
    editions.isApprovedForAll,
    editions.approve,
    editions.setApprovalForAll,
)

flag Behaviour:
    ROYALTY_REVERTS
    ROYALTY_BURNS_GAS
    ROYALTY_IS_ENDLESS
    TRANSFERS_STOP
    TRANSFERS_DO_NOTHING
    BALANCES_REVERT


reentries: public(uint256)
reentrySucceeded: public(bool)
reentryGaveReason: public(bool)
_behaviour: Behaviour
_royalty_answer: Bytes[96]
_seized: HashMap[uint256, address]
_target: address
_data: Bytes[1_024]


@deploy
def __init__():
    """
    @notice Behaves well until it is told otherwise.
    """
    editions.__init__("Hostile", "HOST")


@external
def mint(to: address, tokenId: uint256):
    """
    @notice Gives anybody a token.
    @param to Whom.
    @param tokenId A new token.
    """
    editions._mint(to, tokenId)


@external
def behave(behaviour: uint256):
    """
    @notice Changes how it misbehaves.
    @param behaviour Sum of 1: royaltyInfo reverts with its answer, 2: burns its gas, 4: answers with 64 KiB, 8: transfers stop,
           16: transfers do nothing, 32: balances cannot be read.
    """
    self._behaviour = convert(behaviour, Behaviour)


@external
def answerRoyaltyWith(answer: Bytes[96]):
    """
    @notice Changes what royaltyInfo returns.
    @param answer The raw return data.
    """
    self._royalty_answer = answer


@external
def seize(tokenId: uint256, to: address):
    """
    @notice Takes a token away from its holder.
    @param tokenId The token.
    @param to Who is its owner from now on.
    """
    self._seized[tokenId] = to


@external
def reenter(target: address, data: Bytes[1_024]):
    """
    @notice Calls `target` with `data` at every transfer.
    @param target Whom to call.
    @param data The calldata.
    """
    self._target = target
    self._data = data


@external
def transferFrom(owner: address, to: address, tokenId: uint256):
    """
    @notice Transfers a token, in its own way.
    @param owner The present holder.
    @param to The receiver.
    @param tokenId The token.
    """
    assert Behaviour.TRANSFERS_STOP not in self._behaviour, "hostile: transfers stopped"
    if self._target != empty(address):
        self.reentries += 1
        answer: Bytes[32] = b""
        self.reentrySucceeded, answer = raw_call(self._target, self._data, max_outsize=32, revert_on_failure=False)
        self.reentryGaveReason = not self.reentrySucceeded and len(answer) > 0
    if Behaviour.TRANSFERS_DO_NOTHING not in self._behaviour:
        editions._transfer_by_caller(owner, to, tokenId)


@external
@view
def balanceOf(owner: address) -> uint256:
    """
    @notice How many tokens `owner` holds, unless balances cannot be read.
    @param owner The holder.
    @return The number of tokens.
    """
    assert Behaviour.BALANCES_REVERT not in self._behaviour, "hostile: no balances"
    return editions._held_of_series(owner, 0)


@external
@view
def ownerOf(tokenId: uint256) -> address:
    """
    @notice Who holds a token.
    @param tokenId The token.
    @return Who seized it, or else its owner.
    """
    if self._seized[tokenId] != empty(address):
        return self._seized[tokenId]
    return editions._owner_of(tokenId)


@external
@view
@raw_return
def royaltyInfo(tokenId: uint256, salePrice: uint256) -> Bytes[65_536]:
    """
    @notice Answers as it was told to.
    @param tokenId Any token.
    @param salePrice Any price.
    @return Raw return data.
    """
    if Behaviour.ROYALTY_REVERTS in self._behaviour:
        raw_revert(self._royalty_answer)
    if Behaviour.ROYALTY_BURNS_GAS in self._behaviour:
        for i: uint256 in range(max_value(uint256)):
            assert keccak256(convert(i, bytes32)) != empty(bytes32)
    if Behaviour.ROYALTY_IS_ENDLESS in self._behaviour:
        return abi_encode(empty(uint256[2_048]))
    return self._royalty_answer
