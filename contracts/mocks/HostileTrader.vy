# pragma version 0.4.3
# pragma evm-version cancun
"""
@title HostileTrader
@license Apache-2.0
@notice For tests: a contract that calls anything and, whenever it is given a token or a coin, refuses it, passes it on
        or calls back.
"""

refuses: public(bool)
answersWrongly: public(bool)
reentries: public(uint256)
reentrySucceeded: public(bool)
reentryGaveReason: public(bool)
_target: address
_data: Bytes[1_024]


@external
@payable
def __default__():
    """
    @notice Takes the native coin, unless told to refuse it.
    """
    self._called_back()


@external
def onERC721Received(operator: address, sender: address, tokenId: uint256, data: Bytes[1_024]) -> bytes4:
    """
    @notice Takes a token, unless told to refuse it.
    @param operator Who transfers.
    @param sender Who held the token.
    @param tokenId The token.
    @param data What came with it.
    @return The answer that accepts the token, or another one.
    """
    self._called_back()
    if self.answersWrongly:
        return 0xFFFFFFFF
    return method_id("onERC721Received(address,address,uint256,bytes)", output_type=bytes4)


@external
def onTokensMoved():
    """
    @notice The hook of CallbackToken.
    """
    self._called_back()


@external
@payable
def execute(target: address, data: Bytes[1_024]):
    """
    @notice Calls `target` with `data` and the value sent, and reverts as it does.
    @param target Whom to call.
    @param data The calldata.
    """
    raw_call(target, data, value=msg.value)


@external
def refuse(refuses: bool):
    """
    @notice Refuses everything from now on, or takes it again.
    @param refuses Whether to refuse.
    """
    self.refuses = refuses


@external
def answerWrongly(wrongly: bool):
    """
    @notice Answers onERC721Received with nonsense from now on, or as it should.
    @param wrongly Whether to.
    """
    self.answersWrongly = wrongly


@external
def reenter(target: address, data: Bytes[1_024]):
    """
    @notice Calls `target` with `data` at every callback.
    @param target Whom to call; the zero address stops it.
    @param data The calldata.
    """
    self._target = target
    self._data = data


@internal
def _called_back():
    assert not self.refuses, "hostile: refused"
    if self._target != empty(address):
        self.reentries += 1
        answer: Bytes[32] = b""
        self.reentrySucceeded, answer = raw_call(self._target, self._data, max_outsize=32, revert_on_failure=False)
        self.reentryGaveReason = not self.reentrySucceeded and len(answer) > 0
