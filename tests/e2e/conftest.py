"""The whole system, started as a person starts it: `encore up` as a real process, on ports and a folder of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from eth_account import Account

from encore.chain.local_node import free_port
from encore.chain.rpc import RpcClient
from encore.settings import Settings, load_settings, local_account_address, local_account_key
from tests.support import DEADLINE_SECONDS, eventually, stop_process

PARTS = {"chain": "anvil", "indexer": "encore indexer run", "oracle": "encore oracle run", "api": "encore api run"}
STREAMS_REQUIRED = 50_000
FOLLOWERS_REQUIRED = 20


@dataclass
class Stack:
    """One local system of a test's own."""

    settings: Settings
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.settings.api_port}/api/v1"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "encore", "up"], env=self.environment, stdout=log, stderr=log
            )

    def stop(self) -> int:
        assert self.process is not None
        stop_process(self.process, timeout_seconds=DEADLINE_SECONDS)
        return self.process.returncode

    def encore(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one `encore` command beside the running system."""
        return subprocess.run(
            [sys.executable, "-m", "encore", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    async def is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        return "Encore is up" in self.log.read_text()

    async def get(self, path: str, **params: str | int) -> Any:
        """Return an API answer; a connection refused while the API restarts is waited out."""

        async def ask() -> Any:
            try:
                async with (
                    aiohttp.ClientSession() as session,
                    session.get(f"{self.api}{path}", params=params) as response,
                ):
                    return await response.json() if response.ok else None
            except aiohttp.ClientConnectionError:
                return None

        return await eventually(ask)

    async def all_items(self, path: str, **params: str | int) -> list[dict[str, Any]]:
        """Return every item of a list, following its cursors."""
        items: list[dict[str, Any]] = []
        page = await self.get(path, limit=100, **params)
        items += page["items"]
        while page["next_cursor"]:
            page = await self.get(path, limit=100, cursor=page["next_cursor"], **params)
            items += page["items"]
        return items

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        async with aiohttp.ClientSession() as session, session.post(f"{self.api}{path}", json=body) as response:
            assert response.ok, await response.text()
            return await response.json()

    def kill(self, part: str) -> None:
        """Kill -9 the process of one part."""
        os.kill(self.pid(part), signal.SIGKILL)

    def has_noted(self, block: int) -> bool:
        """Whether the chain, killed now, would come back with `block`."""
        folder = self.settings.data_dir / "chain"
        journal = folder / "anvil.journal.jsonl"
        whole_lines = journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []
        noted = [orjson.loads(line)["number"] for line in whole_lines]
        base = folder / "anvil.base.json"
        return block in noted or orjson.loads(base.read_bytes())["best_block_number"] >= block

    def pid(self, part: str) -> int:
        assert self.process is not None
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if parent == self.process.pid and PARTS[part] in command:
                return int(stat.parent.name)
        raise AssertionError(f"no {part} is running")


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[[str], Stack]]:
    """Prepare systems on the given database; all are stopped after the test."""
    made: list[Stack] = []

    def make(database_url: str) -> Stack:
        variables = {
            "ENCORE_API_PORT": str(free_port()),
            "ENCORE_CHAIN_PORT": str(free_port()),
            "ENCORE_DATA_DIR": str(tmp_path / "data"),
            "ENCORE_DATABASE_URL": database_url,
            "ENCORE_LAUNCH_MIN_STREAMS": str(STREAMS_REQUIRED),
            "ENCORE_LAUNCH_MIN_FOLLOWERS": str(FOLLOWERS_REQUIRED),
        }
        fields = {name.removeprefix("ENCORE_").lower(): value for name, value in variables.items()}
        stack = Stack(load_settings(**fields), os.environ | variables, tmp_path / "up.log")
        made.append(stack)
        return stack

    yield make
    for stack in made:
        if stack.process is not None and stack.process.poll() is None:
            stop_process(stack.process, timeout_seconds=DEADLINE_SECONDS)


@dataclass(frozen=True)
class Wallet:
    """A funded account of the local chain that signs for itself, as any wallet does."""

    index: int

    @property
    def address(self) -> str:
        return local_account_address(self.index)

    async def sign_and_send(self, rpc: RpcClient, transaction: dict[str, Any]) -> dict[str, Any]:
        """Sign a transaction that the API prepared, send it, and return its receipt."""
        signed = Account.sign_transaction(transaction, local_account_key(self.index))
        sent = await rpc.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        receipt: dict[str, Any] = await eventually(lambda: rpc.call("eth_getTransactionReceipt", sent))
        assert receipt["status"] == "0x1"
        return receipt
