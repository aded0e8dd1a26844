"""`encore api run` as a process of its own."""

import signal
import socket
from pathlib import Path

import httpx2
import pytest

from encore.chain.local_node import free_port
from encore.db.migrate import upgrade
from tests.api.conftest import StartApi
from tests.support import wait_until_listening


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop_even_with_a_listener(
    start_api: StartApi, tmp_path: Path, ending: signal.Signals
) -> None:
    upgrade(f"sqlite:///{tmp_path}/encore.db")
    port = free_port()
    process = start_api(port)
    wait_until_listening(port)
    with (
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
        client.stream("GET", "/api/v1/events") as stream,
    ):
        assert client.get("/healthz").json() == {"status": "ok"}
        process.send_signal(ending)
        stream.read()
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "encore: no database at"),
        ({"ENCORE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"}, "encore: cannot use the database"),
        ({"ENCORE_API_PORT": "70000"}, "ENCORE_API_PORT"),
        ({"ENCORE_NETWORK": "moon"}, "unknown network 'moon'"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    start_api: StartApi, variables: dict[str, str], message: str
) -> None:
    process = start_api(free_port(), **variables)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert message in said
    assert "Traceback" not in said


def test_a_port_for_metrics_that_is_taken_is_one_clear_line(start_api: StartApi, tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/encore.db")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start_api(free_port(), ENCORE_API_METRICS_PORT=str(port))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"encore: ENCORE_API_METRICS_PORT: cannot listen on 127.0.0.1:{port}" in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_one_clear_line(start_api: StartApi, tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/encore.db")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start_api(port)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == (
        f"encore: cannot serve on 127.0.0.1:{port}: something else listens there; choose another ENCORE_API_PORT\n"
    )
