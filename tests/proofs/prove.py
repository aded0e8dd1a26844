"""Proves what docs/contracts/proofs.md states: `make proofs`. Needs `vyper` on the path, and its own environment."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tests.proofs import exact

ROOT: Final = Path(__file__).parents[2]
OUTCOMES: Final = {0: "proved", 1: "REFUTED", 2: "TIMEOUT"}  # of halmos; all else is an error

Row = tuple[str, str, str, float]


def build(source: Path, out: Path) -> None:
    """Compile a contract of proofs into `out`, as halmos expects it from Foundry."""
    formats = "abi,bytecode,bytecode_runtime,method_identifiers"
    printed = subprocess.run(
        ["vyper", "-p", str(ROOT), "-f", formats, str(source)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    abi, creation, runtime, methods = printed.splitlines()
    artifact = {
        "abi": json.loads(abi),
        "bytecode": {"object": creation, "linkReferences": {}},
        "deployedBytecode": {"object": runtime, "linkReferences": {}},
        "methodIdentifiers": {
            signature: selector[2:].rjust(8, "0") for signature, selector in json.loads(methods).items()
        },
        "metadata": {"compiler": {"version": "vyper"}, "output": {"devdoc": {}}},
        "ast": {
            "absolutePath": str(source.relative_to(ROOT)),
            "nodes": [{"nodeType": "ContractDefinition", "name": source.stem, "contractKind": "contract"}],
        },
    }
    folder = out / f"{source.stem}.sol"
    folder.mkdir(parents=True)
    (folder / f"{source.stem}.json").write_text(json.dumps(artifact))


def of_bytecode() -> Iterator[Row]:
    """Run halmos on every contract here, and yield the outcome of each proof."""
    with tempfile.TemporaryDirectory() as work:
        for source in sorted(ROOT.glob("tests/proofs/[A-Z]*.vy")):
            build(source, Path(work, "out"))
        # halmos starts `forge build` before anything else: here everything is built.
        forge = Path(work, "bin", "forge")
        forge.parent.mkdir()
        forge.write_text("#!/bin/sh\n")
        forge.chmod(0o755)
        report = Path(work, "report.json")
        log = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("halmos")), "--root", work, "--json-output", str(report)),
                *("--storage-layout", "generic", "--loop", "64"),
                *("--solver-timeout-branching", "100ms", "--solver-timeout-assertion", "120s"),
            ],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PATH": f"{forge.parent}:{os.environ['PATH']}"},
        ).stdout
        if not report.exists():
            sys.exit(log)
        yield from _rows(json.loads(report.read_text())["test_results"])


def _rows(tests: dict[str, list[dict[str, Any]]]) -> Iterator[Row]:
    for contract, results in tests.items():
        for result in results:
            outcome = OUTCOMES.get(result["exitcode"], "ERROR")
            if result["num_bounded_loops"]:
                outcome = "INCOMPLETE"
            statement = result["name"].partition("(")[0].removeprefix("check_").replace("_", " ")
            yield contract.rpartition(":")[2], statement, outcome, result["time"][0]


def main() -> None:
    """Print each proof as it ends, and fail if one does not hold."""
    failures = 0
    for about, statement, outcome, seconds in chain(exact.results(), of_bytecode()):
        failures += outcome not in {"proved", "found"}
        sys.stdout.write(f"{about:<15} {statement:<72} {outcome:<10} {seconds:6.1f} s\n")
        sys.stdout.flush()
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
