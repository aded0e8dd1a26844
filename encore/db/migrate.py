"""Schema migrations: bringing a database to this version's schema, and refusing one that is not at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from encore.db.engine import sync_url
from encore.db.models import Base
from encore.errors import DatabaseError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
FIRST_STEP: Final = "encore db upgrade"


def upgrade(url: str, revision: str = "head") -> None:
    """Create or upgrade the schema at `url`; raises `DatabaseError` when it is newer or unreachable."""
    with _connection(url, create=True) as connection:
        _refuse_newer(connection)
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Roll the schema at `url` back to `revision` (`base` empties it)."""
    with _connection(url) as connection:
        _refuse_newer(connection)
        command.downgrade(_config(connection), revision)


def check_schema(url: str) -> None:
    """Raise `DatabaseError` unless the schema at `url` is exactly the one that this version needs."""
    with _connection(url) as connection:
        _refuse_newer(connection)
        if _revision(connection) != _head():
            raise DatabaseError(f"the database schema is older than this version of Encore; run `{FIRST_STEP}`")


def schema_differences(url: str) -> list[object]:
    """Return what separates the schema at `url` from the models; empty when the migrations are complete."""
    with _connection(url) as connection:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


@contextmanager
def _connection(url: str, *, create: bool = False) -> Iterator[Connection]:
    parsed = make_url(url)
    if parsed.drivername == "sqlite" and parsed.database:
        path = Path(parsed.database)
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.exists():
            raise DatabaseError(f"no database at {path}; run `{FIRST_STEP}` (or `encore up`)")
    engine = create_engine(sync_url(url))
    try:
        if create and parsed.drivername == "sqlite":
            _use_wal(engine)
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise DatabaseError(
            f"cannot use the database {parsed.render_as_string(hide_password=True)}: {reason}"
        ) from error
    finally:
        engine.dispose()


def _use_wal(engine: Engine) -> None:
    """Put the file into WAL mode while nobody else has it open: connections that came together would collide."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _head() -> str | None:
    return _scripts().get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: Connection) -> None:
    revision = _revision(connection)
    if revision is not None and revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise DatabaseError(
            f"the database is at schema {revision!r}, which this version does not know: a newer Encore made it. "
            "Update Encore, or point ENCORE_DATABASE_URL at another database"
        )
