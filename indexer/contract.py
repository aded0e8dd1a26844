"""How a followed contract is declared: its events' handlers, what they read, which events announce new contracts."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from encore.db.models.base import Base
from indexer.bulk import Row
from indexer.check import Check, Reader
from indexer.state import State

Model = type[Base]
Key = tuple[Model, tuple[Any, ...]]
"""A mirrored row: its table's model and its primary key."""


@dataclass(slots=True)
class Event:
    """One decoded log. `timestamp` is its block's, in seconds."""

    contract: str
    name: str
    address: str
    args: dict[str, Any]
    block_number: int
    block_hash: str
    log_index: int
    transaction_hash: str
    timestamp: int

    def row(self, **columns: Any) -> Row:
        """Return a row of an appended table: where and when this event was, and `columns`."""
        return {
            "block_number": self.block_number,
            "log_index": self.log_index,
            "transaction_hash": self.transaction_hash,
            "timestamp": self.timestamp,
            **columns,
        }


@dataclass(frozen=True, slots=True)
class Handler:
    """What one event changes. `reads` names the rows it will touch, so that a whole range's are loaded at once."""

    apply: Callable[[Event, State], None]
    reads: Callable[[Event], Iterable[Key]] | None = None


@dataclass(frozen=True, slots=True)
class Deploys:
    """An event that announces a new contract: `parameter` holds its address, `contract` names its ABI."""

    contract: str
    parameter: str


@dataclass(frozen=True, slots=True)
class Contract:
    """A followed contract: handlers and announcements by event name. Events without a handler are journalled only.

    `checks` says what views of it must return by the rows that its handlers wrote.
    """

    name: str
    handlers: Mapping[str, Handler]
    deploys: Mapping[str, Deploys] = field(default_factory=dict)
    checks: Callable[[Reader], Awaitable[list[Check]]] | None = None
