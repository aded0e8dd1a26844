"""docs/contracts/events.md names every event of every exported ABI, and explains every figure in it."""

import json
import re
from typing import Any

import pytest

from encore.chain.deployments import ABI_DIR

PAGE = ABI_DIR.parents[1] / "docs" / "contracts" / "events.md"
CONTRACTS = sorted(path.stem for path in ABI_DIR.glob("*.json"))
SECTION = re.compile(
    r"^Emitted by (?P<contracts>(?:`\w+`(?:, )?)+)\.(?P<rest>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
ROW = re.compile(r"^\| `(?P<signature>\w+\([^`]*\))` \| (?P<figures>.*?) \|", re.MULTILINE)
FIGURE = re.compile(r"\buint\d+(?:\[\])?(?: indexed)? (?P<name>\w+)")
QUOTED = re.compile(r"`(\w+)`")


def catalogue() -> list[tuple[list[str], str, str]]:
    """Return for each row of the page the contracts of its section, the signature, and what explains its figures."""
    return [
        (QUOTED.findall(section["contracts"]), row["signature"], row["figures"])
        for section in SECTION.finditer(PAGE.read_text())
        for row in ROW.finditer(section["rest"])
    ]


def signature(event: dict[str, Any]) -> str:
    inputs = (
        f"{argument['type']}{' indexed' if argument['indexed'] else ''} {argument['name']}"
        for argument in event["inputs"]
    )
    return f"{event['name']}({', '.join(inputs)})"


def exported(contract: str) -> set[str]:
    abi = json.loads((ABI_DIR / f"{contract}.json").read_text())
    return {signature(entry) for entry in abi if entry["type"] == "event"}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_catalogue_has_every_event_of_a_contract_and_no_other(contract: str) -> None:
    listed = [row for contracts, row, _ in catalogue() if contract in contracts]
    assert sorted(listed) == sorted(exported(contract))


def test_the_catalogue_names_no_contract_that_has_no_abi() -> None:
    assert {name for contracts, _, _ in catalogue() for name in contracts} == set(CONTRACTS)


def test_every_figure_of_an_event_is_explained_beside_it() -> None:
    unexplained = {
        row: missing
        for _, row, figures in catalogue()
        if (missing := set(FIGURE.findall(row)) - set(QUOTED.findall(figures)))
    }
    assert unexplained == {}
