"""A node in memory, databases to fill from it, and the commands that do."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from encore.db import Database
from tests.indexer.command import Command
from tests.indexer.node import FakeNode


@pytest.fixture
async def node() -> AsyncIterator[FakeNode]:
    async with FakeNode() as node:
        yield node


@pytest.fixture
async def fresh_database(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Database]:
    """A second database, to index the surviving chain from the start."""
    path = tmp_path / "fresh.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    await database.close()


@pytest.fixture
def command(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Command]]:
    """Make commands with settings of their own; what they started is killed after the test."""
    made: list[Command] = []

    def make(**settings: str) -> Command:
        made.append(
            Command(tmp_path / "run.log", data_dir=str(tmp_path / "data"), database_url=database_url, **settings)
        )
        return made[-1]

    yield make
    for process in [process for command in made for process in command.started]:
        process.kill()
        process.wait()
