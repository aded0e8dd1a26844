# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title CreatorTimelock
@license Apache-2.0
@notice Holds what a governor decides over, and does what the governor decided only after a delay, in which whoever
        disagrees can leave. snekmate's timelock behind the ABI of OpenZeppelin's TimelockController.
@dev Batches are bounded to ten calls here, and those of ERC-1155 tokens to fifty: snekmate's own, of 255 and 65 535,
     reserve memory that costs more than the work, or than a block has. Operation identifiers are the same as theirs.
@custom:kill CANCELLER stops an operation that waits; nothing stops the timelock.
"""

from ethereum.ercs import IERC165
from snekmate.auth import access_control
from snekmate.auth.interfaces import IAccessControl
from snekmate.governance import timelock_controller
from snekmate.tokens.interfaces import IERC721Receiver

from ..interfaces import ICreatorTimelock

initializes: access_control
initializes: timelock_controller[access_control := access_control]

implements: IERC165
implements: IERC721Receiver
implements: IAccessControl
implements: ICreatorTimelock

exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
)
exports: (
    timelock_controller.PROPOSER_ROLE,
    timelock_controller.EXECUTOR_ROLE,
    timelock_controller.CANCELLER_ROLE,
    timelock_controller.__default__,
    timelock_controller.supportsInterface,
    timelock_controller.onERC721Received,
    timelock_controller.onERC1155Received,
    timelock_controller.schedule,
    timelock_controller.execute,
    timelock_controller.cancel,
)


# snekmate's MinimumDelayChange is another name for it, which OpenZeppelin's readers do not know: both are emitted.
event MinDelayChange:
    oldDuration: uint256
    newDuration: uint256


# States of an operation, as OpenZeppelin counts them.
UNSET: constant(uint8) = 0
WAITING: constant(uint8) = 1
READY: constant(uint8) = 2
DONE: constant(uint8) = 3

# What a governor's proposal may hold.
MAXIMUM_CALLS: constant(uint256) = 10
MAXIMUM_PAYLOAD: constant(uint256) = 1_024

MAXIMUM_TOKENS: constant(uint256) = 50

# Seconds. Long enough to leave after a decision, short enough to act at all.
minimumMinDelay: public(constant(uint256)) = 3_600
maximumMinDelay: public(constant(uint256)) = 30 * 86_400


@deploy
def __init__(
    minDelay: uint256, proposers: DynArray[address, 8], executors: DynArray[address, 8], admin: address
):
    """
    @notice Makes the timelock its own administrator. Emits RoleGranted, RoleRevoked, MinimumDelayChange and
            MinDelayChange.
            Reverts with "timelock: delay out of bounds".
    @param minDelay Seconds from a decision to its execution, at least.
    @param proposers Receive PROPOSER and CANCELLER.
    @param executors Receive EXECUTOR; the zero address lets anybody execute.
    @param admin A second administrator, to give a governor its roles and then renounce; the zero address for none.
    """
    self._check_delay(minDelay)
    access_control.__init__()
    timelock_controller.__init__(minDelay, proposers, executors, admin)
    log MinDelayChange(oldDuration=0, newDuration=minDelay)


@external
def scheduleBatch(
    targets: DynArray[address, MAXIMUM_CALLS],
    amounts: DynArray[uint256, MAXIMUM_CALLS],
    payloads: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    predecessor: bytes32,
    salt: bytes32,
    delay: uint256,
):
    """
    @notice Schedules calls that are made together or not at all. PROPOSER only. Emits CallScheduled for each, and
            CallSalt unless the salt is zero. Reverts with "access_control: account is missing role", "timelock:
            length mismatch", "timelock_controller: operation already scheduled" or "timelock_controller: insufficient
            delay".
    @param targets The contracts to call.
    @param amounts Native wei for each.
    @param payloads Calldata for each, at most 1 024 bytes.
    @param predecessor An operation that must be done before; zero for none.
    @param salt Tells operations with the same calls apart.
    @param delay Seconds, at least the minimum.
    """
    access_control._check_role(timelock_controller.PROPOSER_ROLE, msg.sender)
    self._check_lengths(len(targets), len(amounts), len(payloads))
    id: bytes32 = keccak256(abi_encode(targets, amounts, payloads, predecessor, salt))
    timelock_controller._schedule(id, delay)
    for i: uint256 in range(len(targets), bound=MAXIMUM_CALLS):
        log timelock_controller.CallScheduled(
            id=id,
            index=i,
            target=targets[i],
            amount=amounts[i],
            payload=payloads[i],
            predecessor=predecessor,
            delay=delay,
        )
    if salt != empty(bytes32):
        log timelock_controller.CallSalt(id=id, salt=salt)


@external
@payable
@reentrant
def executeBatch(
    targets: DynArray[address, MAXIMUM_CALLS],
    amounts: DynArray[uint256, MAXIMUM_CALLS],
    payloads: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    predecessor: bytes32,
    salt: bytes32,
):
    """
    @notice Makes the calls of an operation whose delay is over. EXECUTOR only, or anybody where the zero address has
            that role. Emits CallExecuted for each. Reverts with "access_control: account is missing role", "timelock:
            length mismatch", "timelock_controller: operation is not ready", "timelock_controller: missing dependency"
            or the reason of a call.
    @dev Open to re-entrance: operations call the timelock itself, to change its delay or its roles. An operation that
         executes itself fails, for it is checked to be ready once more after the calls.
    @param targets The contracts to call.
    @param amounts Native wei for each, out of what the timelock holds and is sent.
    @param payloads Calldata for each.
    @param predecessor As it was scheduled.
    @param salt As it was scheduled.
    """
    timelock_controller._only_role_or_open_role(timelock_controller.EXECUTOR_ROLE)
    self._check_lengths(len(targets), len(amounts), len(payloads))
    id: bytes32 = keccak256(abi_encode(targets, amounts, payloads, predecessor, salt))
    timelock_controller._before_call(id, predecessor)
    for i: uint256 in range(len(targets), bound=MAXIMUM_CALLS):
        timelock_controller._execute(targets[i], amounts[i], payloads[i])
        log timelock_controller.CallExecuted(
            id=id, index=i, target=targets[i], amount=amounts[i], payload=payloads[i]
        )
    timelock_controller._after_call(id)


@external
def updateDelay(newDelay: uint256):
    """
    @notice Changes the minimum delay of what is scheduled from now on. The timelock itself only, through an operation.
            Emits MinimumDelayChange and MinDelayChange.
            Reverts with "timelock: caller is not the timelock" or "timelock: delay out of bounds".
    @param newDelay Seconds.
    """
    assert msg.sender == self, "timelock: caller is not the timelock"
    self._check_delay(newDelay)
    old_delay: uint256 = timelock_controller.get_minimum_delay
    log timelock_controller.MinimumDelayChange(old_duration=old_delay, new_duration=newDelay)
    log MinDelayChange(oldDuration=old_delay, newDuration=newDelay)
    timelock_controller.get_minimum_delay = newDelay


@external
def onERC1155BatchReceived(
    operator: address,
    owner: address,
    ids: DynArray[uint256, MAXIMUM_TOKENS],
    amounts: DynArray[uint256, MAXIMUM_TOKENS],
    data: Bytes[MAXIMUM_PAYLOAD],
) -> bytes4:
    """
    @notice Takes a batch of ERC-1155 tokens.
    @param operator Who sends them.
    @param owner Whose they were.
    @param ids Which, at most 50.
    @param amounts How many of each.
    @param data At most 1 024 bytes.
    @return This function's selector.
    """
    return timelock_controller.IERC1155_TOKENRECEIVER_BATCH_SELECTOR


@external
@view
def getMinDelay() -> uint256:
    """
    @notice The shortest time from scheduling to execution.
    @return Seconds.
    """
    return timelock_controller.get_minimum_delay


@external
@view
def getTimestamp(id: bytes32) -> uint256:
    """
    @notice When an operation can be executed.
    @param id The operation.
    @return Unix seconds; 0 if it is not scheduled, 1 if it is done.
    """
    return timelock_controller.get_timestamp[id]


@external
@view
def isOperation(id: bytes32) -> bool:
    """
    @notice Whether an operation was scheduled and not cancelled.
    @param id The operation.
    @return True also once it is done.
    """
    return timelock_controller._is_operation(id)


@external
@view
def isOperationPending(id: bytes32) -> bool:
    """
    @notice Whether an operation waits to be executed.
    @param id The operation.
    @return True also once its delay is over.
    """
    return timelock_controller._is_operation_pending(id)


@external
@view
def isOperationReady(id: bytes32) -> bool:
    """
    @notice Whether an operation can be executed now.
    @param id The operation.
    @return True once its delay is over.
    """
    return timelock_controller._is_operation_ready(id)


@external
@view
def isOperationDone(id: bytes32) -> bool:
    """
    @notice Whether an operation was executed.
    @param id The operation.
    @return True once it is done.
    """
    return timelock_controller._is_operation_done(id)


@external
@view
def getOperationState(id: bytes32) -> uint8:
    """
    @notice Where an operation stands.
    @param id The operation.
    @return 0 unset, 1 waiting, 2 ready, 3 done.
    """
    if timelock_controller._is_operation_done(id):
        return DONE
    if timelock_controller._is_operation_ready(id):
        return READY
    return WAITING if timelock_controller._is_operation(id) else UNSET


@external
@pure
def hashOperation(
    target: address, amount: uint256, payload: Bytes[MAXIMUM_PAYLOAD], predecessor: bytes32, salt: bytes32
) -> bytes32:
    """
    @notice The identifier of an operation of one call.
    @param target The contract to call.
    @param amount Native wei.
    @param payload Calldata.
    @param predecessor An operation that must be done before; zero for none.
    @param salt Tells operations with the same call apart.
    @return The identifier.
    """
    return timelock_controller._hash_operation(target, amount, payload, predecessor, salt)


@external
@pure
def hashOperationBatch(
    targets: DynArray[address, MAXIMUM_CALLS],
    amounts: DynArray[uint256, MAXIMUM_CALLS],
    payloads: DynArray[Bytes[MAXIMUM_PAYLOAD], MAXIMUM_CALLS],
    predecessor: bytes32,
    salt: bytes32,
) -> bytes32:
    """
    @notice The identifier of an operation of several calls.
    @param targets The contracts to call.
    @param amounts Native wei for each.
    @param payloads Calldata for each.
    @param predecessor An operation that must be done before; zero for none.
    @param salt Tells operations with the same calls apart.
    @return The identifier.
    """
    return keccak256(abi_encode(targets, amounts, payloads, predecessor, salt))


@internal
@pure
def _check_lengths(targets: uint256, amounts: uint256, payloads: uint256):
    assert targets == amounts and targets == payloads, "timelock: length mismatch"


@internal
@pure
def _check_delay(delay: uint256):
    assert delay >= minimumMinDelay and delay <= maximumMinDelay, "timelock: delay out of bounds"
