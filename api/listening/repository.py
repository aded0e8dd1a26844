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
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.db import Database
from encore.db.models.accounts import Account, AccountFollow, CreatorFollow
from encore.db.models.base import Base, BigInt
from encore.db.models.creators import Creator
from encore.db.models.listening import Play, Track
from encore.db.types import UtcDateTime

SQLITE_CACHE_KIB: Final = 65_536
"""Random inserts into indexes stay in memory up to this size; the default of 2 MiB would write pages many times."""

_metadata = MetaData()


def _staging_table(name: str, *columns: Column[Any]) -> Table:
    ordinal = Column("ordinal", BigInt, primary_key=True)
    return Table(name, _metadata, ordinal, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


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
    Column("wallet", Text),
)
"""The creators that the platform does not know yet, with what it gives them."""


class Count(NamedTuple):
    """How many distinct things a log tells of, and how many of them are new."""

    in_log: int
    new: int

    @property
    def known(self) -> int:
        """How many the platform knew already, or the log tells again."""
        return self.in_log - self.new


class StagedCreator(NamedTuple):
    """A creator of the log that the platform does not know; `ordinal` is the order of the log."""

    ordinal: int
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
    wallet: str | None


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
        """Add rows, each with the columns of the staging table but its ordinal, in order."""
        if not rows:
            return
        columns = [column.name for column in table.columns if column.name != "ordinal"]
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
            for table in _metadata.sorted_tables:
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
        ).order_by(LISTENERS.c.ordinal)
        new = await self._insert_new(Account, ["source", "external_id", "display_name", "created_at"], statement)
        return Count(await self._count(select(LISTENERS.c.external_id).distinct()), new)

    async def unknown_creators(self, after: int, limit: int) -> list[StagedCreator]:
        """Return creators of the log that the platform does not know, in order, each once per mention."""
        statement = (
            select(CREATORS.c.ordinal, CREATORS.c.external_id, CREATORS.c.name, CREATORS.c.image_url)
            .where(
                CREATORS.c.ordinal > after,
                ~exists().where(Creator.source == self.source, Creator.external_id == CREATORS.c.external_id),
            )
            .order_by(CREATORS.c.ordinal)
            .limit(limit)
        )
        return [StagedCreator(*row) for row in await self.connection.execute(statement)]

    async def reserve_creator_ids(self, count: int) -> list[int]:
        """Return ids that no other creator has or will get."""
        if self._is_sqlite:
            last = await self.connection.scalar(select(func.coalesce(func.max(Creator.id), 0)))
            return list(range(last + 1, last + 1 + count))
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
        names = ["id", "external_id", "name", "image_url", "slug", "wallet"]
        statement = select(*(NEW_CREATORS.c[name] for name in names), literal(self.source), literal(""), self._now())
        await self.connection.execute(
            insert(Creator).from_select([*names, "source", "description", "created_at"], statement)
        )
        await self.connection.execute(NEW_CREATORS.delete())

    async def count_creators(self) -> int:
        """Return how many creators the log tells of."""
        return await self._count(select(CREATORS.c.external_id).distinct())

    async def add_tracks(self) -> Count:
        """Create the tracks; a known one keeps its duration."""
        statement = (
            select(Creator.id, TRACKS.c.title, TRACKS.c.duration_seconds, self._now())
            .join_from(TRACKS, Creator, self._is_creator(TRACKS.c.creator))
            .order_by(TRACKS.c.ordinal)
        )
        new = await self._insert_new(Track, ["creator_id", "title", "duration_seconds", "created_at"], statement)
        return Count(await self._count(select(TRACKS.c.creator, TRACKS.c.title).distinct()), new)

    async def add_plays(self) -> Count:
        """Create the plays."""
        played_at: ColumnElement[Any] = (
            func.strftime("%Y-%m-%d %H:%M:%S.000000", PLAYS.c.played_at, "unixepoch")
            if self._is_sqlite
            else func.to_timestamp(PLAYS.c.played_at)
        )
        statement = (
            select(
                Creator.id,
                Account.id,
                Track.id,
                played_at,
                PLAYS.c.listened_seconds,
                PLAYS.c.play_count,
                literal(self.source),
                PLAYS.c.event_key,
            )
            .select_from(PLAYS)
            .join(Creator, self._is_creator(PLAYS.c.creator))
            .join(Account, self._is_listener(Account.source, Account.external_id, PLAYS.c.listener))
            .outerjoin(Track, and_(Track.creator_id == Creator.id, Track.title == PLAYS.c.track))
            .order_by(PLAYS.c.ordinal)
        )
        columns = [
            "creator_id",
            "listener_id",
            "track_id",
            "played_at",
            "listened_seconds",
            "play_count",
            "source",
            "event_key",
        ]
        new = await self._insert_new(Play, columns, statement)
        return Count(await self._count(select(PLAYS.c.ordinal)), new)

    async def add_creator_follows(self) -> Count:
        """Let listeners follow the creators whom the log says they follow."""
        pairs = select(PLAYS.c.creator, PLAYS.c.listener).where(PLAYS.c.follows).distinct().subquery()
        statement = (
            select(Creator.id, Account.id, self._now())
            .select_from(pairs)
            .join(Creator, self._is_creator(pairs.c.creator))
            .join(Account, self._is_listener(Account.source, Account.external_id, pairs.c.listener))
            .order_by(Creator.id, Account.id)
        )
        new = await self._insert_new(CreatorFollow, ["creator_id", "follower_id", "created_at"], statement)
        return Count(await self._count(select(pairs)), new)

    async def add_friendships(self) -> Count:
        """Let listeners follow each other."""
        follower, followed = Account.__table__.alias(), Account.__table__.alias()
        statement = (
            select(follower.c.id, followed.c.id, self._now())
            .select_from(FRIENDSHIPS)
            .join(follower, self._is_listener(follower.c.source, follower.c.external_id, FRIENDSHIPS.c.follower))
            .join(followed, self._is_listener(followed.c.source, followed.c.external_id, FRIENDSHIPS.c.followed))
            .order_by(FRIENDSHIPS.c.ordinal)
        )
        new = await self._insert_new(AccountFollow, ["follower_id", "followed_id", "created_at"], statement)
        return Count(await self._count(select(FRIENDSHIPS.c.follower, FRIENDSHIPS.c.followed).distinct()), new)

    def _now(self) -> ColumnElement[datetime]:
        return literal(self.now, UtcDateTime())

    def _is_creator(self, external_id: ColumnElement[str]) -> ColumnElement[bool]:
        return and_(Creator.source == self.source, Creator.external_id == external_id)

    def _is_listener(
        self, source: ColumnElement[str], known: ColumnElement[str], external_id: ColumnElement[str]
    ) -> ColumnElement[bool]:
        return and_(source == self.source, known == external_id)

    async def _insert_new(self, model: type[Base], columns: Sequence[str], rows: Select[Any]) -> int:
        """Insert what no unique key knows yet and return how many rows that was."""
        insert_into = sqlite.insert if self._is_sqlite else postgresql.insert
        result = await self.connection.execute(insert_into(model).from_select(columns, rows).on_conflict_do_nothing())
        return result.rowcount

    async def _count(self, rows: Select[Any]) -> int:
        count: int = await self.connection.scalar(select(func.count()).select_from(rows.subquery()))
        return count


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
        await connection.exec_driver_sql("BEGIN")
        try:
            await connection.run_sync(_metadata.create_all)
            yield ListeningImport(connection, source, now)
        finally:
            await connection.invalidate()  # the temporary tables and the cache go with it
