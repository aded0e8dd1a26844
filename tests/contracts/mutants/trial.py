"""Tries a mutant: a private copy of what the contracts' tests need, changed, compiled and tested until a test fails."""

import fcntl
import multiprocessing
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import pytest

from .mutant import Mutant, MutantError

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]
PARTS: Final = ("ape-config.yaml", "contracts", "deployments", "encore", "pyproject.toml", "scripts", "tests/contracts")
TESTS: Final = "tests/contracts"
FIRST_FAILURE: Final = re.compile(rf"^FAILED {TESTS}/(.+?)(?: - .*)?$", re.MULTILINE)
TIMEOUT_SECONDS: Final = 300
PREPARATION_SECONDS: Final = 3_600
"""All tests that catch something, one after the other, on a machine that may have other work."""
# What takes longest to import and reads nothing of the tree: pytest is forked from a process that has it already.
PRELOADED: Final = ["ape_ethereum", "ape_test.provider", "ape_vyper", "boa", "eth_tester", "hypothesis", "web3"]


class Outcome(Enum):
    """What became of a mutant; only the first one is as it should be."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    NOT_COMPILED = "does not compile"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Trial:
    """A mutant's outcome; `detail` is the test that caught it, or the end of what pytest said."""

    mutant: Mutant
    outcome: Outcome
    detail: str
    seconds: float


class Run(NamedTuple):
    """How pytest ended, and what it said."""

    exit_code: int | None
    output: str


class Laboratory:
    """A copy of the tree as it was at the start, compiled, of which every mutant gets a copy of its own.

    Copies, not links: sources find the tree by where they are themselves. Contracts that a mutant leaves as they were
    are not compiled again, for Ape's artefacts are copied too; whatever a mutant compiles is deleted with its copy.
    """

    def __init__(self, folder: Path) -> None:
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(PRELOADED)
        self._folder = folder
        self._origin = folder / "origin"
        for part in PARTS:
            _copy(PROJECT_ROOT / part, self._origin / part)
        build = PROJECT_ROOT / ".build"
        build.mkdir(exist_ok=True)
        with (build / "compile.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            _copy(build, self._origin / ".build")

    def prepare(self, mutants: Iterable[Mutant], jobs: int) -> None:
        """Compile the contracts as they are and pass the mutants' tests; raises MutantError if one of those fails."""
        tests = sorted({test for mutant in mutants for test in mutant.caught_by})
        run = self._pytest(self._origin, tests, f"--numprocesses={jobs}", seconds=PREPARATION_SECONDS)
        if run.exit_code != pytest.ExitCode.OK:
            raise MutantError(f"without any mutant, the tests that should catch them fail:\n{run.output[-3_000:]}")

    def check(self, mutants: Iterable[Mutant]) -> None:
        """Raise MutantError if a mutant does not fit the sources."""
        for mutant in mutants:
            mutant.applied(self._origin / "contracts")

    def try_mutant(self, mutant: Mutant) -> Trial:
        """Run the mutant's tests until one fails."""
        started = time.monotonic()
        with self._copied(*PARTS, ".build") as copy:
            (copy / "contracts" / mutant.source).write_text(mutant.applied(copy / "contracts"))
            outcome, detail = self._judge(self._pytest(copy, mutant.caught_by), copy)
        return Trial(mutant, outcome, detail, time.monotonic() - started)

    def _judge(self, run: Run, copy: Path) -> tuple[Outcome, str]:
        if run.exit_code == pytest.ExitCode.TESTS_FAILED and _stamps(copy) == _stamps(self._origin):
            return Outcome.NOT_COMPILED, run.output[-1_000:]
        if run.exit_code == pytest.ExitCode.OK:
            return Outcome.SURVIVED, run.output[-1_000:]
        failure = FIRST_FAILURE.search(run.output)
        if run.exit_code != pytest.ExitCode.TESTS_FAILED or failure is None:
            return Outcome.INCONCLUSIVE, run.output[-1_000:]
        return Outcome.CAUGHT, failure.group(1)

    def _pytest(self, tree: Path, tests: Iterable[str], *options: str, seconds: float = TIMEOUT_SECONDS) -> Run:
        """Run tests of a copy in a process of their own; it is killed at the time limit."""
        output = tree / "pytest.txt"
        plain = ("-q", "-x", "-rf", "--tb=no", "--assert=plain", "-p", "no:randomly", "-p", "no:cacheprovider")
        arguments = [*plain, f"--basetemp={tree / '.pytest'}", *options, *(f"{TESTS}/{test}" for test in tests)]
        process = self._processes.Process(target=_run_pytest, args=(tree, arguments, output))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
        return Run(process.exitcode, output.read_text())

    @contextmanager
    def _copied(self, *parts: str) -> Iterator[Path]:
        with TemporaryDirectory(dir=self._folder) as name:
            for part in parts:
                _copy(self._origin / part, Path(name, part))
            yield Path(name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _stamps(tree: Path) -> str:
    """Return what scripts/_compile.py notes once contracts are compiled."""
    return (tree / ".build" / "sources.json").read_text()


def _run_pytest(tree: Path, arguments: list[str], output: Path) -> None:
    with output.open("w") as file:
        for standard in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), standard.fileno())
    os.chdir(tree)
    os.environ["COLUMNS"] = "1000"  # pytest cuts the lines of its summary at the terminal's width
    sys.exit(pytest.main(arguments))
