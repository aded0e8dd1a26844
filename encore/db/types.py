"""Column types that mean the same on SQLite and PostgreSQL: exact 256-bit integers, their sum, and UTC times."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.dialects.postgresql import ARRAY, NUMERIC
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

UINT256_MAX: Final = 2**256 - 1
UINT256_DIGITS: Final = 78
WEI_PER_TOKEN: Final = 10**18


class Uint256(TypeDecorator[int]):
    """An unsigned 256-bit integer (wei, shares, counts read from the chain): `int` in Python.

    NUMERIC(78,0) on PostgreSQL. On SQLite 78 zero-padded decimal digits, so that text order is numeric order.
    Binding anything outside 0 … 2**256 - 1 raises `ValueError`.
    """

    impl = String(UINT256_DIGITS)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick the exact representation of the dialect."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(NUMERIC(UINT256_DIGITS, 0))
        return dialect.type_descriptor(String(UINT256_DIGITS))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Encode an int for the dialect."""
        if value is None:
            return None
        if not 0 <= value <= UINT256_MAX:
            raise ValueError(f"{value} is not an unsigned 256-bit integer")
        return Decimal(value) if dialect.name == "postgresql" else f"{value:078d}"

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Decode to int."""
        return None if value is None else int(value)


class wei_sum(GenericFunction[int]):  # noqa: N801 - the name it has in SQL
    """Exact SUM over a `Uint256` column, 0 over no rows; on SQLite an aggregate that the engine registers."""

    type = Uint256()
    inherit_cache = True


@compiles(wei_sum, "postgresql")
def _wei_sum_postgresql(element: wei_sum, compiler: SQLCompiler, **kw: Any) -> str:
    return f"COALESCE(SUM({compiler.process(element.clauses, **kw)}), 0)"


class wei_value(GenericFunction[int]):  # noqa: N801 - the name it has in SQL
    """`amount` of a token in wei at `price` (native wei for one whole token), rounded down; NULL where either is."""

    type = Uint256()
    inherit_cache = True


@compiles(wei_value, "postgresql")
def _wei_value_postgresql(element: wei_value, compiler: SQLCompiler, **kw: Any) -> str:
    amount, price = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"DIV({amount} * {price}, {WEI_PER_TOKEN})"


def sqlite_wei_value(amount: str | None, price: str | None) -> str | None:
    """Compute `wei_value` on SQLite connections."""
    if amount is None or price is None:
        return None
    return f"{int(amount) * int(price) // WEI_PER_TOKEN:078d}"


@compiles(wei_sum, "sqlite")
def _wei_sum_sqlite(element: wei_sum, compiler: SQLCompiler, **kw: Any) -> str:
    return f"COALESCE(wei_sum{compiler.process(element.clause_expr, **kw)}, '{0:078d}')"


class SqliteWeiSum:
    """The `wei_sum` aggregate of SQLite connections."""

    def __init__(self) -> None:
        self.total = 0

    def step(self, value: str | None) -> None:
        """Add one row."""
        if value is not None:
            self.total += int(value)

    def finalize(self) -> str:
        """Return the sum in the encoding of `Uint256`."""
        return f"{self.total:078d}"


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC-aware datetime; binding a naive one raises `ValueError`."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Normalise to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must be timezone-aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """SQLite forgets the zone: put UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Texts(TypeDecorator[Sequence[str]]):
    """Any number of texts as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick what the dialect can look into."""
        return dialect.type_descriptor(ARRAY(String) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        """Encode them for the dialect."""
        return list(value or ()) if dialect.name == "postgresql" else json.dumps(list(value or ()))


class among(GenericFunction[Any]):  # noqa: N801 - the name it has in SQL
    """Whether a text is one of `Texts`: what IN is, but a statement that stays the same however many they are."""

    type = NullType()  # a Boolean is compared with 1 on SQLite, and then no index helps
    inherit_cache = True


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    text, texts = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{text} = ANY ({texts})"


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    text, texts = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{text} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - compiled by SQLAlchemy
