"""Reads: SQLAlchemy Core writes a statement's SQL once, the driver executes it (docs/decisions/0007-reads.md)."""

from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import BindParameter, Dialect, Executable, SelectBase
from sqlalchemy.sql.compiler import SQLCompiler

from encore.db.drivers import Driver, Values

_NUMERIC_OID: Final = 1700
"""PostgreSQL's number of the type NUMERIC: how SQLAlchemy decodes numbers depends on how they are sent."""

STATEMENTS_KEPT: Final = 1_000
"""More than are built once; of those that are built for each use, the oldest are forgotten."""

Decoder = Callable[[Any], Any]


class Row(tuple[Any, ...]):
    """One row: a named tuple of the statement's columns."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class ReadSession:
    """Reads with SQLAlchemy Core; it cannot write."""

    def __init__(self, driver: Driver, statements: "Statements") -> None:
        self._driver = driver
        self._statements = statements

    async def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """Return every row."""
        compiled = self._statements.compiled(statement)
        return compiled.rows(*await self._driver.fetch(*compiled.bind(parameters or {})))

    async def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row | None:
        """Return the first row, or None."""
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    async def scalar(self, statement: Executable) -> Any:
        """Return the first column of the first row, or None."""
        row = await self.first(statement)
        return None if row is None else row[0]


class Statements:
    """The statements in the words of one database; one that is built once is compiled once."""

    def __init__(self, dialect: Dialect) -> None:
        self._compiled = lru_cache(STATEMENTS_KEPT)(lambda statement: _Compiled(statement, dialect))

    def compiled(self, statement: Executable) -> "_Compiled":
        """Return its SQL, and how its parameters and rows are translated."""
        return self._compiled(cast("Hashable", statement))


class _Compiled:
    """A statement in the words of one database."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = cast("Any", statement).compile(dialect=dialect)
        self._compiler: SQLCompiler = compiled
        self._sql = compiled.string
        self._expands = bool(compiled.post_compile_params)
        self._values: dict[str, Any] = {
            name: parameter.effective_value for name, parameter in compiled.binds.items() if not parameter.required
        }
        self._arguments = [(name, _encoder(compiled.binds[name], dialect)) for name in compiled.positiontup]
        self._decoders = _decoders(statement, dialect)
        self._row: Any = None

    def bind(self, parameters: Mapping[str, Any]) -> tuple[str, Values]:
        """Return the SQL and its arguments; an IN over a list has a place for each of its values."""
        if self._expands:
            expanded = self._compiler.construct_expanded_state(dict(parameters))
            processors: Mapping[str, Any] = expanded.processors
            encoders = {**dict(self._arguments), **processors}  # the latter are only of what was expanded
            arguments = [(name, encoders.get(name)) for name in expanded.positiontup or ()]
            return expanded.statement, _encoded(arguments, expanded.parameters)
        return self._sql, _encoded(self._arguments, {**self._values, **parameters})

    def rows(self, names: Iterable[str], found: Sequence[Values]) -> list[Row]:
        """Return what was found as named tuples of Python's values."""
        if not found:
            return []
        if self._row is None:
            self._row = cast("Any", namedtuple)("Row", names, rename=True)._make  # noqa: PYI024 - known only now
        make = self._row
        return [make(self._decoded(values)) for values in found]

    def _decoded(self, encoded: Values) -> Values:
        if not self._decoders:
            return encoded
        values = list(encoded)
        for index, decode in self._decoders:
            values[index] = decode(values[index])
        return values


def _encoder(parameter: BindParameter[Any], dialect: Dialect) -> Decoder | None:
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)


def _decoders(statement: Executable, dialect: Dialect) -> list[tuple[int, Decoder]]:
    """Return the places of the columns whose values are decoded, and how."""
    if not isinstance(statement, SelectBase):
        return []
    decoders = (
        column.type.dialect_impl(dialect).result_processor(dialect, _NUMERIC_OID)
        for column in statement.exported_columns
    )
    return [(index, decode) for index, decode in enumerate(decoders) if decode is not None]


def _encoded(arguments: Iterable[tuple[str, Decoder | None]], values: Mapping[str, Any]) -> Values:
    return [values[name] if encode is None else encode(values[name]) for name, encode in arguments]
