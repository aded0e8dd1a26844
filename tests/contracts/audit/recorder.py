"""A pytest plugin that records, in py-evm, which way every branch of the contracts goes: `-p audit.recorder`.

Ape's and titanoboa's chains both run on py-evm, and each process of a parallel run writes a file of its own.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

import pytest
from eth.abc import ComputationAPI
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.logic.flow import jumpi
from eth.vm.opcode_values import JUMPI

from .branches import Code

# What a recording process knows of the contracts' code, and what it writes.
CODES: Final = "codes.json"
RECORDS: Final = "recorded-*.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ask where to write."""
    parser.addoption("--record-branches", type=Path, required=True, metavar="FOLDER", help="Where CODES is, too.")


def pytest_configure(config: pytest.Config) -> None:
    """Record from now on."""
    config.pluginmanager.register(Recorder(config.getoption("record_branches")))


class Recorder:
    """The jumps that were executed, each as (digest of the code, position, whether it jumped)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._codes: list[tuple[int, str]] = json.loads((folder / CODES).read_text())
        self._executed: dict[bytes, set[tuple[int, bool]]] = {}
        self._jumps: dict[str, set[tuple[int, bool]]] = {digest: set() for _, digest in self._codes}
        for fork in (CancunComputation, PragueComputation):  # titanoboa's and Ape's
            opcode: Any = fork.opcodes[JUMPI]
            opcode.logic_fn = self._jumpi

    def pytest_sessionfinish(self) -> None:
        jumps = {digest: sorted(jumps) for digest, jumps in self._jumps.items() if jumps}
        (self._folder / RECORDS.replace("*", str(os.getpid()))).write_text(json.dumps(jumps))

    def _jumpi(self, computation: ComputationAPI) -> None:
        code: Any = computation.code
        after = code.program_counter
        jumpi(computation)
        bytecode = code._raw_code_bytes
        jumps = self._executed.get(bytecode)
        if jumps is None:
            jumps = self._executed[bytecode] = self._jumps_of(bytecode)
        jumps.add((after - 1, code.program_counter != after))

    def _jumps_of(self, bytecode: bytes) -> set[tuple[int, bool]]:
        """Return where to note the jumps of code on chain: arguments or immutables follow what was compiled."""
        for length, digest in self._codes:
            if hashlib.sha256(bytecode[:length]).hexdigest() == digest:
                return self._jumps[digest]
        return set()


def prepare(folder: Path, codes: list[Code]) -> None:
    """Make `folder` ready to be recorded into."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(RECORDS):
        old.unlink()
    (folder / CODES).write_text(json.dumps([(code.length, code.digest) for code in codes]))


def recorded(folder: Path) -> dict[str, set[tuple[int, bool]]]:
    """Return all processes' jumps by the digest of the code."""
    merged: dict[str, set[tuple[int, bool]]] = {}
    for path in folder.glob(RECORDS):
        for digest, jumps in json.loads(path.read_text()).items():
            merged.setdefault(digest, set()).update((position, jumped) for position, jumped in jumps)
    return merged
