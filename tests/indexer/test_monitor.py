"""What the indexer tells whoever supervises it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest

from encore.chain.local_node import free_port
from encore.chain.networks import network_named
from encore.errors import SettingsError
from encore.monitor import Listener, monitored
from indexer import telemetry as telemetry_module
from indexer.source import Head, Header
from indexer.telemetry import Telemetry

NETWORK = network_named("local")


def listener(port: int) -> Listener:
    return Listener("127.0.0.1", port, "ENCORE_INDEXER_METRICS_PORT")


def head(number: int) -> Head:
    return Head(Header(number, f"0x{number:064x}", f"0x{number - 1:064x}", 1_000 + 15 * number, bloom=0), finalized=3)


def watched(telemetry: Telemetry, where: Listener) -> AbstractAsyncContextManager[None]:
    return monitored(telemetry.exposition, lambda: telemetry.unready(NETWORK), where)


@asynccontextmanager
async def serving(telemetry: Telemetry) -> AsyncIterator[aiohttp.ClientSession]:
    port = free_port()
    async with (
        watched(telemetry, listener(port)),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def answer(session: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with session.get(path) as response:
        return response.status, await response.text()


async def test_it_is_healthy_at_once_and_ready_once_it_is_level(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = Telemetry()
    async with serving(telemetry) as session:
        assert (await answer(session, "/healthz"))[0] == 200
        assert await answer(session, "/readyz") == (
            503,
            '{"status": "unready", "reason": "the mirror is not open yet"}',
        )
        telemetry.stands_at(100, 2_500)
        telemetry.saw_head(head(400))
        status, body = await answer(session, "/readyz")
        assert (status, "300 blocks behind" in body) == (503, True)
        telemetry.stands_at(399, 6_985)
        assert await answer(session, "/readyz") == (200, '{"status": "ready"}')
        monkeypatch.setattr(telemetry_module, "LONGEST_SILENCE_SECONDS", 0.0)
        status, body = await answer(session, "/readyz")
        assert (status, "could not be read" in body) == (503, True)


async def test_the_metrics_say_how_far_it_is_and_what_went_wrong_where() -> None:
    telemetry = Telemetry()
    telemetry.saw_head(head(400))
    telemetry.stands_at(390, 6_850)
    telemetry.applied(events=30, seconds=0.5)
    telemetry.undid(blocks=7)
    telemetry.failed(ValueError())
    telemetry.requested("node:8545", "answered")
    telemetry.requested("node:8545", "HTTP 429")
    async with serving(telemetry) as session:
        lines = (await answer(session, "/metrics"))[1].splitlines()
    assert {
        "encore_indexer_head_block 400.0",
        "encore_indexer_finalized_block 3.0",
        "encore_indexer_indexed_block 390.0",
        "encore_indexer_lag_blocks 10.0",
        "encore_indexer_lag_seconds 150.0",
        "encore_indexer_events_total 30.0",
        "encore_indexer_events_per_second 60.0",
        "encore_indexer_segments_total 1.0",
        "encore_indexer_reorgs_total 1.0",
        "encore_indexer_undone_blocks_total 7.0",
        'encore_indexer_faults_total{reason="ValueError"} 1.0',
        'encore_rpc_requests_total{endpoint="node:8545"} 2.0',
        'encore_rpc_errors_total{endpoint="node:8545",reason="HTTP 429"} 1.0',
    } <= set(lines)


async def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    port = free_port()
    async with watched(Telemetry(), listener(port)):
        with pytest.raises(SettingsError, match=f"ENCORE_INDEXER_METRICS_PORT: cannot listen on 127.0.0.1:{port}"):
            async with watched(Telemetry(), listener(port)):
                pass


async def test_without_a_port_nothing_is_served() -> None:
    async with watched(Telemetry(), Listener("address that nothing could listen on", 0, "NO_SETTING")):
        pass
