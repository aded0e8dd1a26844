"""Nothing goes untested: every revert reason, event and row of the specification, and no machine searches less."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from vyper import ast as vy_ast

from tests.contracts.audit.machines import invariants
from tests.contracts.audit.suite import rows

TESTS = Path(__file__).resolve().parent
SOURCES = sorted(
    path for path in (TESTS.parents[1] / "contracts").rglob("*.vy") if path.parent.name not in {"mocks", "interfaces"}
)
PROGRAMS = {"audit", "mutants"}
# What can be lost lies here: the coins, the exchange, drops and the marketplace.
ROWS_WITH_VALUE = {"C2", "C3", "C5", "C6", "C7", "C11", "C13", "C15"}


def declarations(source: Path) -> vy_ast.Module:
    return vy_ast.parse_to_ast(source.read_text())


def reasons(source: Path) -> set[str]:
    module = declarations(source)
    messages = [node.msg for node in module.get_descendants(vy_ast.Assert)]
    messages += [node.exc for node in module.get_descendants(vy_ast.Raise)]
    return {message.value for message in messages if isinstance(message, vy_ast.Str)}


def events(source: Path) -> set[str]:
    return {node.name for node in declarations(source).get_children(vy_ast.EventDef)}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(TESTS.rglob("*.py")):
        if path != Path(__file__) and PROGRAMS.isdisjoint(path.parts):
            yield path, ast.parse(path.read_text())


@pytest.fixture(scope="module")
def words() -> set[str]:
    """Every string and every attribute that the tests have."""
    nodes = [node for _, module in modules() for node in ast.walk(module)]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return strings | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_revert_reason_is_asserted(source: Path, words: set[str]) -> None:
    assert reasons(source) - words == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_event_is_asserted(source: Path, words: set[str]) -> None:
    assert events(source) - words == set()


def test_every_row_of_the_specification_has_tests() -> None:
    tested = {row for path, module in modules() if path.name.startswith("test_") for row in rows(module)}
    assert {f"C{number}" for number in range(1, 21)} - tested == set()


def test_every_stateful_test_searches_as_its_profile_says() -> None:
    searches = [
        (path.name, ast.unparse(call))
        for path, module in modules()
        for call in ast.walk(module)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "run_state_machine_as_test"
    ]
    assert len(searches) >= 9
    assert [search for search in searches if not search[1].endswith("settings=STATEFUL)")] == []
    definitions = [
        path.name
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and ast.unparse(node).startswith("STATEFUL =")
    ]
    assert definitions == ["profiles.py"]


def test_a_machine_that_holds_value_checks_five_invariants_or_more() -> None:
    few = {
        name: names
        for _, module in modules()
        if rows(module) & ROWS_WITH_VALUE
        for name, names in invariants(module).items()
        if len(names) < 5
    }
    assert few == {}
