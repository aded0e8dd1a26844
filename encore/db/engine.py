"""Opening the database: one `Database` per process, read sessions apart from write sessions."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from encore.db.drivers import PostgresqlPool, SqlitePool
from encore.db.reading import ReadSession, Statements
from encore.db.types import SqliteWeiSum, sqlite_wei_value

SQLITE_BUSY_TIMEOUT_MS = 60_000
SQLITE_CACHE_KIB = 32_768
"""The pages that a bulk load keeps touching fit; SQLite's own 2 MB make it read them again and again."""

T = TypeVar("T")


class WriteSession(AsyncSession):
    """One unit of work: opened and committed at the edge (a request, a job), nowhere else."""


class Database:
    """The engine of one process over SQLite (`sqlite:///path`) or PostgreSQL (`postgresql://…`)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            async_url(url), connect_args={"factory": _SqliteConnection} if self.is_sqlite else {}
        )
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "begin", _begin_immediate)
        self._statements = Statements(self.engine.dialect)
        self._readers = SqlitePool(self._synchronous(max_overflow=-1)) if self.is_sqlite else PostgresqlPool(url)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.startswith("sqlite")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """Open a read session in autocommit: it holds no transaction open."""
        async with self._readers.connect() as driver:
            yield ReadSession(driver, self._statements)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """Open a read session whose statements all see one committed state: figures that must be of one block."""
        async with self._readers.connect() as driver, driver.snapshot():
            yield ReadSession(driver, self._statements)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Open a unit of work with the ORM; commits on leaving, rolls back on an exception."""
        async with WriteSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a Core transaction for bulk work; commits on leaving, rolls back on an exception."""
        async with self.engine.begin() as connection:
            yield connection

    async def in_thread(self, work: Callable[[Connection], T]) -> T:
        """Do bulk `work` in one transaction on a thread, so that the driver runs beside the event loop.

        Whoever is cancelled meanwhile waits until it is committed or rolled back.
        """
        working = asyncio.get_running_loop().run_in_executor(None, self._work, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working])
            raise

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()
        await self._readers.close()
        if "_threaded" in self.__dict__:
            self._threaded.dispose()

    @cached_property
    def _threaded(self) -> Engine:
        return self._synchronous()

    def _synchronous(self, **options: Any) -> Engine:
        connect_args = {"factory": _SqliteConnection} if self.is_sqlite else {}
        engine = create_engine(sync_url(self.url), connect_args=connect_args, **options)
        if self.is_sqlite:
            event.listen(engine, "begin", _begin_immediate)
        return engine

    def _work(self, work: Callable[[Connection], T]) -> T:
        with self._threaded.begin() as connection:
            return work(connection)


def async_url(url: str) -> str:
    """Name the asynchronous driver in a public database URL."""
    return url.replace("sqlite://", "sqlite+aiosqlite://", 1).replace("postgresql://", "postgresql+asyncpg://", 1)


def sync_url(url: str) -> str:
    """Name the synchronous driver in a public database URL (migrations and the job store are synchronous)."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


class _SqliteConnection(sqlite3.Connection):
    """A connection set up for several processes on one file: WAL, a patient lock, durable commits, exact sums."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.isolation_level = None  # BEGIN is ours to send, see _begin_immediate
        self.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_MS}")
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=FULL")
        self.execute(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")
        self.execute("PRAGMA foreign_keys=ON")
        self.create_aggregate("wei_sum", 1, SqliteWeiSum)  # type: ignore[arg-type] # typeshed knows only int and None
        self.create_function("wei_value", 2, sqlite_wei_value, deterministic=True)

    def close(self) -> None:
        """Roll back, then close.

        SQLite itself would roll back only once the last statement is freed, which the traceback of a cancelled task may
        hold on to: until then nobody else could write.
        """
        if self.in_transaction:
            self.rollback()
        super().close()


def _begin_immediate(connection: Any) -> None:
    """Take the write lock at the start: a transaction that reads first and writes later could not wait for it."""
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
