"""Rules of a wallet's history: pages of it, and all of it as CSV."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Final

from api.mirror.service import MirrorView
from api.pagination import MAXIMUM_LIMIT, IntegerKey, Keyset, PageRequest, Window
from api.portfolio import activity, schemas
from api.portfolio.schemas import ActivityKind
from api.wire import checksummed, utc
from encore.db import Row

HISTORY: Final = Keyset("history", IntegerKey, IntegerKey)
ROWS_PER_READ: Final = 10 * MAXIMUM_LIMIT
COLUMNS: Final = (
    *("timestamp", "kind", "coin", "symbol", "token_amount_wei", "native_amount_wei", "shares", "reward_wei"),
    *("counterparty", "block_number", "log_index", "transaction_hash"),
)
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


async def list_history(view: MirrorView, page: PageRequest, wanted: activity.Wanted) -> schemas.ActivityPage:
    """Return a page of what the wallet did, the newest first."""
    rows = await activity.page(view.session, HISTORY.window(page), wanted)
    rows, next_cursor = HISTORY.cut(rows, page.limit, "block_number", "log_index")
    return schemas.ActivityPage(
        items=[_activity(row) for row in rows], next_cursor=next_cursor, indexed_block=view.tip.wire()
    )


async def export(view: MirrorView, wanted: activity.Wanted) -> AsyncIterator[str]:
    """Yield the history as CSV (RFC 4180), the newest first."""
    yield _line(COLUMNS)
    window = Window(None, ROWS_PER_READ)
    while True:
        rows = await activity.page(view.session, window, wanted)
        yield "".join(_line(_cells(_activity(row))) for row in rows)
        if len(rows) < ROWS_PER_READ:
            return
        window = Window((rows[-1].block_number, rows[-1].log_index), ROWS_PER_READ)


def _activity(row: Row) -> schemas.Activity:
    counterparty = {ActivityKind.SENT: row.receiver, ActivityKind.RECEIVED: row.sender}.get(row.kind)
    return schemas.Activity(
        kind=ActivityKind(row.kind),
        coin=schemas.CoinLabel(address=row.token, name=row.name, symbol=row.symbol),
        token_amount=row.token_amount,
        native_amount=row.native_amount,
        shares=row.shares,
        reward=row.reward,
        counterparty=counterparty,
        block_number=row.block_number,
        log_index=row.log_index,
        transaction_hash=row.transaction_hash,
        timestamp=utc(row.timestamp),
    )


def _cells(entry: schemas.Activity) -> tuple[object, ...]:
    return (
        entry.timestamp.isoformat(),
        entry.kind.value,
        entry.coin.address,
        _as_text(entry.coin.symbol),
        entry.token_amount,
        entry.native_amount,
        entry.shares,
        entry.reward,
        "" if entry.counterparty is None else checksummed(entry.counterparty),
        entry.block_number,
        entry.log_index,
        entry.transaction_hash,
    )


def _as_text(written: str) -> str:
    """What callers of a contract wrote, so that a spreadsheet does not take it for a formula."""
    return f"'{written}" if written.startswith(_FORMULA_STARTS) else written


def _line(cells: tuple[object, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
