"""C17, CreatorTimelock: delays, roles, batches, and what it holds."""

from typing import Any

import ape
import pytest
from eth_utils.crypto import keccak

from tests.contracts.conftest import ZERO_ADDRESS, Actors
from tests.contracts.voting import pass_time

DAY = 86_400
HOUR = 3_600
PROPOSER = keccak(text="PROPOSER_ROLE")
EXECUTOR = keccak(text="EXECUTOR_ROLE")
CANCELLER = keccak(text="CANCELLER_ROLE")
DEFAULT_ADMIN = bytes(32)
NONE = bytes(32)
SALT = keccak(text="salt")
UNSET, WAITING, READY, DONE = range(4)
MISSING_ROLE = "access_control: account is missing role"


@pytest.fixture(scope="session")
def timelock(contracts: Any, actors: Actors) -> Any:
    """A timelock of a day: the creator proposes, anybody executes, the owner administers."""
    return actors.owner.deploy(contracts.CreatorTimelock, DAY, [actors.creator], [ZERO_ADDRESS], actors.owner)


@pytest.fixture(scope="session")
def wallet(contracts: Any, actors: Actors) -> Any:
    """Something to call."""
    return actors.owner.deploy(contracts.SmartWallet)


@pytest.fixture
def batch(timelock: Any, wallet: Any) -> tuple[Any, ...]:
    """Two calls of a wallet, with a salt and no predecessor."""
    return [wallet, wallet], [0, 0], [wallet.accept.encode_input(b"a"), wallet.accept.encode_input(b"b")], NONE, SALT


def execute(timelock: Any, *operation: Any, sender: Any, value: int = 0) -> Any:
    return timelock.invoke_transaction("execute", *operation, sender=sender, value=value)


def test_a_new_timelock_administers_itself(contracts: Any, actors: Actors) -> None:
    timelock = actors.owner.deploy(contracts.CreatorTimelock, DAY, [actors.creator], [actors.trader], ZERO_ADDRESS)

    assert timelock.getMinDelay() == DAY
    assert (timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE()) == (PROPOSER, EXECUTOR)
    assert (timelock.CANCELLER_ROLE(), timelock.DEFAULT_ADMIN_ROLE()) == (CANCELLER, DEFAULT_ADMIN)
    for role, account in (
        *((DEFAULT_ADMIN, timelock), (EXECUTOR, actors.trader)),
        *((PROPOSER, actors.creator), (CANCELLER, actors.creator)),
    ):
        assert timelock.hasRole(role, account)
    assert not timelock.hasRole(DEFAULT_ADMIN, actors.owner)
    assert timelock.creation_metadata.receipt.events[-2:] == [
        timelock.MinimumDelayChange(old_duration=0, new_duration=DAY),
        timelock.MinDelayChange(oldDuration=0, newDuration=DAY),
    ]


@pytest.mark.parametrize("delay", [0, HOUR - 1, 30 * DAY + 1])
def test_a_delay_is_an_hour_to_thirty_days(contracts: Any, actors: Actors, delay: int) -> None:
    with ape.reverts("timelock: delay out of bounds"):
        actors.owner.deploy(contracts.CreatorTimelock, delay, [], [], ZERO_ADDRESS)


def test_the_bounds_of_the_delay_are_readable(timelock: Any, actors: Actors) -> None:
    assert (timelock.minimumMinDelay(), timelock.maximumMinDelay()) == (HOUR, 30 * DAY)


def test_a_batch_is_scheduled_and_executed_after_its_delay(
    chain: Any, timelock: Any, batch: tuple[Any, ...], wallet: Any, actors: Actors
) -> None:
    operation = timelock.hashOperationBatch(*batch)
    assert timelock.getOperationState(operation) == UNSET

    scheduled = timelock.scheduleBatch(*batch, DAY, sender=actors.creator)

    assert scheduled.events == [
        *(
            timelock.CallScheduled(
                id=operation, index=index, target=wallet, amount=0, payload=payload, predecessor=NONE, delay=DAY
            )
            for index, payload in enumerate(batch[2])
        ),
        timelock.CallSalt(id=operation, salt=SALT),
    ]
    assert timelock.getTimestamp(operation) == scheduled.timestamp + DAY
    assert timelock.isOperation(operation)
    assert timelock.isOperationPending(operation)
    assert not timelock.isOperationReady(operation)
    assert timelock.getOperationState(operation) == WAITING
    with ape.reverts("timelock_controller: operation is not ready"):
        timelock.executeBatch(*batch, sender=actors.stranger)

    pass_time(chain, DAY)
    assert timelock.isOperationReady(operation)
    assert timelock.getOperationState(operation) == READY
    executed = timelock.executeBatch(*batch, sender=actors.stranger)

    assert executed.events == [
        timelock.CallExecuted(id=operation, index=index, target=wallet, amount=0, payload=payload)
        for index, payload in enumerate(batch[2])
    ]
    assert timelock.isOperationDone(operation)
    assert timelock.getOperationState(operation) == DONE
    assert timelock.isOperation(operation)
    assert not timelock.isOperationPending(operation)
    assert timelock.getTimestamp(operation) == 1
    with ape.reverts("timelock_controller: operation is not ready"):
        timelock.executeBatch(*batch, sender=actors.stranger)


def test_a_batch_without_salt_says_none(timelock: Any, wallet: Any, actors: Actors) -> None:
    receipt = timelock.scheduleBatch([wallet], [0], [b""], NONE, NONE, DAY, sender=actors.creator)

    assert [event.event_name for event in receipt.events] == ["CallScheduled"]


def test_a_single_call_is_an_operation_too(chain: Any, timelock: Any, wallet: Any, actors: Actors) -> None:
    call = (wallet, 0, wallet.accept.encode_input(b"c"), NONE, SALT)
    operation = timelock.hashOperation(*call)
    timelock.schedule(*call, DAY, sender=actors.creator)
    pass_time(chain, DAY)

    execute(timelock, *call, sender=actors.stranger)

    assert timelock.isOperationDone(operation)


def test_a_batch_is_made_whole_or_not_at_all(chain: Any, timelock: Any, wallet: Any, actors: Actors) -> None:
    payloads = [wallet.accept.encode_input(b"a"), timelock.updateDelay.encode_input(0)]
    calls: tuple[Any, ...] = ([wallet, timelock], [0, 0], payloads, NONE, NONE)
    timelock.scheduleBatch(*calls, DAY, sender=actors.creator)
    pass_time(chain, DAY)

    with ape.reverts("timelock: delay out of bounds"):
        timelock.executeBatch(*calls, sender=actors.stranger)

    assert wallet.isValidSignature(NONE, b"a") == bytes(4)
    assert timelock.isOperationReady(timelock.hashOperationBatch(*calls))


def test_an_operation_without_calls_only_waits(chain: Any, timelock: Any, actors: Actors) -> None:
    nothing: tuple[Any, ...] = ([], [], [], NONE, SALT)
    operation = timelock.hashOperationBatch(*nothing)
    scheduled = timelock.scheduleBatch(*nothing, DAY, sender=actors.creator)
    pass_time(chain, DAY)
    executed = timelock.executeBatch(*nothing, sender=actors.stranger)

    assert scheduled.events == [timelock.CallSalt(id=operation, salt=SALT)]
    assert executed.events == []
    assert timelock.isOperationDone(operation)


def test_arrays_of_different_lengths_are_refused(timelock: Any, wallet: Any, actors: Actors) -> None:
    uneven: list[tuple[Any, ...]] = [([wallet], [], [b""]), ([wallet], [0], []), ([], [0], [b""])]
    for calls in uneven:
        with ape.reverts("timelock: length mismatch"):
            timelock.scheduleBatch(*calls, NONE, NONE, DAY, sender=actors.creator)
        with ape.reverts("timelock: length mismatch"):
            timelock.executeBatch(*calls, NONE, NONE, sender=actors.creator)


def test_a_delay_below_the_minimum_or_a_second_time_is_refused(
    timelock: Any, batch: tuple[Any, ...], actors: Actors
) -> None:
    with ape.reverts("timelock_controller: insufficient delay"):
        timelock.scheduleBatch(*batch, DAY - 1, sender=actors.creator)
    timelock.scheduleBatch(*batch, DAY, sender=actors.creator)
    with ape.reverts("timelock_controller: operation already scheduled"):
        timelock.scheduleBatch(*batch, DAY, sender=actors.creator)


def test_an_operation_waits_for_its_predecessor(
    chain: Any, timelock: Any, batch: tuple[Any, ...], wallet: Any, actors: Actors
) -> None:
    first = timelock.hashOperationBatch(*batch)
    second = ([wallet], [0], [wallet.accept.encode_input(b"c")], first, NONE)
    timelock.scheduleBatch(*batch, DAY, sender=actors.creator)
    timelock.scheduleBatch(*second, DAY, sender=actors.creator)
    pass_time(chain, DAY)

    with ape.reverts("timelock_controller: missing dependency"):
        timelock.executeBatch(*second, sender=actors.stranger)
    timelock.executeBatch(*batch, sender=actors.stranger)
    timelock.executeBatch(*second, sender=actors.stranger)


def test_a_canceller_stops_an_operation_that_waits(timelock: Any, batch: tuple[Any, ...], actors: Actors) -> None:
    operation = timelock.hashOperationBatch(*batch)
    timelock.scheduleBatch(*batch, DAY, sender=actors.creator)
    with ape.reverts(MISSING_ROLE):
        timelock.cancel(operation, sender=actors.stranger)

    receipt = timelock.cancel(operation, sender=actors.creator)

    assert receipt.events == [timelock.Cancelled(id=operation)]
    assert not timelock.isOperation(operation)
    with ape.reverts("timelock_controller: operation cannot be cancelled"):
        timelock.cancel(operation, sender=actors.creator)


def test_only_proposers_schedule(timelock: Any, batch: tuple[Any, ...], wallet: Any, actors: Actors) -> None:
    with ape.reverts(MISSING_ROLE):
        timelock.scheduleBatch(*batch, DAY, sender=actors.stranger)
    with ape.reverts(MISSING_ROLE):
        timelock.schedule(wallet, 0, b"", NONE, NONE, DAY, sender=actors.stranger)


def test_only_executors_execute_where_execution_is_not_open(contracts: Any, actors: Actors, timelock: Any) -> None:
    closed = actors.owner.deploy(contracts.CreatorTimelock, DAY, [], [actors.trader], ZERO_ADDRESS)

    with ape.reverts(MISSING_ROLE):
        closed.executeBatch([timelock], [0], [b""], NONE, NONE, sender=actors.stranger)
    with ape.reverts("timelock_controller: operation is not ready"):
        closed.executeBatch([timelock], [0], [b""], NONE, NONE, sender=actors.trader)


def test_the_delay_changes_through_an_operation_alone(chain: Any, timelock: Any, actors: Actors) -> None:
    with ape.reverts("timelock: caller is not the timelock"):
        timelock.updateDelay(2 * DAY, sender=actors.owner)
    call = ([timelock], [0], [timelock.updateDelay.encode_input(2 * DAY)], NONE, NONE)
    timelock.scheduleBatch(*call, DAY, sender=actors.creator)
    pass_time(chain, DAY)

    receipt = timelock.executeBatch(*call, sender=actors.stranger)

    assert timelock.MinimumDelayChange(old_duration=DAY, new_duration=2 * DAY) in receipt.events
    assert timelock.MinDelayChange(oldDuration=DAY, newDuration=2 * DAY) in receipt.events
    assert timelock.getMinDelay() == 2 * DAY


def test_the_second_administrator_gives_roles_until_it_renounces(timelock: Any, actors: Actors) -> None:
    timelock.grantRole(PROPOSER, actors.trader, sender=actors.owner)
    timelock.revokeRole(PROPOSER, actors.trader, sender=actors.owner)
    timelock.renounceRole(DEFAULT_ADMIN, actors.owner, sender=actors.owner)

    assert not timelock.hasRole(PROPOSER, actors.trader)
    assert timelock.getRoleAdmin(PROPOSER) == DEFAULT_ADMIN
    with ape.reverts(MISSING_ROLE):
        timelock.grantRole(PROPOSER, actors.trader, sender=actors.owner)


def test_it_holds_coin_and_pays_it_out(chain: Any, timelock: Any, actors: Actors) -> None:
    actors.owner.transfer(timelock, 10)
    call = ([actors.stranger], [12], [b""], NONE, NONE)
    timelock.scheduleBatch(*call, DAY, sender=actors.creator)
    pass_time(chain, DAY)
    before = actors.stranger.balance

    timelock.executeBatch(*call, value=5, sender=actors.trader)

    assert actors.stranger.balance == before + 12
    assert timelock.balance == 3


def test_it_takes_nfts(timelock: Any, actors: Actors) -> None:
    for interface in ("0x01ffc9a7", "0x7965db0b", "0x4e2312e0"):
        assert timelock.supportsInterface(interface)
    assert not timelock.supportsInterface("0xffffffff")
    assert timelock.onERC721Received.call(*[actors.owner] * 2, 1, b"").hex().endswith("150b7a02")
    assert timelock.onERC1155Received.call(*[actors.owner] * 2, 1, 1, b"").hex().endswith("f23a6e61")
    assert timelock.onERC1155BatchReceived.call(*[actors.owner] * 2, [1], [1], b"").hex().endswith("bc197c81")
