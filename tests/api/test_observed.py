"""What the served API reports to Sentry and to an OpenTelemetry collector, as they get it."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from encore.chain.local_node import free_port
from encore.db.migrate import upgrade
from tests.collectors import Collectors, collecting
from tests.support import eventually, wait_until_listening

PRIVATE_KEY: Final = 0xB71C71A67E1177AD4E901695E1B4B9EE17AE16C6668D313EAC2F96DBCDA3F291
API_SECRET: Final = "api-secret-of-thirty-two-letters"  # noqa: S105 - it is of this test alone
SPAN_ID: Final = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collectors() -> Iterator[Collectors]:
    with collecting() as both:
        yield both


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("observed") / "log"


@pytest.fixture(scope="module")
def client(log: Path, collectors: Collectors) -> Iterator[httpx2.Client]:
    """A client of the API, which runs as a process: Sentry and traces are configured for a process as a whole."""
    upgrade(f"sqlite:///{log.parent}/encore.db")
    port = free_port()
    settings = {
        "ENCORE_API_PORT": str(port),
        "ENCORE_API_SECRET": API_SECRET,
        "ENCORE_DATA_DIR": str(log.parent),
        "ENCORE_LOG_FORMAT": "json",
        "ENCORE_RPC_URLS": "http://127.0.0.1:9/node-secret",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        **collectors.settings,
    }
    command = [sys.executable, "-m", "tests.api.faulty_api"]
    with (
        log.open("w") as written,
        subprocess.Popen(command, env={**os.environ, **settings}, stderr=written) as process,
    ):
        try:
            wait_until_listening(port)
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


@pytest.fixture
def trace_id() -> str:
    return secrets.token_hex(16)


def parent(trace_id: str) -> dict[str, str]:
    """The header of W3C Trace Context."""
    return {"traceparent": f"00-{trace_id}-{SPAN_ID}-01"}


async def logged(log: Path, trace_id: str) -> list[dict[str, Any]]:
    """What was logged in a trace, once the request that it is of has ended."""

    async def ended() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in log.read_text().splitlines() if trace_id in line]
        return lines if any(line["event"] == "request" for line in lines) else []

    return await eventually(ended)


async def test_an_error_arrives_once_with_its_request_id_and_without_secrets(
    client: httpx2.Client, collectors: Collectors, log: Path
) -> None:
    for request_id in ("first", "second"):
        trace_id = secrets.token_hex(16)
        response = client.post(
            f"/faulty/{PRIVATE_KEY}",
            headers={"X-Request-ID": request_id, "Authorization": "Bearer session-secret", **parent(trace_id)},
            json={"note": "body-secret"},
        )
        assert response.status_code == 500
        event = collectors.event()  # were one sent twice, the second request's would not be the next
        assert event["tags"] == {"process": "api", "operation": "fail", "request_id": request_id}
        assert event["environment"] == "local"
        assert event["contexts"]["trace"]["trace_id"] == trace_id
        (error,) = event["exception"]["values"]
        assert error["type"] == "ValueError"
        assert "polygon.provider.example" in error["value"]
        assert error["stacktrace"]["frames"][-1]["function"] == "fail"
        lines = await logged(log, trace_id)
        assert [line["event"] for line in lines] == ["request failed", "request"]
        assert {line["request_id"] for line in lines} == {request_id}
        span = collectors.span(trace_id, parent_id=SPAN_ID)
        assert span.name == "POST /faulty/{number}"
        assert span.is_error
        assert span.attributes["http.response.status_code"] == 500
    hidden = ("node-secret", "database-secret", "session-secret", "body-secret", "variable-secret", "1177ad4e")
    for text in collectors.texts:
        for secret in (*hidden, API_SECRET):
            assert secret not in text.lower()


def test_an_error_amid_an_answer_arrives_once_too_though_the_server_logs_it_again(
    client: httpx2.Client, collectors: Collectors
) -> None:
    for request_id in ("third", "fourth"):
        with pytest.raises(httpx2.RemoteProtocolError):
            client.get("/half", headers={"X-Request-ID": request_id})
        event = collectors.event()
        assert event["tags"] == {"process": "api", "operation": "breakOff", "request_id": request_id}


async def test_a_request_s_span_has_the_route_s_template_and_belongs_to_the_client_s_trace(
    client: httpx2.Client, collectors: Collectors, log: Path, trace_id: str
) -> None:
    client.get("/healthz", headers=parent(trace_id))  # probes are left out
    client.get(f"/api/v1/coins/0x{'ab' * 20}", headers={"X-Request-ID": "traced", **parent(trace_id)})
    span = collectors.span(trace_id, parent_id=SPAN_ID)
    assert span.name == "GET /api/v1/coins/{address}"
    assert span.attributes["http.route"] == "/api/v1/coins/{address}"
    assert span.attributes["http.response.status_code"] == 503
    assert span.resource["service.name"] == "encore-api"
    assert span.resource["deployment.environment.name"] == "local"
    assert [line["request_id"] for line in await logged(log, trace_id)] == ["traced"]


def test_requests_to_nodes_are_spans_of_the_same_trace_that_show_the_host_alone(
    client: httpx2.Client, collectors: Collectors, trace_id: str
) -> None:
    assert client.get("/node", headers=parent(trace_id)).status_code == 503
    span = collectors.span(trace_id, name="eth_chainId")
    assert span.is_error
    assert span.attributes == {
        "rpc.system.name": "jsonrpc",
        "rpc.method": "eth_chainId",
        "server.address": "127.0.0.1:9",
        "error.type": "connection",
    }
