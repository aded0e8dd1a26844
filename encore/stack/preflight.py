"""What must hold before the local system starts; each fault is told in one line with what to do."""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from encore.chain.local_node import port_is_free
from encore.errors import EncoreError
from encore.settings import Settings


class PreflightError(EncoreError):
    """Something on this machine keeps the local system from starting."""


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process; a crash lets go of it at once."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = data_dir / "lock"
    with lock.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = lock.read_text().strip() or "unknown"
            raise PreflightError(
                f"Encore is already running on {data_dir} (process {owner}); stop it, or set another ENCORE_DATA_DIR"
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def check_ports(settings: Settings) -> None:
    """Raise unless the ports that the local system will listen on are free."""
    wanted = [("ENCORE_API_PORT", settings.api_port, settings.api_host)]
    if settings.runs_own_chain:
        wanted.append(("ENCORE_CHAIN_PORT", settings.chain_port, "127.0.0.1"))
    for variable, port, host in wanted:
        if not port_is_free(port, host):
            raise PreflightError(f"port {port} is taken by another program; stop it, or choose another with {variable}")


def check_compiler() -> None:
    """Raise unless the Vyper compiler of this environment is there: without it the contracts cannot be deployed."""
    if shutil.which("vyper", path=tool_path()) is None:
        raise PreflightError("the Vyper compiler is missing from this environment; run `make env` to install it")


def tool_path() -> str:
    """Return a PATH on which this environment's own programs come first (Ape looks for `vyper` there)."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
