"""Schemathesis over the whole OpenAPI document, against a real server: `python -m tests.api.fuzz --examples 1000`.

Every answer must be one that the document declares, and none a 5xx. Streams are left after a moment; what ends sessions
is asked by another account.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
from eth_utils.crypto import keccak
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import Resources
from api.main import create_app
from encore import PROJECT_ROOT
from encore.chain.local_node import chain_command, free_port
from encore.db import migrate
from encore.settings import Settings, local_account_address
from encore.telemetry import configure_logging
from tests.api.accounts.signing import Signer, bearer
from tests.api.mirrored import TRADER, Market, market_of
from tests.api.server import serving
from tests.factories import ETHER, activity, creator, save
from tests.support import stop_process, wait_until_listening

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
STREAMS: Final = ("/events", "/prices")
STREAM_SECONDS: Final = 0.02
BLOCK_WAIT_SECONDS: Final = 0.02
"""Nearly every block that chance picks never comes."""
DESCRIPTION: Final = "Nothing"


class HangUp:
    """Ends each stream after a moment, as a client does that goes away: schemathesis reads every answer to its end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith(STREAMS):
            await self._app(scope, receive, send)
            return
        started = asyncio.Event()

        async def send_on(message: Message) -> None:
            await send(message)
            started.set()

        answering = asyncio.ensure_future(self._app(scope, receive, send_on))
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({answering, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await asyncio.wait({answering}, timeout=STREAM_SECONDS)
        if answering.done():
            answering.result()
            return
        answering.cancel()
        await asyncio.wait({answering})
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def running_chain() -> Iterator[str]:
    """Start a local chain; yields its URL."""
    port = free_port()
    chain = subprocess.Popen(chain_command(port, None))
    try:
        wait_until_listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_process(chain)


async def enliven(market: Market) -> int:
    """Let something of everything happen, and mirror it; returns the number of a proposal."""
    coin, contracts = market.coin, market.economy.contracts
    governor, timelock, spark = (contracts[name] for name in ("CreatorGovernor", "CreatorTimelock", "SparkToken"))
    await market.exchange.send("buyTokens", coin.address, 0, sender=TRADER, value=10**17)
    await coin.send("stake", 100 * ETHER, sender=TRADER)
    await coin.send("distribute", sender=6, value=ETHER)
    await spark.send("transfer", Signer(TRADER).address, 10**6 * ETHER)
    await spark.send("delegate", Signer(TRADER).address, sender=TRADER)
    await market.chain.wait(2)
    call = timelock.encode("updateDelay", 7_200)
    await governor.send("propose", [timelock.address], [0], [call], DESCRIPTION, sender=TRADER)
    await market.chain.wait(120)
    number: int = await governor.call("hashProposal", [timelock.address], [0], [call], keccak(text=DESCRIPTION))
    await governor.send("castVote", number, 1, sender=TRADER)
    await market.exchange.send("buyTokens", coin.address, 0, sender=TRADER, value=10**16)
    await market.mirror()
    await save(market.database, creator(1, wallet=local_account_address(2)), activity(1, streams=70_000))
    return number


def application(settings: Settings) -> FastAPI:
    """Build the API with streams that end and a clock that stands, so that no session runs out."""
    now = time.time()
    app = create_app(settings, clock=lambda: now)
    app.add_middleware(HangUp)
    held: Resources = app.state.resources
    held.block_wait_seconds = BLOCK_WAIT_SECONDS
    return app


async def fuzz(examples: int, *, seed: int, folder: Path) -> tuple[int, str]:
    """Try `examples` requests of each operation; returns the exit code of schemathesis and what it said."""
    with running_chain() as url:
        settings = Settings(data_dir=folder, rpc_urls=(url,), api_cache_megabytes=0, _env_file=None)
        migrate.upgrade(settings.database)
        async with market_of(settings, governed=True) as market:
            proposal = await enliven(market)
            async with serving(application(settings)) as base, httpx2.AsyncClient(base_url=base) as client:
                pairs = [await Signer(account).sign_in(client) for account in (TRADER, 6, 6)]
                session, other, last = (pair["access_token"] for pair in pairs)
                sessions = await client.get("/api/v1/me/sessions", headers=bearer(pairs[1]))
                wallet = Signer(TRADER).address
                known: dict[str, list[Any]] = {
                    "address": [market.coin.address, wallet],
                    "coin": [market.coin.address],
                    "creator_id": [1],
                    **{name: [str(10**14)] for name in ("amount", "native_amount", "shares")},
                    **{name: [wallet] for name in ("wallet", "trader", "proposer", "delegatee")},
                    "proposal_id": [str(proposal)],
                    "session_id": [item["id"] for item in sessions.json()["items"] if item["is_current"]],
                    "webhook_id": list(range(1, 30)),
                }
                process = await asyncio.create_subprocess_exec(
                    *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{base}/openapi.json"),
                    *("--phases", "examples,fuzzing", "--max-examples", str(examples), "--seed", str(seed)),
                    *("--checks", ",".join(CHECKS), "--suppress-health-check", "all", "--warnings", "off"),
                    *("--no-color", "--generation-database", "none", "--workers", "2", "--request-timeout", "20"),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    cwd=folder,
                    env={
                        **os.environ,
                        "FUZZ_KNOWN": json.dumps(known),
                        "FUZZ_TOKENS": json.dumps({"": session, "endSession": other, "signOut": last}),
                        "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks",
                        "PYTHONPATH": str(PROJECT_ROOT),
                    },
                )
                said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def main() -> None:
    """Read the arguments, fuzz, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000, help="requests of each operation")
    parser.add_argument("--seed", type=int, default=6)
    arguments = parser.parse_args()
    configure_logging(Settings(log_level="ERROR", _env_file=None))
    with tempfile.TemporaryDirectory() as folder:
        code, said = asyncio.run(fuzz(arguments.examples, seed=arguments.seed, folder=Path(folder)))
    sys.stdout.write(said)
    sys.exit(code)


if __name__ == "__main__":
    main()
