"""A database and a chain that the commands of other processes work on, too."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encore.db import Database
from encore.db.migrate import upgrade
from tests.conftest import LocalChain
from tests.oracle.commands.shell import Shell
from tests.oracle.conftest import Loop, open_loop


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database as `encore db upgrade` leaves it, which the commands insist on."""
    url = f"sqlite:///{tmp_path / 'encore.db'}"
    upgrade(url)
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
def shell(database: Database, tmp_path: Path) -> Shell:
    return Shell({"ENCORE_DATABASE_URL": database.url, "ENCORE_DATA_DIR": str(tmp_path)})


@pytest.fixture
async def loop(anvil: LocalChain, database: Database, tmp_path: Path, shell: Shell) -> AsyncIterator[Loop]:
    shell.environment["ENCORE_RPC_URLS"] = anvil.url
    async with open_loop(anvil, database, tmp_path) as opened:
        yield opened
