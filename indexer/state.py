"""Mirrored rows in memory: loaded in bulk, changed by handlers, handed over to be written in bulk."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, select, tuple_

from encore.db.models.base import Base
from encore.db.models.chain import UndoEntry
from indexer.bulk import Bulk, Row, Write
from indexer.errors import MirrorError

KEYS_PER_SELECT: Final = 400
"""Rows asked for by one SELECT: small enough for every driver's limit on bound parameters."""

Model = type[Base]
PrimaryKey = tuple[Any, ...]


def table_of(model: Model) -> Table:
    """Return the table behind a model."""
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table


class State:
    """Mirrored rows as handlers see and change them.

    Rows stay here from one run of blocks to the next, so that a run can be prepared while the last one is being
    written: a row that is not here has not been changed since it was committed.

    Invariant: with `is_undoable`, the first change that a block makes to a row records what the row was before that
    block, so that restoring these images backwards gives exactly the state before it. Appended rows carry their block
    number and need no image.
    """

    def __init__(self, bulk: Bulk) -> None:
        self._bulk = bulk
        self._connection: Connection | None = None
        self._is_undoable = False
        self._tables: dict[Model, _Rows] = {}
        self._appended: defaultdict[Model, list[Row]] = defaultdict(list)
        self._images: list[Row] = []
        self._block_number = -1

    def __len__(self) -> int:
        return sum(len(rows.rows) for rows in self._tables.values())

    def begin(self, connection: Connection, *, is_undoable: bool) -> None:
        """Begin a run of blocks; rows that are not here are read through `connection`."""
        self._connection = connection
        self._is_undoable = is_undoable
        self._block_number = -1

    def forget(self) -> None:
        """Drop every row, changed ones too."""
        self._tables.clear()
        self._appended.clear()
        self._images.clear()

    def load(self, keys: Iterable[tuple[Model, PrimaryKey]]) -> None:
        """Read rows ahead, a table at a time."""
        by_model: defaultdict[Model, set[PrimaryKey]] = defaultdict(set)
        for model, key in keys:
            by_model[model].add(key)
        for model, wanted in by_model.items():
            self._rows(model).load(self._read, wanted)

    def begin_block(self, number: int) -> None:
        """Say that the changes to come are made by block `number`."""
        if number != self._block_number:
            self._block_number = number
            for rows in self._tables.values():
                rows.imaged.clear()

    def get(self, model: Model, *key: Any) -> Row | None:
        """Return a row to read, or None when there is none."""
        return self._rows(model).get(self._read, key)

    def edit(self, model: Model, *key: Any) -> Row:
        """Return a row to change; raises `MirrorError` when there is none."""
        row = self._editable(model, key)
        if row is None:
            raise MirrorError(
                f"block {self._block_number} changes {table_of(model).name} {key}, which no earlier event created"
            )
        return row

    def upsert(self, model: Model, *key: Any, **new: Any) -> Row:
        """Return a row to change, made of its key and `new` when there is none."""
        row = self._editable(model, key)
        if row is None:
            rows = self._rows(model)
            row = rows.rows[key] = dict(zip(rows.key_names, key, strict=True)) | new
        return row

    def delete(self, model: Model, *key: Any) -> None:
        """Remove a row."""
        if self._editable(model, key) is not None:
            self._rows(model).rows[key] = None

    def append(self, model: Model, row: Row) -> None:
        """Add a row to a table that is keyed by block number and log index."""
        self._appended[model].append(row)

    def take(self) -> list[Write]:
        """Hand over everything that changed since the last time."""
        writes = [self._bulk[table_of(model)].insert(appended) for model, appended in self._appended.items()]
        for rows in self._tables.values():
            writes += rows.take(self._bulk)
        if self._images:
            writes.append(self._bulk[table_of(UndoEntry)].insert(self._images))
        self._appended.clear()
        self._images.clear()
        return writes

    @property
    def _read(self) -> Connection:
        if self._connection is None:
            raise MirrorError("rows are read before a run of blocks has begun")
        return self._connection

    def _editable(self, model: Model, key: PrimaryKey) -> Row | None:
        rows = self._tables.get(model) or self._rows(model)
        if key not in rows.rows:
            rows.load(self._read, {key})
        row = rows.rows[key]
        rows.changed.add(key)
        if self._is_undoable and key not in rows.imaged:
            rows.imaged.add(key)
            self._images.append(
                {
                    "block_number": self._block_number,
                    "table_name": rows.table.name,
                    "key": json.dumps(key),
                    "before": None if row is None else json.dumps(row),
                }
            )
        return row

    def _rows(self, model: Model) -> "_Rows":
        rows = self._tables.get(model)
        if rows is None:
            rows = self._tables[model] = _Rows(table_of(model))
        return rows


class _Rows:
    """The rows of one table that were read or changed; None stands for a row that does not exist."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.key_names = [column.name for column in table.primary_key.columns]
        self.rows: dict[PrimaryKey, Row | None] = {}
        self.changed: set[PrimaryKey] = set()
        self.imaged: set[PrimaryKey] = set()

    def get(self, connection: Connection, key: PrimaryKey) -> Row | None:
        if key not in self.rows:
            self.load(connection, {key})
        return self.rows[key]

    def load(self, connection: Connection, wanted: set[PrimaryKey]) -> None:
        missing = sorted(wanted - self.rows.keys())
        self.rows.update(dict.fromkeys(missing))
        names = [column.name for column in self.table.columns]
        key_columns = list(self.table.primary_key.columns)
        for keys in _chunks(missing, KEYS_PER_SELECT):
            for values in connection.execute(select(self.table).where(tuple_(*key_columns).in_(keys))):
                row = dict(zip(names, values, strict=True))
                self.rows[tuple(row[name] for name in self.key_names)] = row

    def take(self, bulk: Bulk) -> list[Write]:
        written, deleted = [], []
        for key in self.changed:
            row = self.rows[key]
            if row is None:
                deleted.append(key)
            else:
                written.append(row)
        self.changed.clear()
        self.imaged.clear()
        writer = bulk[self.table]
        return [*([writer.upsert(written)] if written else []), *([writer.delete(deleted)] if deleted else [])]


def _chunks(items: Sequence[PrimaryKey], size: int) -> Iterator[Sequence[PrimaryKey]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
