"""Compiles contracts/ when their sources changed, for scripts and tests that may start at the same time."""

import fcntl
import hashlib
from importlib.metadata import version

from ape import project

from encore import PROJECT_ROOT


def compile_contracts() -> None:
    """Bring Ape's artefacts in `.build/` up to date.

    Ape by itself compiles a contract anew only when its own file changed, not when a module or an interface that it
    imports did, and two processes that compile at once corrupt each other's artefacts.
    """
    build = PROJECT_ROOT / ".build"
    build.mkdir(exist_ok=True)
    stamp = build / "sources.sha256"
    with (build / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = _sources_digest()
        if stamp.exists() and stamp.read_text() == digest and (build / "__local__.json").exists():
            return
        project.load_contracts(use_cache=False)
        stamp.write_text(digest)


def _sources_digest() -> str:
    digest = hashlib.sha256(f"{version('vyper')} {version('snekmate')}".encode())
    for path in [PROJECT_ROOT / "ape-config.yaml", *sorted((PROJECT_ROOT / "contracts").rglob("*.vy*"))]:
        digest.update(f"\n{path.relative_to(PROJECT_ROOT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
