"""Feed entries as messages: encoded once, with the channels that they go to."""

from typing import Any, Final

from api.events import schemas
from api.events.ticks import price_tick
from api.realtime import Message, Part
from api.wire import checksummed, is_address, utc
from encore.db import Row
from encore.db.models.chain import FeedEntry

Entry = FeedEntry | Row
"""An entry of the feed, as a unit of work or a read session gives it."""

EVENTS: Final = "events"
PRICES: Final = "prices"

_COIN_CONTRACTS: Final = frozenset({"CreatorToken", "BalancedCreatorToken"})
# What people typed stays as it is, even where it looks like an address.
_TEXT_ARGUMENTS: Final = frozenset({"name", "symbol", "description", "imageUrl"})


def coin_channel(coin: str) -> str:
    """Return the channel of all events about a coin (lower-case address)."""
    return f"coin:{coin}"


def price_channel(coin: str) -> str:
    """Return the channel of a coin's price."""
    return f"price:{coin}"


def wallet_channel(wallet: str) -> str:
    """Return the channel of all events that name a wallet (lower-case address)."""
    return f"wallet:{wallet}"


def to_message(entry: Row) -> Message:
    """Turn a feed entry into what subscribers are sent."""
    parts = [Part("event", _event_channels(entry), feed_event(entry).model_dump_json())]
    if (tick := price_tick(entry)) is not None:
        channels = frozenset({PRICES, price_channel(entry.args["token"].lower())})
        parts.append(Part("price", channels, tick.model_dump_json()))
    return Message(entry.id, entry.kind, entry.name, tuple(parts))


def feed_event(entry: Entry) -> schemas.FeedEvent:
    """Return a feed entry in its wire form."""
    return schemas.FeedEvent(
        id=entry.id,
        kind=schemas.EventKind(entry.kind),
        contract=entry.contract,
        name=entry.name,
        address=entry.address,
        args={name: _argument(name, value) for name, value in entry.args.items()},
        block_number=entry.block_number,
        block_hash=entry.block_hash,
        log_index=entry.log_index,
        transaction_hash=entry.transaction_hash,
        timestamp=utc(entry.timestamp),
    )


def coins_of(entry: Entry) -> frozenset[str]:
    """Return the coins (lower case) that a feed entry is about."""
    coins = {entry.address.lower()} if entry.contract in _COIN_CONTRACTS else set()
    if isinstance(token := entry.args.get("token"), str):
        coins.add(token.lower())
    return frozenset(coins)


def _event_channels(entry: Entry) -> frozenset[str]:
    return frozenset(
        {
            EVENTS,
            *(coin_channel(coin) for coin in coins_of(entry)),
            *(wallet_channel(value.lower()) for name, value in entry.args.items() if _is_address(name, value)),
        }
    )


def _is_address(name: str, value: Any) -> bool:
    return isinstance(value, str) and name not in _TEXT_ARGUMENTS and is_address(value)


def _argument(name: str, value: Any) -> Any:
    return checksummed(value) if _is_address(name, value) else value
