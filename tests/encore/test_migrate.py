from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from encore.db import migrate
from encore.db.engine import sync_url
from encore.db.models import Base
from encore.errors import DatabaseError


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with nothing in it, not even the schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/encore.db"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def test_the_migrations_make_exactly_the_schema_of_the_models(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    assert migrate.schema_differences(empty_database) == []


def test_upgrading_twice_changes_nothing_and_rolling_back_empties(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    migrate.upgrade(empty_database)
    migrate.check_schema(empty_database)
    migrate.downgrade(empty_database, "base")
    engine = create_engine(sync_url(empty_database))
    assert set(inspect(engine).get_table_names()) & set(Base.metadata.tables) == set()
    engine.dispose()
    with pytest.raises(DatabaseError, match="older than this version of Encore; run `encore db upgrade`"):
        migrate.check_schema(empty_database)


def test_a_database_from_a_newer_version_is_refused_and_left_alone(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    engine = create_engine(sync_url(empty_database))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (migrate.upgrade, migrate.check_schema):
        with pytest.raises(DatabaseError, match="at schema '9999', which this version does not know: a newer Encore"):
            use(empty_database)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_a_database_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"no database at .*; run `encore db upgrade`"):
        migrate.check_schema(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(DatabaseError, match=r"cannot use the database postgresql://u:\*\*\*@127.0.0.1:1/x") as failure:
        migrate.check_schema("postgresql://u:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(failure.value)


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "encore.db"
    path.write_text("this is not a database, only some text that is long enough to be read as a header " * 20)
    with pytest.raises(DatabaseError, match="file is not a database"):
        migrate.upgrade(f"sqlite:///{path}")
