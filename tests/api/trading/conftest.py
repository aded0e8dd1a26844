"""A market on a real chain."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encore.settings import Settings
from tests.api.mirrored import Market, market_of
from tests.conftest import LocalChain


@pytest.fixture
async def market(anvil: LocalChain, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Market]:
    """A launched coin with a pool, mirrored; which database it is makes no difference here."""
    settings = Settings(
        data_dir=tmp_path, database_url=sqlite_url, rpc_urls=(anvil.url,), api_cache_megabytes=0, _env_file=None
    )
    async with market_of(settings) as market:
        yield market
