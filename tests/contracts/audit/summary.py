"""The audit's table: what of each contract was covered, checked and attacked, how large it is and what a call costs."""

import re
from collections.abc import Iterable, Sized
from typing import Final, NamedTuple

from rich.table import Table

from .branches import Branch, Contract
from .recorder import Record
from .sourcemap import PROJECT_ROOT
from .suite import attacks, searched

EIP_170_BYTES: Final = 24_576


class Subject(NamedTuple):
    """A contract's rows of the specification, and how its typical operation begins in the gas table."""

    rows: set[str]
    operation: str


SUBJECTS: Final = {
    "BalancedCreatorToken": Subject({"C6"}, "transfer, both delegate"),
    "ContentAccess": Subject({"C14"}, "grantAccess, again"),
    "CreatorGovernor": Subject({"C17"}, "castVote"),
    "CreatorMetricsManager": Subject({"C8"}, "updateCreatorMetrics, with"),
    "CreatorTimelock": Subject({"C17"}, "schedule"),
    "CreatorToken": Subject({"C5"}, "transfer, both delegate"),
    "CreatorTokenFactory": Subject({"C10"}, "launchCreatorCoin"),
    "ERC1967Proxy": Subject({"C16"}, ""),
    "IntegratedCreatorDEX": Subject({"C11", "C12"}, "buyTokens, plain ERC-20"),
    "MusicNFT": Subject({"C13"}, "buyEdition"),
    "SparkMarketplace": Subject({"C15"}, "buy, for native coin"),
    "SparkNFT": Subject({"C15"}, "mint"),
    "SparkToken": Subject({"C7", "C16"}, "transfer, both delegate"),
    "TokenDeploymentFactory": Subject({"C9"}, "deployCreatorToken"),
}
# What `make gas` last wrote: | contract | operation | gas | …
GAS: Final = PROJECT_ROOT / "docs" / "contracts" / "gas-table.md"
GAS_ROW: Final = re.compile(r"^\| (\w+) \| ([^|]+) \| ([\d ]+) \|", re.MULTILINE)


def missed_branches(contracts: Iterable[Contract], record: Record) -> dict[str, set[Branch]]:
    """Return by contract the branches that no test took."""
    return {contract.name: contract.branches - contract.taken(record.jumps) for contract in contracts}


def typical_call(contract: str) -> str:
    """Return what the contract's typical operation costs, in gas units; a proxy has none of its own."""
    for name, operation, gas in GAS_ROW.findall(GAS.read_text()):
        if name == contract and SUBJECTS[contract].operation and operation.startswith(SUBJECTS[contract].operation):
            return f"{gas} {operation.partition(',')[0]}"
    return ""


def table(contracts: list[Contract], record: Record) -> Table:
    """Return the table."""
    result = Table(title="The audit of the contracts", caption=CAPTION, caption_justify="left")
    for heading in ("contract", "functions", "branches", "invariants", "attacks", "bytes of 24 576", "gas"):
        result.add_column(heading, justify="left" if heading in {"contract", "gas"} else "right", no_wrap=True)
    missed = missed_branches(contracts, record)
    for contract in contracts:
        result.add_row(
            contract.name,
            str(contract.functions),
            _share(contract.branches, missed[contract.name]),
            str(_invariants(contract, record)),
            str(_attacks(contract, record)),
            f"{contract.size} ({contract.size / EIP_170_BYTES:.0%})",
            typical_call(contract.name),
        )
    every = [(contract.name, branch) for contract in contracts for branch in contract.branches]
    untaken = [(name, branch) for name, branches in missed.items() for branch in branches]
    sources = {branch for contract in contracts for branch in contract.branches}
    taken = {branch for contract in contracts for branch in contract.branches - missed[contract.name]}
    result.add_section()
    total = sum(contract.functions for contract in contracts)
    checks = {(test.partition("::")[0], check) for test, (_, names) in searched().items() for check in names}
    result.add_row("all contracts", str(total), _share(every, untaken), str(len(checks)), str(len(attacks())))
    result.add_row("all sources, each once", "", _share(sources, sources - taken))
    return result


CAPTION: Final = (
    "branches: ways on from a decision of the source that tests took, in each contract with its modules"
    "\ninvariants: of the state machines about the contract; attacks: tests of attacks that run its code"
)


def _share(every: Sized, missed: Sized) -> str:
    count, lacking = len(every), len(missed)
    return f"{count - lacking}/{count} {(count - lacking) / count:.1%}"


def _ran(contract: Contract, record: Record) -> set[str]:
    """Return the tests that called the contract, without the parameters in their names."""
    return {test.partition("[")[0] for test, digests in record.tests.items() if contract.runtime.digest in digests}


def _invariants(contract: Contract, record: Record) -> int:
    ran = _ran(contract, record)
    about = SUBJECTS[contract.name].rows
    machines = [checks for test, (rows, checks) in searched().items() if test in ran and rows & about]
    return len({check for checks in machines for check in checks})


def _attacks(contract: Contract, record: Record) -> int:
    return len(_ran(contract, record) & attacks())
