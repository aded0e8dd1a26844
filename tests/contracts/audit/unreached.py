"""The branches that no test can reach, as docs/contracts/audit.md lists them with the reason of each."""

import re
from pathlib import Path
from typing import Final

from .branches import Branch
from .sourcemap import PROJECT_ROOT

PAGE: Final = PROJECT_ROOT / "docs" / "contracts" / "audit.md"
# | contracts | `source function: condition` holds or fails | reason |
ROW: Final = re.compile(r"^\| ([\w, ]+) \| `([^`]+)` (holds|fails) \| (.+) \|$", re.MULTILINE)


def listed(page: Path = PAGE) -> set[tuple[str, str]]:
    """Return (contract, branch) of every row."""
    return {
        (contract, f"{branch} {way}")
        for contracts, branch, way, _ in ROW.findall(page.read_text())
        for contract in contracts.split(", ")
    }


def complaints(
    branches: dict[str, set[Branch]], missed: dict[str, set[Branch]], excused: set[tuple[str, str]]
) -> list[str]:
    """Return what is wrong with the list: branches that were not taken and are not on it, or were taken and are."""
    unseen = sorted(contract for contract, names in missed.items() if names == branches[contract])
    missed = {contract: names for contract, names in missed.items() if contract not in unseen}
    untaken = {(contract, str(branch)) for contract, names in missed.items() for branch in names}
    excused = {(contract, branch) for contract, branch in excused if contract not in unseen}
    return [
        *(f"{contract}: nothing of it ran; did its source change meanwhile?" for contract in unseen),
        *(f"{contract}: no test takes {branch}" for contract, branch in sorted(untaken - excused)),
        *(
            f"{contract}: a test takes {branch}, listed as out of reach"
            for contract, branch in sorted(excused - untaken)
        ),
    ]
