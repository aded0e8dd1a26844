"""A market on a real chain."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encore.settings import Settings
from tests.api.mirrored import Market, market_of
from tests.conftest import LocalChain


@pytest.fixture
def chain_settings(anvil: LocalChain, tmp_path: Path, sqlite_url: str) -> Settings:
    """Settings over a real chain; which database it is makes no difference here."""
    return Settings(
        data_dir=tmp_path, database_url=sqlite_url, rpc_urls=(anvil.url,), api_cache_megabytes=0, _env_file=None
    )


@pytest.fixture
async def market(chain_settings: Settings) -> AsyncIterator[Market]:
    """A launched coin with a pool, mirrored."""
    async with market_of(chain_settings) as market:
        yield market


@pytest.fixture
async def governed(chain_settings: Settings) -> AsyncIterator[Market]:
    """The same beside SPARK and its governor."""
    async with market_of(chain_settings, governed=True) as market:
        yield market
