"""Feed entries as messages: encoded once, with the channels that they go to."""

from typing import Any, Final

from sqlalchemy import Row

from api.events import schemas
from api.events.ticks import price_tick
from api.realtime import Message, Part
from api.wire import checksummed, is_address, utc

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


def to_message(row: Row[Any]) -> Message:
    """Turn a feed entry into what subscribers are sent."""
    parts = [Part("event", _event_channels(row), feed_event(row).model_dump_json())]
    if (tick := price_tick(row)) is not None:
        channels = frozenset({PRICES, price_channel(row.args["token"].lower())})
        parts.append(Part("price", channels, tick.model_dump_json()))
    return Message(row.id, row.kind, row.name, tuple(parts))


def feed_event(row: Row[Any]) -> schemas.FeedEvent:
    """Return a feed entry in its wire form."""
    return schemas.FeedEvent(
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


def coins_of(row: Row[Any]) -> frozenset[str]:
    """Return the coins (lower case) that a feed entry is about."""
    coins = {row.address.lower()} if row.contract in _COIN_CONTRACTS else set()
    if isinstance(token := row.args.get("token"), str):
        coins.add(token.lower())
    return frozenset(coins)


def _event_channels(row: Row[Any]) -> frozenset[str]:
    return frozenset(
        {
            EVENTS,
            *(coin_channel(coin) for coin in coins_of(row)),
            *(wallet_channel(value.lower()) for name, value in row.args.items() if _is_address(name, value)),
        }
    )


def _is_address(name: str, value: Any) -> bool:
    return isinstance(value, str) and name not in _TEXT_ARGUMENTS and is_address(value)


def _argument(name: str, value: Any) -> Any:
    return checksummed(value) if _is_address(name, value) else value
