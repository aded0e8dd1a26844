"""The local development chain: Foundry's anvil where there is one, else py-evm behind a JSON-RPC door."""

import shutil
import socket
import sys
from pathlib import Path
from typing import Final

from encore import PROJECT_ROOT
from encore.chain.networks import LOCAL_MNEMONIC, NETWORKS

STATE_INTERVAL_SECONDS: Final = 1
FUNDED_ACCOUNTS: Final = 10
FUNDS_IN_COINS: Final = 1_000_000
"""Enough for the oracle to seed the pools of thousands of launches."""


def find_anvil() -> Path | None:
    """Return anvil's binary: the one that npm installed for this machine, else one on PATH, else None."""
    packaged = sorted((PROJECT_ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    if packaged:
        return packaged[0]
    found = shutil.which("anvil")
    return Path(found) if found else None


def chain_command(port: int, state_dir: Path | None) -> list[str]:
    """Return the command that serves the local chain on 127.0.0.1:`port`.

    With `state_dir` the chain is stored there and goes on from there; without, it is forgotten on exit.
    """
    anvil = find_anvil()
    if anvil is None:
        command = [sys.executable, "-m", "encore.chain.evm_door", "--port", str(port)]
        return [*command, "--journal", str(state_dir / "door.jsonl")] if state_dir else command
    command = [
        str(anvil),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--chain-id", str(NETWORKS["local"].chain_id)),
        *("--mnemonic", LOCAL_MNEMONIC, "--accounts", str(FUNDED_ACCOUNTS), "--balance", str(FUNDS_IN_COINS)),
        *("--hardfork", "cancun", "--silent"),
    ]
    if state_dir:
        command += ["--state", str(state_dir / "anvil.json"), "--state-interval", str(STATE_INTERVAL_SECONDS)]
    return command


def free_port() -> int:
    """Return a TCP port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
