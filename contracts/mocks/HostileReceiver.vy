# pragma version 0.4.3
# pragma evm-version cancun
"""
@title HostileReceiver
@license Apache-2.0
@notice For tests: a contract that calls anything, and that refuses the native coin or calls back when it is paid.
"""

refuses: public(bool)
reentries: public(uint256)
reentrySucceeded: public(bool)
reentryGaveReason: public(bool)
_target: address
_data: Bytes[1_024]


@external
@payable
def __default__():
    """
    @notice Takes the native coin, unless told to refuse it, and first calls what `reenter` told it to.
    """
    assert not self.refuses, "hostile: refused"
    if self._target != empty(address):
        self.reentries += 1
        response: Bytes[32] = b""
        self.reentrySucceeded, response = raw_call(self._target, self._data, max_outsize=32, revert_on_failure=False)
        self.reentryGaveReason = len(response) > 0


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
    @notice Refuses the native coin from now on, or takes it again.
    @param refuses Whether to refuse.
    """
    self.refuses = refuses


@external
def reenter(target: address, data: Bytes[1_024]):
    """
    @notice Calls `target` with `data` whenever the native coin arrives.
    @param target Whom to call; the zero address stops it.
    @param data The calldata.
    """
    self._target = target
    self._data = data
