"""A node in memory with a random economy on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encore.db import Database
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
