"""From a wallet's rows in the mirror to the moves of its cost basis: which transfers were trades or stakes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from api.portfolio.cost_basis import Ledger, Move
from encore.db import Row

_IN: Final = "in"
_OUT: Final = "out"
_DIRECTIONS: Final = {"buy": _IN, "sell": _OUT, "added": _OUT, "removed": _IN, "staked": _OUT, "unstaked": _IN}

_Flow = tuple[str, str, str, int]
"""Transaction, coin, direction and token wei: what a transfer and the event that explains it have in common."""


def ledgers(rows: Iterable[Row]) -> dict[str, Ledger]:
    """Return the wallet's ledger of each coin; `rows` are those of `activity.every`, in any order."""
    books: defaultdict[str, Ledger] = defaultdict(Ledger)
    for coin, move in _moves(sorted(rows, key=lambda row: (row.block_number, row.log_index))):
        books[coin].apply(move)
    return dict(books)


def _moves(rows: Sequence[Row]) -> Iterator[tuple[str, Move]]:
    transferred = Counter(flow for row in rows if (flow := _transfer(row)) is not None)
    explained = Counter(flow for row in rows if (flow := _expected(row)) is not None)
    for row in rows:
        match row.kind:
            case "buy":
                yield row.token, Move("bought", row.token_amount, row.native_amount)
            case "sell":
                yield row.token, Move("sold", row.token_amount, row.native_amount)
            case "added":
                paid = transferred[row.transaction_hash, row.token, _OUT, row.token_amount] > 0
                yield row.token, Move("added" if paid else "granted", row.token_amount, row.native_amount, row.shares)
            case "removed":
                yield row.token, Move("removed", row.token_amount, row.native_amount, row.shares)
            case "sent" | "received":
                flow = _transfer(row)
                if flow is not None and explained[flow] > 0:
                    explained[flow] -= 1
                elif flow is not None:
                    yield row.token, Move(row.kind, row.token_amount)


def _transfer(row: Row) -> _Flow | None:
    """What a transfer moved: one to oneself, or of nothing, moves nothing."""
    if row.kind not in {"sent", "received"} or row.sender == row.receiver or row.token_amount == 0:
        return None
    return row.transaction_hash, row.token, _OUT if row.kind == "sent" else _IN, row.token_amount


def _expected(row: Row) -> _Flow | None:
    """The transfer that comes with an event."""
    direction = _DIRECTIONS.get(row.kind)
    return None if direction is None else (row.transaction_hash, row.token, direction, row.token_amount)
