"""Schemathesis over the whole OpenAPI document, against a real server: `python -m tests.api.fuzz --examples 1000`.

Every answer must be one that the document declares, and none a 5xx. Streams are left out, since they do not end, and
signing out, which would leave the rest to strangers.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from api.main import create_app
from encore.chain.local_node import chain_command, free_port
from encore.db import migrate
from encore.settings import Settings
from encore.telemetry import configure_logging
from tests.api.accounts.signing import Signer
from tests.api.mirrored import market_of
from tests.api.server import serving
from tests.support import stop_process, wait_until_listening

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
CONFIGURATION = "[parameters]\nmin_block = 0\n"
"""Nearly every block that chance picks never comes, and is answered with 503 after waiting for it."""
LEFT_OUT = "^(stream.*|signOut)$"


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


async def fuzz(examples: int, *, seed: int, folder: Path) -> tuple[int, str]:
    """Try `examples` requests of each operation; returns the exit code of schemathesis and what it said."""
    with running_chain() as url:
        settings = Settings(data_dir=folder, rpc_urls=(url,), api_cache_megabytes=0, _env_file=None)
        (folder / "schemathesis.toml").write_text(CONFIGURATION)
        migrate.upgrade(settings.database)
        async with market_of(settings, governed=True), serving(create_app(settings)) as base:
            async with httpx2.AsyncClient(base_url=base) as client:
                pair = await Signer(5).sign_in(client)
            command = [
                *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{base}/openapi.json"),
                *("--phases", "examples,fuzzing", "--max-examples", str(examples), "--seed", str(seed)),
                *("--checks", ",".join(CHECKS), "--exclude-operation-id-regex", LEFT_OUT),
                *("--header", f"Authorization: Bearer {pair['access_token']}"),
                *("--suppress-health-check", "all", "--warnings", "off", "--no-color"),
                *("--generation-database", "none", "--workers", "2"),
                *("--request-timeout", "20"),
            ]
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder
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
