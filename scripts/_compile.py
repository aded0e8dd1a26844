"""Compiles what changed under contracts/, for scripts and tests that may start at the same time.

    python -m scripts._compile

does so for processes that do not load Ape, and read its artefacts with `artefacts`.
"""

import fcntl
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from encore import PROJECT_ROOT

CONTRACTS: Final = PROJECT_ROOT / "contracts"
BUILD: Final = PROJECT_ROOT / ".build"
ARTEFACTS: Final = BUILD / "__local__.json"
STAMPS: Final = BUILD / "sources.json"
RELATIVE_IMPORT: Final = re.compile(r"^from (\.+)([\w.]*) import (\w+)", re.MULTILINE)


def compile_contracts(*names: str) -> None:
    """Bring Ape's artefacts of the contracts called `names`, or of all contracts, up to date.

    Ape by itself compiles a contract anew only when its own file changed, not when a module or an interface that it
    imports did, and processes that compile at once corrupt each other's artefacts.
    """
    from ape import project  # noqa: PLC0415 - it takes seconds, and most who ask find nothing to compile

    with _locked():
        stale = _stale(names)
        if stale:
            sources = _sources()
            project.load_contracts(*(sources[name] for name in stale), use_cache=False)
            STAMPS.write_text(json.dumps(_compiled() | stale))


def artefacts() -> dict[str, Any]:
    """Return Ape's artefacts of all contracts by name, made by another process where they are not up to date."""
    with _locked():
        stale = _stale(())
    if stale:
        subprocess.run([sys.executable, "-m", "scripts._compile"], cwd=PROJECT_ROOT, check=True)
    found: dict[str, Any] = json.loads(ARTEFACTS.read_text())["contractTypes"]
    return found


@contextmanager
def _locked() -> Iterator[None]:
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stale(names: Sequence[str]) -> dict[str, str]:
    """Return which of the contracts called `names`, or of all, are to be compiled, and the digests of their sources."""
    sources = _sources()
    compiled = _compiled()
    digests = {name: _digest(sources[name]) for name in names or sources}
    return {name: digest for name, digest in digests.items() if compiled.get(name) != digest}


def _sources() -> dict[str, Path]:
    return {path.stem: path for path in sorted(CONTRACTS.rglob("[A-Z]*.vy"))}


def _compiled() -> dict[str, str]:
    """Return the digests of what was compiled, by the contract's name."""
    found: dict[str, str] = json.loads(STAMPS.read_text()) if STAMPS.exists() and ARTEFACTS.exists() else {}
    return found


def _digest(source: Path) -> str:
    """Return a digest of all that the bytecode of `source` depends on."""
    digest = hashlib.sha256(f"{version('vyper')} {version('snekmate')}".encode())
    for path in sorted({PROJECT_ROOT / "ape-config.yaml", *_with_imports(source, set())}):
        digest.update(f"\n{path.relative_to(PROJECT_ROOT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _with_imports(source: Path, seen: set[Path]) -> Iterator[Path]:
    if source in seen:
        return
    seen.add(source)
    yield source
    for dots, package, name in RELATIVE_IMPORT.findall(source.read_text()):
        folder = source.parents[len(dots) - 1].joinpath(*filter(None, package.split(".")))
        for candidate in (folder / f"{name}.vy", folder / f"{name}.vyi"):
            if candidate.exists():
                yield from _with_imports(candidate, seen)


if __name__ == "__main__":
    compile_contracts()
