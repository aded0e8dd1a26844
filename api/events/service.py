"""Rules of live events: what a subscriber sees, and resuming without a gap."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from fastapi.sse import ServerSentEvent
from sqlalchemy import Row

from api.events import repository, schemas
from api.realtime import Hub, Message
from api.wire import checksummed, is_address, utc
from encore.db import Database, ReadSession

REPLAY_BATCH: Final = 500
# What people typed stays as it is, even where it looks like an address.
_TEXT_ARGUMENTS: Final = frozenset({"name", "symbol", "description", "imageUrl"})
_COIN_CONTRACTS: Final = frozenset({"CreatorToken", "BalancedCreatorToken"})


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a subscriber wants: any of `coins` (lower case) and any of `names`; empty means all."""

    coins: frozenset[str]
    names: frozenset[str]

    def __call__(self, message: Message) -> bool:
        """Whether `message` passes."""
        return (not self.coins or not self.coins.isdisjoint(message.coins)) and (
            not self.names or message.name in self.names
        )


def to_message(row: Row[Any]) -> Message:
    """Turn a feed entry into what subscribers are sent; it is encoded once for all of them."""
    event = schemas.FeedEvent(
        id=row.id,
        kind=schemas.EventKind(row.kind),
        contract=row.contract,
        name=row.name,
        address=row.address,
        args={name: _argument(name, value) for name, value in row.args.items()},
        block_number=row.block_number,
        block_hash=row.block_hash,
        log_index=row.log_index,
        transaction_hash=row.transaction_hash,
        timestamp=utc(row.timestamp),
    )
    return Message(
        id=row.id,
        name=row.name,
        coins=_coins(row),
        event=ServerSentEvent(raw_data=event.model_dump_json(), event=row.kind, id=str(row.id)),
    )


async def stream(
    database: Database, hub: Hub, wanted: Callable[[Message], bool], after: int | None
) -> AsyncIterator[ServerSentEvent]:
    """Yield the events after the id `after` (None: from now on), first from the feed, then as they come.

    Ends when the subscriber was too slow or the process stops; it goes on by asking again after the last id it saw.
    """
    await hub.ready.wait()
    position = hub.position if after is None else after
    if after is not None:
        oldest, newest = await _read(database, repository.bounds)
        if after > newest or after < oldest - 1:
            position = newest
            reset = schemas.FeedReset(reason=f"events after {after} cannot be replayed; the feed goes on at {newest}")
            yield ServerSentEvent(raw_data=reset.model_dump_json(), event="reset", id=str(newest))
    # Not subscribed yet: a long replay must not fill a queue that nobody empties.
    while position < hub.position and not hub.closed.is_set():
        rows = await _read(database, partial(repository.entries_after, position=position, limit=REPLAY_BATCH))
        for message in map(to_message, rows):
            position = message.id
            if wanted(message):
                yield message.event
    with hub.subscribe(wanted) as subscription:
        async for message in subscription:
            if message.id > position:
                yield message.event


async def _read(database: Database, query: Callable[[ReadSession], Awaitable[T]]) -> T:
    """Run `query` to its end even when the client leaves: a statement that is cancelled loses its connection."""

    async def run() -> T:
        async with database.read() as session:
            return await query(session)

    return await asyncio.shield(asyncio.create_task(run()))


def _argument(name: str, value: Any) -> Any:
    if isinstance(value, str) and name not in _TEXT_ARGUMENTS and is_address(value):
        return checksummed(value)
    return value


def _coins(row: Row[Any]) -> frozenset[str]:
    coins = {row.address.lower()} if row.contract in _COIN_CONTRACTS else set()
    if isinstance(token := row.args.get("token"), str):
        coins.add(token.lower())
    return frozenset(coins)
