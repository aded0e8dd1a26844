"""Connections for reading, without SQLAlchemy's execution between, which takes longer than the drivers'."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from typing import Any, Final, Protocol, cast

import asyncpg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

POSTGRESQL_CONNECTIONS: Final = 15
ACQUIRE_SECONDS: Final = 30.0
"""How long a read waits for a connection that others hold."""
CLOSE_SECONDS: Final = 10.0
"""How long reads that are under way may still take when the database is closed."""

_UNAVAILABLE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,  # also of arguments that have the wrong type, but these are a ValueError too
    asyncpg.InternalClientError,  # the server has said why it closes the connection, and not closed it yet
    OSError,
)

Values = Sequence[Any]


class Driver(Protocol):
    """A connection."""

    def snapshot(self) -> AbstractAsyncContextManager[Any]:
        """Let all statements within see one committed state."""

    async def fetch(self, sql: str, arguments: Values) -> tuple[Iterable[str], Sequence[Values]]:
        """Execute one statement; returns the names of its columns (none may be told where no row is) and its rows.

        Raises SQLAlchemy's `DBAPIError`, `OperationalError` where the database itself cannot go on.
        """


class SqlitePool:
    """Connections to one file that `engine` opens and keeps; nobody waits for one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Driver]:
        """Lend a connection; raises `OperationalError` where the file cannot be opened."""
        try:
            lent = self._engine.raw_connection()
        except sqlite3.Error as error:
            raise OperationalError("connect", None, error) from error
        with closing(lent) as pooled:
            yield SqliteDriver(cast("sqlite3.Connection", pooled.driver_connection))

    async def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


class SqliteDriver:
    """Executes where it is called, on the event loop.

    It reads pages that are in memory, and handing a statement to a thread takes longer than most of them.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """Let all statements within see one committed state."""
        self._connection.execute("BEGIN")  # the state is taken at the first statement that reads
        try:
            yield
        finally:
            self._connection.rollback()

    async def fetch(self, sql: str, arguments: Values) -> tuple[Iterable[str], Sequence[Values]]:
        """Execute one statement."""
        try:
            cursor = self._connection.execute(sql, arguments)
            return [name for name, *_ in cursor.description or ()], cursor.fetchall()
        except sqlite3.OperationalError as error:
            raise OperationalError(sql, None, error) from error
        except sqlite3.Error as error:
            raise DBAPIError(sql, None, error) from error


class PostgresqlPool:
    """asyncpg's connections to one database, opened when they are needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Driver]:
        """Lend a connection; raises `OperationalError` where there is none to get."""
        pool = self._pool or await self._open()
        try:
            connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise OperationalError("connect", None, error) from error
        try:
            yield PostgresqlDriver(connection)
        finally:
            await pool.release(connection)

    async def close(self) -> None:
        """Close the connections, those in use when they are given back."""
        if self._pool is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._pool.close(), CLOSE_SECONDS)

    async def _open(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=0, max_size=POSTGRESQL_CONNECTIONS, init=_decode_json, reset=_keep
                )
        return self._pool


class PostgresqlDriver:
    """Executes with asyncpg, which prepares each statement once for a connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """Let all statements within see one committed state."""
        await self.fetch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())  # taken at the first that reads
        try:
            yield
        finally:
            with suppress(OperationalError):  # with its connection the transaction is gone as well
                await self.fetch("ROLLBACK", ())

    async def fetch(self, sql: str, arguments: Values) -> tuple[Iterable[str], Sequence[Values]]:
        """Execute one statement."""
        try:
            records = await self._connection.fetch(sql, *arguments)
        except (asyncpg.PostgresError, *_UNAVAILABLE) as error:
            is_mistaken = isinstance(error, ValueError) or not isinstance(error, _UNAVAILABLE)
            raise (DBAPIError if is_mistaken else OperationalError)(sql, None, error) from error
        return (records[0].keys() if records else ()), records


async def _decode_json(connection: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _keep(_connection: Any) -> None:
    """Reset nothing: reads leave nothing behind, and asking the server to forget takes as long as reading."""
