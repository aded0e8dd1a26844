"""CreatorTimelock: operations that wait, were executed or cancelled, and their calls."""

from collections.abc import Iterator
from typing import Final

from encore.db.models.chain_governance import TimelockCall, TimelockOperation
from indexer.check import Check, Reader, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.roles import access_control
from indexer.settings import settings
from indexer.state import State

NO_SALT: Final = "0x" + "00" * 32
DONE: Final = 1
"""What the timelock's clock shows for an operation that was executed."""


def _operation(event: Event) -> Iterator[Key]:
    yield TimelockOperation, (event.address, event.args["id"])


def _call(event: Event) -> Iterator[Key]:
    yield from _operation(event)
    yield TimelockCall, (event.address, event.args["id"], event.args["index"])


def _scheduled(event: Event, state: State) -> None:
    """A cancelled operation may be scheduled again."""
    args = event.args
    state.upsert(TimelockOperation, event.address, args["id"], salt=NO_SALT).update(
        predecessor=args["predecessor"], ready_at=event.timestamp + args["delay"], status="scheduled"
    )
    state.upsert(TimelockCall, event.address, args["id"], args["index"]).update(
        target=args["target"], amount=args["amount"], payload=args["payload"]
    )


def _salted(event: Event, state: State) -> None:
    state.edit(TimelockOperation, event.address, event.args["id"])["salt"] = event.args["salt"]


def _executed(event: Event, state: State) -> None:
    state.edit(TimelockOperation, event.address, event.args["id"])["status"] = "executed"


def _cancelled(event: Event, state: State) -> None:
    state.edit(TimelockOperation, event.address, event.args["id"])["status"] = "cancelled"


async def _checks(reader: Reader) -> list[Check]:
    found = []
    for row in await reader.rows(TimelockOperation):
        ready_at = {"scheduled": row.ready_at, "executed": DONE, "cancelled": 0}[row.status]
        found.append(number(row.timelock, "getTimestamp(bytes32)", (row.operation_id,), ready_at))
    return found


CONTRACT: Final = Contract(
    name="CreatorTimelock",
    handlers=access_control()
    | {
        "CallScheduled": Handler(_scheduled, _call),
        "CallSalt": Handler(_salted, _operation),
        "CallExecuted": Handler(_executed, _operation),
        "Cancelled": Handler(_cancelled, _operation),
        "MinDelayChange": settings(getMinDelay="newDuration"),  # MinimumDelayChange says the same
    },
    checks=_checks,
)
