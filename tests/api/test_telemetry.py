"""What an API process tells whoever supervises it."""

import aiohttp
import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect

from api.main import create_app
from encore.chain.local_node import free_port
from encore.db import Database
from encore.settings import Settings
from tests.api.server import serving
from tests.factories import NOW, checkpoint, save
from tests.support import eventually

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def scraped(session: aiohttp.ClientSession) -> dict[tuple[str, str, str], float]:
    """The value of each series by name, operation and status."""
    async with session.get("/metrics") as response:
        families = list(text_string_to_metric_families(await response.text()))
    return {
        (sample.name.removeprefix("encore_"), sample.labels.get("operation", ""), sample.labels.get("status", "")): (
            sample.value
        )
        for family in families
        for sample in family.samples
        if "le" not in sample.labels
    }


@ON_SQLITE
async def test_requests_connections_and_freshness_are_told(settings: Settings, database: Database) -> None:
    port = free_port()
    app = create_app(settings.model_copy(update={"api_metrics_port": port}), clock=lambda: float(NOW))
    async with (
        serving(app) as base,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as supervisor,
        httpx2.AsyncClient(base_url=base) as client,
    ):
        async with supervisor.get("/readyz") as response:
            assert response.status == 503
        assert (await scraped(supervisor))["api_indexed_block", "", ""] == -1
        await save(database, checkpoint(1_234))
        await eventually(lambda: _is_ready(supervisor))
        for path in ("/api/v1/coins", "/api/v1/coins?limit=0", "/nowhere"):
            await client.get(path)
        async with connect(f"{base.replace('http', 'ws')}/ws"):
            told = await scraped(supervisor)
    assert told["api_requests_total", "listCoins", "200"] == 1
    assert told["api_requests_total", "listCoins", "422"] == 1
    assert told["api_requests_total", "none", "404"] == 1
    assert told["api_request_seconds_count", "listCoins", ""] == 2
    assert told["api_websocket_connections", "", ""] == 1
    assert told["api_indexed_block", "", ""] == 1_234
    assert told["api_feed_position", "", ""] == 0


async def _is_ready(supervisor: aiohttp.ClientSession) -> bool:
    async with supervisor.get("/readyz") as response:
        return response.status == 200
