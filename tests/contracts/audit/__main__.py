"""`make audit`: the contracts' suite as an auditor wants it, what it covered, the proofs, and a table of it all."""

import os
import re
import subprocess
import sys
import time
from typing import Final

import click
from rich.console import Console

from .branches import Contract, compile_deployable, deployables
from .recorder import prepare, read
from .sourcemap import PROJECT_ROOT
from .summary import missed_branches, table
from .unreached import complaints, listed

RECORDS: Final = PROJECT_ROOT / ".build" / "audit"
MUTANTS: Final = PROJECT_ROOT / "docs" / "contracts" / "mutants.md"
CAUGHT: Final = re.compile(r"^\| .+ \| `.+` \|$", re.MULTILINE)


@click.command()
@click.option("--quick", is_flag=True, help="With the stateful tests as short as every day, and without the proofs.")
def main(*, quick: bool) -> None:
    """Run it all; exit with 1 if a test, a proof or the list of branches out of reach fails."""
    console = Console(width=140, highlight=False)
    started = time.monotonic()
    contracts = [compile_deployable(source) for source in deployables()]
    prepare(RECORDS, [code for contract in contracts for code in (contract.initialisation, contract.runtime)])
    failed = []
    if not _run(console, "the suite", _pytest(), HYPOTHESIS_PROFILE="default" if quick else "audit"):
        failed.append("tests")
    if not quick and not _run(console, "the proofs", ["make", "--no-print-directory", "proofs"]):
        failed.append("proofs")
    wrong = _report(console, contracts)
    if wrong:
        failed.append("branches")
    console.print(f"{'failed: ' + ', '.join(failed) if failed else 'all passed'}, {_minutes(started)}")
    sys.exit(bool(failed))


def _pytest() -> list[str]:
    # The longest tests decide how long it takes: a worker without work takes over what another has before it.
    workers = ["-n", "auto", "--dist", "worksteal"]
    recorder = ["-p", "tests.contracts.audit.recorder", f"--record-branches={RECORDS}"]
    return [sys.executable, "-m", "pytest", "-q", "--durations=12", *workers, *recorder, "tests/contracts"]


def _run(console: Console, name: str, command: list[str], **environment: str) -> bool:
    started = time.monotonic()
    passed = subprocess.run(command, cwd=PROJECT_ROOT, env=os.environ | environment, check=False).returncode == 0
    console.print(f"{name}: {'passed' if passed else '[red]failed[/]'}, {_minutes(started)}")
    return passed


def _report(console: Console, contracts: list[Contract]) -> list[str]:
    """Print what was measured; return what is wrong with the list of branches out of reach."""
    record = read(RECORDS)
    console.print(table(contracts, record))
    if MUTANTS.exists():
        console.print(f"mutants: {len(CAUGHT.findall(MUTANTS.read_text()))} caught by the last `make mutants`")
    branches = {contract.name: contract.branches for contract in contracts}
    wrong = complaints(branches, missed_branches(contracts, record), listed())
    for complaint in wrong:
        console.print(complaint, soft_wrap=True, markup=False)
    return wrong


def _minutes(started: float) -> str:
    seconds = round(time.monotonic() - started)
    return f"{seconds // 60} min {seconds % 60} s"


if __name__ == "__main__":
    main()
