"""The table of all rows, as it is committed."""

import re
from collections.abc import Sequence
from typing import Final

from encore import PROJECT_ROOT
from tests.gas.meter import Measured

MET, MISSED = "met", "missed"
TABLE: Final = PROJECT_ROOT / "docs" / "contracts" / "gas-table.md"

_HEAD: Final = """# Gas, operation by operation

Written by `make gas`: gas used, refunds taken off, on anvil (Cancun, one transaction a block, twelve seconds apart).
What it is compared with, and why some are dearer: [gas](gas.md).

| contract | operation | gas | reference | ratio | goal | whose reference |
|---|---|---:|---:|---:|---|---|
"""


def as_markdown(rows: Sequence[Measured]) -> str:
    """Return the file's text."""
    return _HEAD + "".join(f"| {' | '.join(_cells(row))} |\n" for row in rows)


def read() -> dict[tuple[str, str], int]:
    """Return the gas in the committed file, by contract and operation."""
    return {(row[0], row[1]): int(row[2].replace(" ", "")) for row in _committed()}


def missed() -> set[tuple[str, str]]:
    """Return the contracts and operations that miss their goal by the committed file."""
    return {(row[0], row[1]) for row in _committed() if row[5] == MISSED}


def explained() -> set[tuple[str, str]]:
    """Return the contracts and operations of which the page about gas says why."""
    page = TABLE.with_name("gas.md").read_text()
    return set(re.findall(r"^\| `(\w+)` (.+?) \|", page, re.MULTILINE))


def _committed() -> list[list[str]]:
    lines = TABLE.read_text().removeprefix(_HEAD).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _cells(row: Measured) -> list[str]:
    cells = [row.contract, row.operation, f"{row.gas:_}".replace("_", " ")]
    if row.reference is None:
        return [*cells, "", "", "", ""]
    ratio = f"{row.gas / row.reference.gas:.2f}"
    goal = MET if row.met else MISSED
    return [*cells, f"{row.reference.gas:_}".replace("_", " "), ratio, goal, row.reference.source]
