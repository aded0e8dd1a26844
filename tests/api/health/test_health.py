from pathlib import Path

import httpx2
import pytest

from api.health.service import allowed_lag
from api.main import create_app
from encore.chain.networks import network_named
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.migrate import upgrade
from encore.settings import Settings
from tests.api.conftest import checked_client
from tests.conftest import LocalChain
from tests.factories import checkpoint, save


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A migrated database: readiness looks at the revision too."""
    url = f"sqlite:///{tmp_path}/migrated.db"
    upgrade(url)
    return url


async def test_a_process_that_runs_is_healthy_whatever_is_behind_it(client: httpx2.AsyncClient) -> None:
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_it_is_ready_once_the_mirror_is_near_the_chain(
    settings: Settings, database: Database, anvil: LocalChain
) -> None:
    app = create_app(settings.model_copy(update={"rpc_urls": (anvil.url,)}))
    async with app.router.lifespan_context(app), checked_client(app) as client, RpcClient([anvil.url]) as rpc:
        empty = await client.get("/readyz")
        assert (empty.status_code, empty.json()["type"]) == (503, "urn:encore:problem:mirror-empty")

        await save(database, checkpoint(block_number=10))
        await rpc.call("anvil_mine", hex(12))
        ready = (await client.get("/readyz")).raise_for_status().json()
        assert (ready["status"], ready["chain_block"], ready["lag_blocks"]) == ("ready", 12, 2)

        await rpc.call("anvil_mine", hex(100))
        behind = await client.get("/readyz")
        assert (behind.status_code, behind.json()["type"]) == (503, "urn:encore:problem:mirror-lagging")
        assert behind.headers["retry-after"] == "1"


async def test_without_a_node_it_is_not_ready_and_says_so(client: httpx2.AsyncClient, database: Database) -> None:
    await save(database, checkpoint())
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["type"]) == (503, "urn:encore:problem:chain-unavailable")


async def test_a_database_of_another_version_is_not_ready(settings: Settings, tmp_path: Path) -> None:
    app = create_app(settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/empty.db"}))
    (tmp_path / "empty.db").touch()
    async with checked_client(app) as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["type"]) == (503, "urn:encore:problem:database-unavailable")
    assert "encore db upgrade" in response.json()["detail"]


@pytest.mark.parametrize(("network", "blocks"), [("local", 60), ("polygon", 30), ("filecoin", 5)])
def test_the_lag_allowed_is_a_minute_or_five_blocks(network: str, blocks: int) -> None:
    assert allowed_lag(network_named(network)) == blocks
