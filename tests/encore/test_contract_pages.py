"""docs/contracts: a page for every contract, links that lead somewhere, tests that exist under the names given."""

import re
from pathlib import Path

import pytest

from encore.chain.deployments import ABI_DIR

ROOT = ABI_DIR.parents[1]
PAGES = sorted((ROOT / "docs" / "contracts").glob("*.md"))
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
NAMED_TEST = re.compile(r"\btest_\w+")
DEFINED_TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """Every test's name, and every test module's."""
    modules = list((ROOT / "tests").rglob("test_*.py"))
    return {path.stem for path in modules} | {
        name for path in modules for name in DEFINED_TEST.findall(path.read_text())
    }


@pytest.mark.parametrize("contract", sorted(path.stem for path in ABI_DIR.glob("*.json")))
def test_the_index_leads_to_a_page_of_each_contract(contract: str) -> None:
    index = (ROOT / "docs" / "contracts" / "README.md").read_text()
    row = re.search(rf"^\| `\w+/{contract}` . \[page\]\((?P<page>[\w-]+\.md)\)", index, re.MULTILINE)
    assert row is not None
    page = (ROOT / "docs" / "contracts" / row["page"]).read_text()
    assert re.search(rf"`contracts/\w+/{contract}\.vy`", page)
    for heading in ("What it holds", "Who may do what", "Invariants", "Parameters", "If "):
        assert f"\n## {heading}" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_exists(page: Path, tests: set[str]) -> None:
    assert set(NAMED_TEST.findall(page.read_text())) - tests == set()


def test_the_threat_model_names_every_attack_that_is_tried() -> None:
    modules = [ROOT / "tests/contracts/test_attacks.py", *(ROOT / "tests/contracts/attacks").glob("test_*.py")]
    tried = {name for path in modules for name in DEFINED_TEST.findall(path.read_text())}
    assert tried - set(re.findall(r"`(test_\w+)`", (ROOT / "docs/contracts/threat-model.md").read_text())) == set()
