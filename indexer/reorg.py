"""Undoing blocks: finding where the chain left the mirror's branch, and taking the mirror's rows back to it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from encore.db.models import Base
from encore.db.models.base import Mirrored
from encore.db.models.chain import UndoEntry
from indexer.bulk import Bulk, Row
from indexer.errors import ReorgBelowFinalityError
from indexer.source import Header
from indexer.state import table_of


def find_fork(stored: Mapping[int, str], current: Sequence[Header]) -> Header:
    """Return the newest block that the mirror (`stored` hashes by number) and the chain (`current`) share.

    Raises `ReorgBelowFinalityError` when they share none: `stored` reaches down to the newest final block.
    """
    shared = [header for header in current if stored.get(header.number) == header.hash]
    if not shared:
        oldest = min(stored)
        raise ReorgBelowFinalityError(
            f"the chain replaced block {oldest}, which was final: the mirror is left as it was. If the node is right, "
            "index again into a new database (ENCORE_DATABASE_URL; `make reset` on the local chain)"
        )
    return max(shared, key=lambda header: header.number)


def undo_rows(connection: Connection, bulk: Bulk, fork: int) -> None:
    """Bring every mirrored row back to what it was at block `fork`, and forget the journal above it."""
    for table in appended_tables():
        connection.execute(delete(table).where(table.c.block_number > fork))
    restored: defaultdict[str, dict[tuple[Any, ...], Row | None]] = defaultdict(dict)
    entries = connection.execute(
        select(UndoEntry.table_name, UndoEntry.key, UndoEntry.before)
        .where(UndoEntry.block_number > fork)
        .order_by(UndoEntry.block_number.desc())
    )
    for entry in entries:  # backwards, so that the oldest image of a row is the last to be put in place
        before = None if entry.before is None else json.loads(entry.before)
        restored[entry.table_name][tuple(json.loads(entry.key))] = before
    for name, rows in restored.items():
        table = Base.metadata.tables[name]
        bulk[table].upsert([row for row in rows.values() if row is not None])(connection)
        bulk[table].delete([key for key, row in rows.items() if row is None])(connection)
    connection.execute(delete(UndoEntry).where(UndoEntry.block_number > fork))


def appended_tables() -> list[Table]:
    """Return the tables that events only append to: those keyed by block number and log index."""
    return [
        table
        for table in map(table_of, _mirror_models())
        if [column.name for column in table.primary_key.columns] == ["block_number", "log_index"]
    ]


def _mirror_models() -> list[type[Base]]:
    return [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Mirrored)]
