"""`encore api run` as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from encore.chain.local_node import free_port
from encore.db.migrate import upgrade
from tests.support import wait_until_listening

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `encore api run` on a database in `tmp_path`; stopped after the test."""
    started: list[subprocess.Popen[str]] = []

    def run(port: int, **variables: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "encore", "api", "run"],
            env={**os.environ, "ENCORE_DATA_DIR": str(tmp_path), "ENCORE_API_PORT": str(port), **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop_even_with_a_listener(
    start: Start, tmp_path: Path, ending: signal.Signals
) -> None:
    upgrade(f"sqlite:///{tmp_path}/encore.db")
    port = free_port()
    process = start(port)
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
def test_what_is_wrong_is_said_without_a_traceback(start: Start, variables: dict[str, str], message: str) -> None:
    process = start(free_port(), **variables)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert message in said
    assert "Traceback" not in said


def test_a_port_for_metrics_that_is_taken_is_one_clear_line(start: Start, tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/encore.db")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start(free_port(), ENCORE_API_METRICS_PORT=str(port))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"encore: ENCORE_API_METRICS_PORT: cannot listen on 127.0.0.1:{port}" in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_one_clear_line(start: Start, tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/encore.db")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start(port)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == (
        f"encore: cannot serve on 127.0.0.1:{port}: something else listens there; choose another ENCORE_API_PORT\n"
    )
