"""Prices as the exchange's events tell them: after an event that was applied, before one that was undone."""

from collections.abc import Mapping
from typing import Any, Final

from api.events import schemas
from api.wire import utc
from encore.chain.amm import Reserves
from encore.db import Row

EXCHANGE: Final = "IntegratedCreatorDEX"

_CHANGES: Final[Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]]] = {
    "TokensPurchased": ({"nativeIn": 1, "platformFee": -1}, {"tokensOut": -1}),
    "TokensSold": ({"nativeOut": -1, "platformFee": -1}, {"tokensIn": 1}),
    "LiquidityAdded": ({"nativeAmount": 1}, {"tokenAmount": 1}),
    "LiquidityRemoved": ({"nativeAmount": -1}, {"tokenAmount": -1}),
}
"""By what each event has changed the reserves: native, then the coin's."""


def price_tick(row: Row) -> schemas.PriceTick | None:
    """Return the price that a feed entry leaves its coin with; None where the entry moves no reserves."""
    if row.contract != EXCHANGE or row.name not in _CHANGES:
        return None
    reserves = Reserves(int(row.args["nativeReserve"]), int(row.args["tokenReserve"]))
    if row.kind == schemas.EventKind.UNDONE:
        native, token = (_total(row.args, change) for change in _CHANGES[row.name])
        reserves = Reserves(reserves.native - native, reserves.token - token)
    return schemas.PriceTick(
        id=row.id,
        kind=schemas.EventKind(row.kind),
        coin=row.args["token"],
        price=reserves.spot_price if reserves.token else None,
        native_reserve=reserves.native,
        token_reserve=reserves.token,
        block_number=row.block_number,
        block_hash=row.block_hash,
        transaction_hash=row.transaction_hash,
        timestamp=utc(row.timestamp),
    )


def _total(args: Mapping[str, Any], change: Mapping[str, int]) -> int:
    return sum(sign * int(args[name]) for name, sign in change.items())
