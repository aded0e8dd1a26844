"""Schemathesis over the whole OpenAPI document, against a real server: `python -m tests.api.fuzz --examples 1000`.

Every answer must be one that the document declares, and none a 5xx. Most requests that conform are about what there is,
so that each operation is also seen to succeed: one that never does fails the run. Streams are left after a moment.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import Resources
from api.limits import LocalLimiter
from api.main import create_app
from encore import PROJECT_ROOT
from encore.chain.local_node import chain_command, free_port
from encore.db import migrate
from encore.settings import Settings, local_account_address
from encore.telemetry import configure_telemetry
from tests.api.accounts.signing import Signer
from tests.api.fuzz_supply import URL, Supply
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

CONFIGURATION: Final = """\
[phases.fuzzing]
extra-data-sources.responses = false
error-feedback.enabled = false
"""
"""Learning from answers makes it draw differently the second time: there Hypothesis ends early, without a word."""

Answers = dict[str, dict[str, int]]
"""By operation, and by status and problem, how often."""


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


class GenerousLimiter(LocalLimiter):
    """Lets twenty times as much pass, so that other things than limits are tried; in a long run, it refuses too."""

    async def take(self, key: str, per_minute: int) -> float:
        """Count one request."""
        return await super().take(key, 20 * per_minute)


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
    qualified = (local_account_address(3), 60_000, 6_000, 0, 5_000)
    await contracts["CreatorMetricsManager"].send("updateCreatorMetrics", *qualified, sender=1)
    await market.mirror()
    launched, ready = (local_account_address(account).lower() for account in (2, 3))
    await save(market.database, creator(1, wallet=launched), creator(2, wallet=ready), creator(3))
    await save(market.database, activity(1, streams=70_000))
    return number


def application(settings: Settings) -> FastAPI:
    """Build the API with streams that end and a clock that stands, so that no session runs out."""
    now = time.time()
    app = create_app(settings, clock=lambda: now)
    app.add_middleware(HangUp)
    held: Resources = app.state.resources
    held.block_wait_seconds = BLOCK_WAIT_SECONDS
    held.limiter = GenerousLimiter()
    return app


def known_values(market: Market, proposal: int, block: int) -> dict[str, list[Any]]:
    """Return what there is, by the name of a parameter or field, also within a part of the API; None: leave it out."""
    trader, launched, ready, other = (Signer(account).address for account in (TRADER, 2, 3, 9))
    coin, wallets = market.coin.address, [trader, launched, ready, other]
    return {
        "address": wallets,
        "coins/address": [coin, coin, coin, trader],
        "coin": [coin],
        "governance/coin": [None, None, None, coin],
        "coins": [coin],
        **{name: ["TokensPurchased", "Transfer"] for name in ("events", "events/name")},
        "creator_id": [1, 1, 2, 2, 3],
        "creators/wallet": [launched, ready],
        **{name: [str(10**14), str(10**17), str(10**24)] for name in ("amount", "native_amount", "shares")},
        "native_seed": [str(10**18), str(10**20)],
        **dict.fromkeys(("wallet", "trader", "proposer", "delegatee"), wallets),
        "proposal_id": [str(proposal)],
        "min_block": [0, block],
        "limit": [1, 2, 100],
        "q": ["", "coin", "0x"],
        "url": [URL],
    }


async def fuzz(examples: int, *, seed: int, folder: Path, operations: Sequence[str] = ()) -> tuple[int, str, Answers]:
    """Try `examples` requests of each operation; returns the exit code of schemathesis, what it said, the answers."""
    with running_chain() as url:
        settings = Settings(data_dir=folder, rpc_urls=(url,), api_cache_megabytes=0, _env_file=None)
        migrate.upgrade(settings.database)
        async with market_of(settings, governed=True) as market:
            proposal = await enliven(market)
            app = application(settings)
            supply = Supply(app)
            app.add_api_route("/supply/{operation}", supply.make, response_model=None, include_in_schema=False)
            async with serving(app) as base:
                given = {
                    "known": known_values(market, proposal, await market.mirror()),
                    "tokens": await supply.open(),
                    "supply": f"{base}/supply",
                    "seed": seed,
                    "answers": str(folder / "answers.json"),
                }
                code, said = await schemathesis(base, given, examples, operations)
            await supply.close()
    return code, said, json.loads((folder / "answers.json").read_text())


async def schemathesis(base: str, given: dict[str, Any], examples: int, operations: Sequence[str]) -> tuple[int, str]:
    """Run it on a server with what the hooks are given; returns its exit code and what it said."""
    folder = Path(given["answers"]).parent
    configuration = folder / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    # One worker: two threads that parse Python at once can make CPython 3.11 fail, and that ends an operation too.
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(configuration)),
        *("run", f"{base}/openapi.json"),
        *("--phases", "examples,fuzzing", "--max-examples", str(examples), "--seed", str(given["seed"])),
        *("--checks", ",".join(CHECKS), "--suppress-health-check", "all", "--warnings", "off"),
        *(word for each in operations for word in ("--include-operation-id", each)),
        *("--no-color", "--generation-database", "none", "--workers", "1", "--request-timeout", "20"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={
            **os.environ,
            "FUZZ_GIVEN": json.dumps(given),
            "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks",
            "PYTHONPATH": str(PROJECT_ROOT),
        },
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def table(answers: Answers) -> str:
    """Tell how each operation answered, and how often."""
    lines = []
    for operation, counts in sorted(answers.items()):
        told = ", ".join(f"{answer} x {count}" for answer, count in sorted(counts.items()))
        lines.append(f"{operation:<30} {sum(counts.values()):>5}: {told}")
    return "\n".join(lines)


def shortcomings(answers: Answers, examples: int) -> list[str]:
    """Say which operations were asked too seldom, or were never seen to succeed."""
    found = []
    for operation, counts in sorted(answers.items()):
        if (asked := sum(counts.values())) < examples:
            found.append(f"{operation} was asked {asked} times")
        if not any(answer.startswith("2") for answer in counts):
            found.append(f"{operation} never succeeded")
    return found


def main() -> None:
    """Read the arguments, fuzz, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000, help="requests of each operation")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--operations", nargs="+", default=[], help="only these, by their ids")
    arguments = parser.parse_args()
    configure_telemetry(Settings(log_level="ERROR", _env_file=None), "fuzz")
    with tempfile.TemporaryDirectory() as folder:
        code, said, answers = asyncio.run(
            fuzz(arguments.examples, seed=arguments.seed, folder=Path(folder), operations=arguments.operations)
        )
    sys.stdout.write(f"{said}\n{table(answers)}\n")
    sys.exit("; ".join(shortcomings(answers, arguments.examples)) or code)


if __name__ == "__main__":
    main()
