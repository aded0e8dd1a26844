"""Bulk writes of one table's rows with prepared SQL: executemany, and COPY for plain inserts on PostgreSQL."""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, Dialect, Table, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.util import await_only

Row = dict[str, Any]
"""A row by column name, in Python values (wei are `int`)."""


class Bulk:
    """Writes rows of any table on one database; each table's statements are compiled once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._writers: dict[Table, _TableWriter] = {}

    def insert(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Insert new rows.

        A statement must have been executed in the transaction before: COPY goes round SQLAlchemy, which opens the
        transaction with its first statement.
        """
        if rows:
            self._writer(table).insert(connection, rows)

    def upsert(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows, replacing those with the same primary key."""
        if rows:
            self._writer(table).upsert(connection, rows)

    def delete(self, connection: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> None:
        """Delete rows by primary key; keys that do not exist are fine."""
        if keys:
            self._writer(table).delete(connection, keys)

    def _writer(self, table: Table) -> "_TableWriter":
        if table not in self._writers:
            self._writers[table] = _TableWriter(table, self._dialect)
        return self._writers[table]


class _TableWriter:
    def __init__(self, table: Table, dialect: Dialect) -> None:
        self._table = table
        self._dialect = dialect
        numbered = table.autoincrement_column  # the database numbers these rows
        self._columns = [column.name for column in table.columns if column is not numbered]
        self._values = operator.itemgetter(*self._columns)
        self._encoders = _encoders([table.columns[name] for name in self._columns], dialect)
        key_columns = list(table.primary_key.columns)
        self._key_encoders = _encoders(key_columns, dialect)

        module = postgresql if dialect.name == "postgresql" else sqlite
        insert = module.insert(table).values({name: bindparam(name) for name in self._columns})
        key_names = {column.name for column in key_columns}
        self._insert_sql = str(insert.compile(dialect=dialect))
        self._upsert_sql = str(
            insert.on_conflict_do_update(
                index_elements=key_columns,
                set_={name: insert.excluded[name] for name in self._columns if name not in key_names},
            ).compile(dialect=dialect)
        )
        self._delete_sql = str(
            delete(table).where(*(column == bindparam(column.name) for column in key_columns)).compile(dialect=dialect)
        )

    def insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        records = self._records(rows)
        if self._dialect.name == "postgresql":
            driver: Any = connection.connection.driver_connection
            await_only(driver.copy_records_to_table(self._table.name, records=records, columns=self._columns))
        else:
            connection.exec_driver_sql(self._insert_sql, records)

    def upsert(self, connection: Connection, rows: Sequence[Row]) -> None:
        connection.exec_driver_sql(self._upsert_sql, self._records(rows))

    def delete(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> None:
        connection.exec_driver_sql(self._delete_sql, _encode(keys, self._key_encoders))

    def _records(self, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
        return _encode(map(self._values, rows), self._encoders)


_Encoder = Callable[[Any], Any]


def _encoders(columns: Sequence[Any], dialect: Dialect) -> list[tuple[int, _Encoder]]:
    """Return, by position, what turns a Python value into the driver's, for the columns that need it."""
    found: list[tuple[int, _Encoder]] = []
    for position, column in enumerate(columns):
        if isinstance(column.type, JSON):
            found.append((position, _json))
        else:
            encoder = column.type.dialect_impl(dialect).bind_processor(dialect)
            if encoder is not None:
                found.append((position, encoder))
    return found


def _encode(rows: Iterable[tuple[Any, ...]], encoders: Sequence[tuple[int, _Encoder]]) -> list[tuple[Any, ...]]:
    if not encoders:
        return list(rows)
    records = []
    for row in rows:
        record = list(row)
        for position, encoder in encoders:
            record[position] = encoder(record[position])
        records.append(tuple(record))
    return records


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
