"""Clients that public generators make of the OpenAPI document compile, and are enough to live in the economy."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from api.main import create_app
from api.wire import checksummed, utc
from encore import PROJECT_ROOT
from encore.db import Database
from encore.settings import Settings, local_account_address, local_account_key
from indexer.heads import HeadSignal
from tests.api.conftest import EXCHANGE, deployed
from tests.api.mirrored import TRADER, Market, market_of
from tests.api.server import serving
from tests.conftest import LocalChain
from tests.factories import ETHER, NOW, address, checkpoint, pool, pool_guard, safeguards, save, token

HERE: Final = Path(__file__).parent
NODE_MODULES: Final = PROJECT_ROOT / "node_modules"
TOOLS: Final = NODE_MODULES / ".bin"
POLL_SECONDS: Final = 0.05
WALLET: Final = local_account_address(TRADER)

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


def run(*command: str | Path, folder: Path) -> str:
    """Run a program; returns what it said, which fails the test where it does not succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The OpenAPI document in a file."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(create_app(Settings(_env_file=None)).openapi()))
    return path


@pytest.fixture
def journey(document: Path) -> Path:
    """The script beside its generated client, compiled under TypeScript's strictest rules."""
    folder = document.parent / "typescript"
    folder.mkdir()
    for name in ("journey.ts", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(NODE_MODULES)
    run(TOOLS / "openapi-typescript", document, "-o", "api.d.ts", "--default-non-nullable=false", folder=folder)
    run(TOOLS / "tsc", "-p", ".", folder=folder)
    return folder / "journey.js"


@asynccontextmanager
async def indexing(market: Market, url: str) -> AsyncIterator[None]:
    """Mirror each block as it comes, as the indexer's process does."""
    async with HeadSignal(url, poll_seconds=POLL_SECONDS) as heads:
        task = asyncio.create_task(market.indexer.run(heads))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_a_wallet_trades_stakes_and_votes_by_the_generated_typescript_client(
    journey: Path, anvil: LocalChain, sqlite_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=sqlite_url, rpc_urls=(anvil.url,), _env_file=None)
    async with market_of(settings, governed=True) as market:
        spark = market.economy.contracts["SparkToken"]
        await spark.send("transfer", WALLET, 10**6 * ETHER)
        async with indexing(market, anvil.url), serving(create_app(settings)) as base:
            node = await asyncio.create_subprocess_exec(
                *("node", "--experimental-websocket", journey, base, anvil.url, local_account_key(TRADER)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            said, complaint = await node.communicate()
        assert node.returncode == 0, complaint.decode()
        told = json.loads(said)
        assert int(told["votes_for"]) == 10**6 * ETHER
        assert int(told["bought"]) + int(told["claimed"]) - 100 * ETHER == await market.tokens()
        for coin in (market.coin, spark):
            assert await coin.call("delegates", WALLET) == WALLET.lower()


async def test_the_generated_python_client_reads_the_market(document: Path, sqlite_url: str) -> None:
    folder = document.parent
    run(
        Path(sys.executable).with_name("openapi-python-client"),
        *("generate", "--path", document, "--output-path", "encore_client", "--meta", "none", "--fail-on-warning"),
        folder=folder,
    )
    run(sys.executable, "-m", "compileall", "-q", "encore_client", folder=folder)
    shutil.copy(HERE / "shopping.py", folder)
    settings = deployed(folder, database_url=sqlite_url)
    database = Database(settings.database)
    coins = [address(1), address(2)]
    await save(database, checkpoint(), *safeguards(EXCHANGE))
    for coin in coins:
        await save(database, token(coin), pool(coin, native=ETHER), pool_guard(coin))
    await database.close()
    async with serving(create_app(settings)) as base:
        told = json.loads(await asyncio.to_thread(run, sys.executable, "shopping.py", base, coins[0], folder=folder))
    assert told.pop("modules") > 150
    assert int(told.pop("amount_out")) > 0
    assert told == {
        "coin": checksummed(coins[1]),
        "has_more": True,
        "at": utc(NOW).isoformat(),
        "unknown": "urn:encore:problem:coin-not-found",
    }
