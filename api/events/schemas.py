"""The wire form of live events."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from api.wire import Address, Hash, Wei, Wire


class EventKind(StrEnum):
    """applied: the event is on the canonical chain; undone: a reorg took back an event applied earlier."""

    APPLIED = "applied"
    UNDONE = "undone"


class FeedEvent(Wire):
    """A decoded contract event, as the indexer applied or undid it."""

    type: Literal["event"] = "event"
    id: int = Field(description="grows by time; resume after it", examples=[4711])
    kind: EventKind
    contract: str = Field(examples=["IntegratedCreatorDEX"])
    name: str = Field(examples=["TokensPurchased"])
    address: Address = Field(description="the contract that emitted it")
    args: dict[str, Any] = Field(
        description="by the parameter names of the ABI; integers as decimal strings, addresses checksummed",
        examples=[{"token": "0x5FbDB2315678afecb367f032d93F642f64180aa3", "nativeIn": "1000000000000000000"}],
    )
    block_number: int = Field(examples=[1024])
    block_hash: Hash
    log_index: int = Field(examples=[3])
    transaction_hash: Hash
    timestamp: datetime = Field(description="the block's own time")


class PriceTick(Wire):
    """What a coin costs since an event of the exchange was applied, or again costs since one was undone."""

    type: Literal["price"] = "price"
    id: int = Field(description="the id of the event in the feed; resume after it", examples=[4711])
    kind: EventKind
    coin: Address
    price: Wei | None = Field(description="native wei for one whole coin; null where the pool is empty")
    native_reserve: Wei
    token_reserve: Wei
    block_number: int = Field(examples=[1024])
    block_hash: Hash
    transaction_hash: Hash
    timestamp: datetime = Field(description="the block's own time")


class FeedReset(Wire):
    """Sent instead of events that can no longer be replayed: read the state anew, then go on with what follows."""

    type: Literal["reset"] = "reset"
    id: int = Field(description="the feed goes on after this id", examples=[4711])
    reason: str = Field(examples=["events after 120 cannot be replayed; the feed goes on at 4711"])
