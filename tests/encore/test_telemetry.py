"""What a process tells of itself, as processes of their own: logging, Sentry and traces are of a process as a whole."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from encore import PROJECT_ROOT
from encore.chain.deployments import Deployment
from encore.chain.local_node import free_port
from encore.db.migrate import upgrade
from encore.reporting import without_secrets
from tests.collectors import collecting

START: Final = """
import logging, sys, time
import structlog
from encore.settings import load_settings
from encore.telemetry import configure_telemetry
configure_telemetry(load_settings(), "indexer")
log = structlog.get_logger()
"""


def run(code: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "ENCORE_LOG_FORMAT": "json", **variables, "PYTHONPATH": str(PROJECT_ROOT)}
    return subprocess.run(
        [sys.executable, "-c", START + code],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def lines(process: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.stderr.splitlines()]


def test_neither_sentry_nor_opentelemetry_s_sdk_is_imported_unless_it_is_configured(tmp_path: Path) -> None:
    process = run(
        "print([name for name in sys.modules if name.startswith(('sentry_sdk', 'opentelemetry.sdk'))])", tmp_path
    )
    assert process.stdout == "[]\n", process.stderr


def test_what_libraries_log_is_json_too_and_carries_the_same_request_id(tmp_path: Path) -> None:
    process = run(
        """
with structlog.contextvars.bound_contextvars(request_id="r-1"):
    log.info("ours")
    logging.getLogger("uvicorn.error").warning("theirs, %d", 7)
""",
        tmp_path,
    )
    ours, theirs = lines(process)
    assert {"event": "ours", "level": "info", "request_id": "r-1"}.items() <= ours.items()
    expected = {"event": "theirs, 7", "level": "warning", "request_id": "r-1", "logger": "uvicorn.error"}
    assert expected.items() <= theirs.items()
    assert theirs.keys() - expected.keys() == {"timestamp"}


def test_what_ends_a_process_arrives_and_so_does_what_is_logged_as_an_error_by_anybody(tmp_path: Path) -> None:
    with collecting() as collectors:
        process = run(
            """
from opentelemetry import trace
logging.getLogger("asyncio").error("never retrieved", exc_info=KeyError("lost"))
log.warning("cannot sync, trying again")
log.error("reverted", outbox_id=5, reason="ERC20: transfer amount exceeds balance")
with trace.get_tracer("a").start_as_current_span("last"):
    pass
raise RuntimeError("the end")
""",
            tmp_path,
            **collectors.settings,
        )
        assert process.returncode == 1
        assert "RuntimeError: the end" in process.stderr
        lost, reverted, ending = (collectors.event() for _ in range(3))
        assert collectors.span(name="last").resource["service.name"] == "encore-indexer"
    assert lost["tags"] == {"process": "indexer", "logger": "asyncio"}
    assert lost["exception"]["values"][0]["type"] == "KeyError"
    assert reverted["message"] == "reverted"
    assert reverted["contexts"]["log"]["outbox_id"] == 5
    assert ending["exception"]["values"][0]["value"] == "the end"
    assert ending["exception"]["values"][0]["mechanism"]["handled"] is False
    assert collectors.events.empty()


async def nonsense(_request: web.Request) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": 0, "result": "nonsense"})


async def test_a_bug_that_ends_indexer_or_oracle_arrives_and_so_do_their_calls_of_the_node(
    tmp_path: Path,
) -> None:
    upgrade(f"sqlite:///{tmp_path}/encore.db")
    registry = Deployment(
        network="local", chain_id=31_337, deployer="0x" + "11" * 20, block_number=1, timestamp=1, contracts={}
    )
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "local.json").write_text(registry.model_dump_json())
    node = web.Application()
    node.add_routes([web.post("/", nonsense)])
    async with TestServer(node) as server:
        with collecting() as collectors:
            settings = {"ENCORE_DATA_DIR": str(tmp_path), "ENCORE_RPC_URLS": str(server.make_url("/"))}
            running = [
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "encore", process, "run"),
                    env={**os.environ, **settings, **collectors.settings},
                    stderr=subprocess.PIPE,
                )
                for process in ("indexer", "oracle")
            ]
            for _, said in await asyncio.gather(*(process.communicate() for process in running)):
                assert b"ValueError: invalid literal for int()" in said
            assert [process.returncode for process in running] == [1, 1]
            events = [collectors.event() for _ in running]
            spans = [collectors.span(name="eth_chainId") for _ in running]
    assert sorted(event["tags"]["process"] for event in events) == ["indexer", "oracle"]
    assert {event["exception"]["values"][-1]["type"] for event in events} == {"ValueError"}
    assert sorted(span.resource["service.name"] for span in spans) == ["encore-indexer", "encore-oracle"]
    assert collectors.events.empty()


def test_collectors_that_are_away_slow_nothing_and_hold_nobody_up_at_the_end(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    started = monotonic()
    process = run(
        """
from opentelemetry import trace
started = time.monotonic()
for number in range(200):
    with trace.get_tracer("a").start_as_current_span("work"):
        try:
            raise ValueError(number)
        except ValueError:
            log.exception("failed")
print(time.monotonic() - started)
""",
        tmp_path,
        ENCORE_SENTRY_DSN=f"http://key@{nowhere}/7",
        ENCORE_OTLP_ENDPOINT=f"http://{nowhere}",
    )
    assert process.returncode == 0
    assert float(process.stdout) < 2
    assert monotonic() - started < 10
    assert [line["event"] for line in lines(process) if "logger" not in line] == ["failed"] * 200


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+asyncpg://encore:hunter/2@db:5432/encore?x=1", "postgresql+asyncpg://db:5432/…"),
        ("see 'https://polygon.example/v2/abc?k=d', status 401", "see 'https://polygon.example/…', status 401"),
        ("redis://:hunter2@cache/0", "redis://cache/…"),
        ("Authorization: Bearer eyJhbGciOi.eyJzdWIi.c2ln", "Authorization: Bearer …"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln refused", "token eyJ… refused"),
        ("whsec_MfKQ9r8GKYqrTwjU", "whsec_…"),
        ("connect: host=db password=hunter2 port=1", "connect: host=db password=… port=1"),
        ("{'api_key': 'hunter2', 'block': 7}", "{'api_key': '…', 'block': 7}"),
        ("0x" + "4f3edf98" * 8 + " is no key", "0x4f3edf98… is no key"),
        ("[SQL: SELECT ?]\n[parameters: ('hunter2',\n 1)]", "[SQL: SELECT ?]\n[parameters: …]"),
        ("wrong [input_value='hunter2', input_type=str]", "wrong [input_value=…, input_type=str]"),
        ("known hunter2 too", "known … too"),
        ("0x" + "ab" * 20 + " has 5 wei", "0x" + "ab" * 20 + " has 5 wei"),
    ],
)  # fmt: skip
def test_what_is_or_looks_like_a_secret_is_hidden_and_the_rest_is_not(text: str, shown: str) -> None:
    assert without_secrets({"a": [text, 1, None]}, ["", "hunter2"]) == {"a": [shown, 1, None]}
