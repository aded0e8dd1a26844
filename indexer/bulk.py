"""Bulk writes of one table's rows: encoded here, written later by few large statements (COPY on PostgreSQL)."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final, Protocol

import orjson
from sqlalchemy import JSON, Column, Connection, Dialect, String, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.base import PGDialect

from encore.db.types import UINT256_DIGITS, UINT256_MAX, Uint256

Row = dict[str, Any]
"""A row by column name, in Python values (wei are `int`)."""

Write = Callable[[Connection], None]
"""Encoded rows, and how to write them in a transaction."""

SQLITE_VARIABLES: Final = 32_766
"""SQLite's default limit on the bound parameters of a statement."""
SQLITE_ROWS: Final = (2_048, 512, 128, 32)
"""Rows of one INSERT. Python's other threads run while SQLite works on a statement, and only then."""
STAGED_ROWS: Final = 50
"""From this many rows on, PostgreSQL merges them from a table that COPY filled."""


class TableWriter(Protocol):
    """Writes rows of one table."""

    def insert(self, rows: Sequence[Row]) -> Write:
        """Insert new rows."""

    def upsert(self, rows: Sequence[Row]) -> Write:
        """Insert rows, replacing those with the same primary key; once a table in a transaction."""

    def delete(self, keys: Sequence[tuple[Any, ...]]) -> Write:
        """Delete rows by primary key; keys that do not exist are fine."""


class Bulk:
    """The writers of one database's tables, each made once."""

    def __init__(self, dialect: str) -> None:
        self._writer: Callable[[Table], TableWriter] = _PostgresTable if dialect == "postgresql" else _SqliteTable
        self._tables: dict[Table, TableWriter] = {}

    def __getitem__(self, table: Table) -> TableWriter:
        if table not in self._tables:
            self._tables[table] = self._writer(table)
        return self._tables[table]


class _Sql:
    """The parts of a table's statements; a column that the database numbers is left to it."""

    def __init__(self, table: Table, dialect: Dialect, placeholder: str) -> None:
        quote = dialect.identifier_preparer.quote
        self.columns = [column for column in table.columns if column is not table.autoincrement_column]
        self.keys = list(table.primary_key.columns)
        self.table = quote(table.name)
        self.names = ", ".join(quote(column.name) for column in self.columns)
        self.insert = f"INSERT INTO {self.table} ({self.names})"
        self.values = f"({', '.join([placeholder] * len(self.columns))})"
        replaced = [quote(column.name) for column in self.columns if not column.primary_key]
        self.merge = (
            f" ON CONFLICT ({', '.join(quote(key.name) for key in self.keys)})"
            f" DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in replaced)}"
        )
        conditions = " AND ".join(f"{quote(key.name)} = {placeholder}" for key in self.keys)
        self.delete = f"DELETE FROM {self.table} WHERE {conditions}"  # noqa: S608 - of our own models' names


class _SqliteTable:
    def __init__(self, table: Table) -> None:
        self._sql = _Sql(table, sqlite.dialect(), "?")
        self._record = _compile(self._sql.columns, "padded({})")
        self._key = _compile(self._sql.keys, "padded({})", by_name=False)
        self._sizes = [size for size in SQLITE_ROWS if size * len(self._sql.columns) <= SQLITE_VARIABLES]

    def insert(self, rows: Sequence[Row]) -> Write:
        return self._write(rows, "")

    def upsert(self, rows: Sequence[Row]) -> Write:
        return self._write(rows, self._sql.merge)

    def delete(self, keys: Sequence[tuple[Any, ...]]) -> Write:
        encoded = list(map(self._key, keys))
        return lambda connection: _execute(connection, self._sql.delete, encoded)

    def _write(self, rows: Sequence[Row], conflict: str) -> Write:
        records = list(map(self._record, rows))

        def write(connection: Connection) -> None:
            start = 0
            for size in self._sizes:
                sql = f"{self._sql.insert} VALUES {', '.join([self._sql.values] * size)}{conflict}"
                while len(records) - start >= size:
                    values = tuple(chain.from_iterable(records[start : start + size]))
                    connection.exec_driver_sql(sql, values)
                    start += size
            _execute(connection, f"{self._sql.insert} VALUES {self._sql.values}{conflict}", records[start:])

        return write


class _PostgresTable:
    def __init__(self, table: Table) -> None:
        self._sql = _Sql(table, PGDialect(), "%s")  # type: ignore[no-untyped-call] # SQLAlchemy does not annotate it
        self._record = _compile(self._sql.columns, "unsigned({})")
        self._key = _compile(self._sql.keys, "unsigned({})", by_name=False)
        self._plain = _compile_line(self._sql.columns, escape="{}")
        self._escaped = _compile_line(self._sql.columns, escape="escaped({})")
        self._staging = f"staged_{table.name}"

    def insert(self, rows: Sequence[Row]) -> Write:
        return self._copy(self._sql.table, rows)

    def upsert(self, rows: Sequence[Row]) -> Write:
        sql = self._sql
        if len(rows) < STAGED_ROWS:
            records = list(map(self._record, rows))
            return lambda connection: _execute(connection, f"{sql.insert} VALUES {sql.values}{sql.merge}", records)
        copy = self._copy(self._staging, rows)

        def merge(connection: Connection) -> None:
            connection.exec_driver_sql(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {self._staging} (LIKE {sql.table}) ON COMMIT DELETE ROWS"
            )
            copy(connection)
            connection.exec_driver_sql(
                f"{sql.insert} SELECT {sql.names} FROM {self._staging}{sql.merge}"  # noqa: S608 - our models' names
            )

        return merge

    def delete(self, keys: Sequence[tuple[Any, ...]]) -> Write:
        encoded = list(map(self._key, keys))
        return lambda connection: _execute(connection, self._sql.delete, encoded)

    def _copy(self, into: str, rows: Sequence[Row]) -> Write:
        lines = self._lines(rows).encode()

        def write(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor, cursor.copy(f"COPY {into} ({self._sql.names}) FROM STDIN") as copy:
                copy.write(lines)

        return write

    def _lines(self, rows: Sequence[Row]) -> str:
        """Spell rows for COPY. Hardly any text has characters to escape, so all are searched for them at once."""
        lines = "".join(map(self._plain, rows))
        tabs = len(rows) * (len(self._sql.columns) - 1)
        if lines.count("\n") == len(rows) and lines.count("\t") == tabs and "\\" not in lines and "\r" not in lines:
            return lines
        return "".join(map(self._escaped, rows))


def _execute(connection: Connection, sql: str, records: list[tuple[Any, ...]]) -> None:
    if records:
        connection.exec_driver_sql(sql, records)


def _padded(value: int) -> str:
    """Spell an unsigned 256-bit integer as `Uint256` does on SQLite."""
    return f"{_unsigned(value):0{UINT256_DIGITS}d}"


def _unsigned(value: int) -> int:
    if not 0 <= value <= UINT256_MAX:
        raise ValueError(f"{value} is not an unsigned 256-bit integer")
    return value


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


_FUNCTIONS: Final = {"padded": _padded, "unsigned": _unsigned, "json": _json, "escaped": _escaped, "null": "\\N"}


def _compile(columns: Sequence[Column[Any]], uint256: str, *, by_name: bool = True) -> Callable[[Any], tuple[Any, ...]]:
    """Compile a function that encodes a row, or a key where not `by_name`: in a third of a loop's time."""
    fields = []
    for position, column in enumerate(columns):
        value = f"row[{column.name!r}]" if by_name else f"row[{position}]"
        encoder = {Uint256: uint256, JSON: "json({})"}.get(type(column.type), "{}")
        fields.append(encoder.format(value))
    return _evaluated(f"lambda row: ({', '.join(fields)},)")


def _compile_line(columns: Sequence[Column[Any]], *, escape: str) -> Callable[[Row], str]:
    """Compile a function that spells a row as COPY's text format has it, texts by the expression `escape`."""
    fields = []
    for column in columns:
        value = f'row["{column.name}"]'
        spelt = value
        if isinstance(column.type, Uint256):
            spelt = f"unsigned({value})"
        elif isinstance(column.type, JSON):
            spelt = escape.format(f"json({value})")
        elif isinstance(column.type, String):
            spelt = escape.format(value)
        fields.append(f"{{null if {value} is None else {spelt}}}" if column.nullable else f"{{{spelt}}}")
    separator = "\\t"
    return _evaluated(f"lambda row: f'{separator.join(fields)}\\n'")


def _evaluated(source: str) -> Callable[..., Any]:
    function: Callable[..., Any] = eval(source, _FUNCTIONS)  # noqa: S307 - of our own models' names
    return function
