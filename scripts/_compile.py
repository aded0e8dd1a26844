"""Compiles what changed under contracts/, for scripts and tests that may start at the same time."""

import fcntl
import hashlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ape import project

from encore import PROJECT_ROOT

CONTRACTS: Final = PROJECT_ROOT / "contracts"
BUILD: Final = PROJECT_ROOT / ".build"
RELATIVE_IMPORT: Final = re.compile(r"^from (\.+)([\w.]*) import (\w+)", re.MULTILINE)


def compile_contracts(*names: str) -> None:
    """Bring Ape's artefacts of the contracts called `names`, or of all contracts, up to date.

    Ape by itself compiles a contract anew only when its own file changed, not when a module or an interface that it
    imports did, and processes that compile at once corrupt each other's artefacts.
    """
    sources = {path.stem: path for path in sorted(CONTRACTS.rglob("[A-Z]*.vy"))}
    BUILD.mkdir(exist_ok=True)
    stamps = BUILD / "sources.json"
    with (BUILD / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compiled = json.loads(stamps.read_text()) if stamps.exists() and (BUILD / "__local__.json").exists() else {}
        wanted = {name: _digest(sources[name]) for name in names or sources}
        stale = [name for name, digest in wanted.items() if compiled.get(name) != digest]
        if stale:
            project.load_contracts(*(sources[name] for name in stale), use_cache=False)
            stamps.write_text(json.dumps(compiled | wanted))


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
