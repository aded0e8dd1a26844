"""All SQL of the import of listening logs: staging tables, and the statements that carry them into the platform's.

A log is staged in temporary tables first, so that the write lock of SQLite is held for the set-based part alone.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from encore.db import Database
from encore.db.models.accounts import Account, AccountFollow, CreatorFollow
from encore.db.models.base import Base
from encore.db.models.creators import Creator
from encore.db.models.listening import Play, Track
from encore.db.types import UtcDateTime

SQLITE_CACHE_KIB: Final = 65_536
"""Random inserts into indexes stay in memory up to this size; the default of 2 MiB would write pages many times."""

_metadata = MetaData()


def _staging_table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _metadata, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


LISTENERS: Final = _staging_table(
    "staged_listeners", Column("external_id", Text, nullable=False), Column("display_name", Text, nullable=False)
)
CREATORS: Final = _staging_table(
    "staged_creators",
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("image_url", Text, nullable=False),
)
TRACKS: Final = _staging_table(
    "staged_tracks",
    Column("creator", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("duration_seconds", BigInteger),
)
PLAYS: Final = _staging_table(
    "staged_plays",
    Column("listener", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("track", Text),
    Column("played_at", BigInteger, nullable=False),
    Column("listened_seconds", BigInteger),
    Column("play_count", BigInteger, nullable=False),
    Column("event_key", Text, nullable=False),
    Column("follows", Boolean, nullable=False),
)
FRIENDSHIPS: Final = _staging_table(
    "staged_friendships", Column("follower", Text, nullable=False), Column("followed", Text, nullable=False)
)
NEW_CREATORS: Final = _staging_table(
    "staged_new_creators",
    Column("id", BigInteger, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("image_url", Text, nullable=False),
    Column("slug", Text, nullable=False),
)
WALLETS: Final = _staging_table(
    "staged_wallets", Column("creator_id", BigInteger, nullable=False), Column("address", Text, nullable=False)
)
RESOLVED_PLAYS: Final = _staging_table(
    "staged_resolved_plays",
    Column("creator_id", BigInteger, nullable=False),
    Column("listener_id", BigInteger, nullable=False),
    Column("track_id", BigInteger),
    Column("played_at", BigInteger, nullable=False),
    Column("listened_seconds", BigInteger),
    Column("play_count", BigInteger, nullable=False),
    Column("event_key", Text, nullable=False),
    Column("follows", Boolean, nullable=False),
)
"""The plays, with the platform's ids of their listeners, creators and tracks."""


class Count(NamedTuple):
    """How many distinct things a log tells of, and how many of them are new."""

    in_log: int
    new: int

    @property
    def known(self) -> int:
        """How many the platform knew already, or the log tells again."""
        return self.in_log - self.new


class StagedCreator(NamedTuple):
    """A creator of the log that the platform does not know."""

    external_id: str
    name: str
    image_url: str


class NewCreator(NamedTuple):
    """A creator as it will be stored."""

    id: int
    external_id: str
    name: str
    image_url: str
    slug: str


@dataclass(frozen=True, slots=True)
class ListeningImport:
    """One import over one connection; `source` names the format, `now` is the time of the import."""

    connection: AsyncConnection
    source: str
    now: datetime

    @property
    def _is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    async def stage(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows, each with the columns of the staging table."""
        if not rows:
            return
        columns = [column.name for column in table.columns]
        if self._is_sqlite:
            statement = str(insert(table).compile(dialect=self.connection.dialect, column_keys=columns))
            await self.connection.exec_driver_sql(statement, list(rows))
        else:
            raw = await self.connection.get_raw_connection()
            assert raw.driver_connection is not None  # noqa: S101 - it is there while the connection is open
            await raw.driver_connection.copy_records_to_table(table.name, records=rows, columns=columns)

    @asynccontextmanager
    async def transfer(self) -> AsyncIterator[None]:
        """Hold the write lock: everything inside is committed together on leaving, or not at all."""
        if not self._is_sqlite:
            # Another import waits here for this one; readers do not.
            await self.connection.exec_driver_sql("LOCK TABLE creators IN SHARE ROW EXCLUSIVE MODE")
            await self.connection.exec_driver_sql("SET LOCAL jit = off")  # compiling costs more than it saves here
            await self.connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")
            for table in (LISTENERS, CREATORS, TRACKS, PLAYS, FRIENDSHIPS):  # nobody else tells the planner of these
                await self.connection.exec_driver_sql(f"ANALYZE {table.name}")
            yield
            return
        await self.connection.exec_driver_sql("COMMIT")
        await self.connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        await self.connection.exec_driver_sql("COMMIT")

    async def add_listeners(self) -> Count:
        """Create the accounts of listeners."""
        statement = select(
            literal(self.source), LISTENERS.c.external_id, LISTENERS.c.display_name, self._now()
        ).order_by(self._log_order(LISTENERS))
        new = await self._insert_new(Account, ["source", "external_id", "display_name", "created_at"], statement)
        return Count(await self._count(select(LISTENERS.c.external_id).distinct()), new)

    async def unknown_creators(self) -> list[StagedCreator]:
        """Return the creators of the log that the platform does not know, in the log's order."""
        statement = (
            select(CREATORS)
            .outerjoin(Creator, self._creators(CREATORS.c.external_id))
            .where(Creator.id.is_(None))
            .order_by(self._log_order(CREATORS))
        )
        rows = await self.connection.execute(statement)
        first = {row.external_id: StagedCreator(*row) for row in reversed(rows.all())}
        return list(first.values())[::-1]

    async def reserve_creator_ids(self, count: int) -> list[int]:
        """Return ids that no other creator has or will get."""
        if self._is_sqlite:
            last: int | None = await self.connection.scalar(select(func.max(Creator.id)))
            first = (last or 0) + 1
            return list(range(first, first + count))
        sequence = func.nextval(func.pg_get_serial_sequence("creators", "id"))
        rows = await self.connection.execute(select(sequence).select_from(func.generate_series(1, count)))
        return list(rows.scalars())

    async def taken_slugs(self, slugs: Iterable[str]) -> set[str]:
        """Return those of `slugs` that creators have."""
        rows = await self.connection.execute(select(Creator.slug).where(Creator.slug.in_(slugs)))
        return set(rows.scalars())

    async def add_creators(self, creators: Sequence[NewCreator]) -> None:
        """Create creators."""
        await self.stage(NEW_CREATORS, creators)
        names = [column.name for column in NEW_CREATORS.columns]
        statement = select(*NEW_CREATORS.columns, literal(self.source), literal(""), self._now())
        await self.connection.execute(
            insert(Creator).from_select([*names, "source", "description", "created_at"], statement)
        )

    async def set_wallets(self, wallets: Iterable[tuple[int, str]]) -> None:
        """Give creators (by id) their wallets."""
        await self.stage(WALLETS, list(wallets))
        await self.connection.execute(
            update(Creator).where(Creator.id == WALLETS.c.creator_id).values(wallet=WALLETS.c.address)
        )

    async def count_creators(self) -> int:
        """Return how many creators the log tells of."""
        return await self._count(select(CREATORS.c.external_id).distinct())

    async def add_tracks(self) -> Count:
        """Create the tracks; a known one keeps its duration."""
        statement = (
            select(Creator.id, TRACKS.c.title, TRACKS.c.duration_seconds, self._now())
            .join_from(TRACKS, Creator, self._creators(TRACKS.c.creator))
            .order_by(self._log_order(TRACKS))
        )
        new = await self._insert_new(Track, ["creator_id", "title", "duration_seconds", "created_at"], statement)
        return Count(await self._count(select(TRACKS.c.creator, TRACKS.c.title).distinct()), new)

    async def resolve_plays(self) -> None:
        """Find the listener, creator and track of each play; all of them must have been added."""
        statement = (
            select(
                Creator.id,
                Account.id,
                Track.id,
                PLAYS.c.played_at,
                PLAYS.c.listened_seconds,
                PLAYS.c.play_count,
                PLAYS.c.event_key,
                PLAYS.c.follows,
            )
            .select_from(PLAYS)
            .join(Creator, self._creators(PLAYS.c.creator))
            .join(Account, self._accounts(PLAYS.c.listener))
            .outerjoin(Track, and_(Track.creator_id == Creator.id, Track.title == PLAYS.c.track))
            .order_by(self._log_order(PLAYS))
        )
        await self.connection.execute(insert(RESOLVED_PLAYS).from_select(list(RESOLVED_PLAYS.c), statement))

    async def add_plays(self) -> Count:
        """Create the resolved plays."""
        resolved = RESOLVED_PLAYS.c
        played_at: ColumnElement[Any] = (
            func.strftime("%Y-%m-%d %H:%M:%S.000000", resolved.played_at, "unixepoch")
            if self._is_sqlite
            else func.to_timestamp(resolved.played_at)
        )
        copied = ["creator_id", "listener_id", "track_id", "listened_seconds", "play_count", "event_key"]
        statement = select(*(resolved[name] for name in copied), played_at, literal(self.source)).order_by(
            self._log_order(RESOLVED_PLAYS)
        )
        new = await self._insert_new(Play, [*copied, "played_at", "source"], statement)
        return Count(await self._count(select(PLAYS.c.listener)), new)

    async def add_creator_follows(self) -> Count:
        """Let listeners follow the creators whom the resolved plays say they follow."""
        resolved = RESOLVED_PLAYS.c
        pairs = select(resolved.creator_id, resolved.listener_id).where(resolved.follows).distinct()
        statement = pairs.add_columns(self._now()).order_by(resolved.creator_id, resolved.listener_id)
        new = await self._insert_new(CreatorFollow, ["creator_id", "follower_id", "created_at"], statement)
        return Count(await self._count(pairs), new)

    async def add_friendships(self) -> Count:
        """Let listeners follow each other."""
        follower, followed = aliased(Account), aliased(Account)
        statement = (
            select(follower.id, followed.id, self._now())
            .select_from(FRIENDSHIPS)
            .join(follower, self._accounts(FRIENDSHIPS.c.follower, follower))
            .join(followed, self._accounts(FRIENDSHIPS.c.followed, followed))
            .order_by(self._log_order(FRIENDSHIPS))
        )
        new = await self._insert_new(AccountFollow, ["follower_id", "followed_id", "created_at"], statement)
        return Count(await self._count(select(FRIENDSHIPS.c.follower, FRIENDSHIPS.c.followed).distinct()), new)

    def _log_order(self, table: Table) -> ColumnElement[Any]:
        """What sorts a staging table as it was filled: both databases append and know where each row is."""
        return literal_column(f"{table.name}.{'rowid' if self._is_sqlite else 'ctid'}")

    def _now(self) -> ColumnElement[datetime]:
        return literal(self.now, UtcDateTime())

    def _creators(self, external_id: ColumnElement[str]) -> ColumnElement[bool]:
        return and_(Creator.source == self.source, Creator.external_id == external_id)

    def _accounts(self, external_id: ColumnElement[str], account: type[Account] = Account) -> ColumnElement[bool]:
        return and_(account.source == self.source, account.external_id == external_id)

    async def _insert_new(self, model: type[Base], columns: Sequence[str], rows: Select[*tuple[Any, ...]]) -> int:
        """Insert what no unique key knows yet and return how many rows that was."""
        insert_into = sqlite.insert if self._is_sqlite else postgresql.insert
        result = await self.connection.execute(insert_into(model).from_select(columns, rows).on_conflict_do_nothing())
        return result.rowcount

    async def _count(self, rows: Select[*tuple[Any, ...]]) -> int:
        statement = select(func.count()).select_from(rows.subquery())
        return (await self.connection.execute(statement)).scalar_one()


@asynccontextmanager
async def listening_import(database: Database, source: str, now: datetime) -> AsyncIterator[ListeningImport]:
    """Open an import: stage a log, then `transfer` it; without that nothing remains."""
    if not database.is_sqlite:
        async with database.transaction() as connection:
            await connection.run_sync(_metadata.create_all)
            yield ListeningImport(connection, source, now)
        return
    async with database.engine.connect() as connection:
        # Two transactions of our own: while the temporary tables fill, others may write the database itself.
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.exec_driver_sql(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
        await connection.exec_driver_sql(f"PRAGMA temp.cache_size = -{SQLITE_CACHE_KIB}")
        await connection.exec_driver_sql("BEGIN")
        try:
            await connection.run_sync(_metadata.create_all)
            yield ListeningImport(connection, source, now)
        finally:
            await connection.invalidate()  # the temporary tables and the cache go with it
