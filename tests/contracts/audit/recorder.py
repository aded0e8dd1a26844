"""A pytest plugin that records, in py-evm, which way every branch of the contracts goes: `-p audit.recorder`.

Ape's and titanoboa's chains both run on py-evm, and each process of a parallel run writes a file of its own.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from eth.abc import ComputationAPI
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.logic.flow import jumpi
from eth.vm.opcode_values import JUMPI

from .branches import Code

# What a recording process reads of the contracts' code, and what it writes.
CODES: Final = "codes.json"
RECORDS: Final = "recorded-*.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ask where to write."""
    parser.addoption("--record-branches", type=Path, required=True, metavar="FOLDER", help="Where CODES is, too.")


def pytest_configure(config: pytest.Config) -> None:
    """Record from now on."""
    config.pluginmanager.register(Recorder(config.getoption("record_branches")))


class Recorder:
    """The jumps that were executed, each as (position, whether it jumped), and the code that each test's body ran."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._codes: list[tuple[int, str]] = json.loads((folder / CODES).read_text())
        self._jumps: dict[str, set[tuple[int, bool]]] = {digest: set() for _, digest in self._codes}
        self._tests: dict[str, list[str]] = {}
        # By bytecode as on chain, since the test began.
        self._running: dict[bytes, set[tuple[int, bool]]] = {}
        self._ran: list[str] = []
        for fork in (CancunComputation, PragueComputation):  # titanoboa's and Ape's
            opcode: Any = fork.opcodes[JUMPI]
            opcode.logic_fn = self._jumpi

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Tell what a test's body runs from what its fixtures do."""
        self._running.clear()
        self._ran = self._tests[item.nodeid] = []
        try:
            yield
        finally:
            self._running.clear()
            self._ran = []

    def pytest_sessionfinish(self) -> None:
        """Write it all down."""
        jumps = {digest: sorted(jumps) for digest, jumps in self._jumps.items() if jumps}
        record = json.dumps({"jumps": jumps, "tests": self._tests})
        (self._folder / RECORDS.replace("*", str(os.getpid()))).write_text(record)

    def _jumpi(self, computation: ComputationAPI) -> None:
        code: Any = computation.code
        after = code.program_counter
        jumpi(computation)
        bytecode = code._raw_code_bytes
        jumps = self._running.get(bytecode)
        if jumps is None:
            jumps = self._running[bytecode] = self._jumps_of(bytecode)
        jumps.add((after - 1, code.program_counter != after))

    def _jumps_of(self, bytecode: bytes) -> set[tuple[int, bool]]:
        """Return where to note the jumps of code on chain: arguments or immutables follow what was compiled."""
        for length, digest in self._codes:
            if hashlib.sha256(bytecode[:length]).hexdigest() == digest:
                self._ran.append(digest)
                return self._jumps[digest]
        return set()


@dataclass(frozen=True)
class Record:
    """What all processes recorded: jumps by the digest of the code, and the digests of what each test ran."""

    jumps: dict[str, set[tuple[int, bool]]] = field(default_factory=dict)
    tests: dict[str, set[str]] = field(default_factory=dict)


def prepare(folder: Path, codes: Iterable[Code]) -> None:
    """Make `folder` ready to be recorded into."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(RECORDS):
        old.unlink()
    (folder / CODES).write_text(json.dumps([(code.length, code.digest) for code in codes]))


def read(folder: Path) -> Record:
    """Return what was recorded since `prepare`."""
    record = Record()
    for path in folder.glob(RECORDS):
        written = json.loads(path.read_text())
        for digest, jumps in written["jumps"].items():
            record.jumps.setdefault(digest, set()).update((position, jumped) for position, jumped in jumps)
        for test, digests in written["tests"].items():
            record.tests.setdefault(test, set()).update(digests)
    return record
