"""What the tests of the suite are about, read from their sources: attacks, and the machines that they search."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from .machines import invariants
from .sourcemap import PROJECT_ROOT

TESTS: Final = PROJECT_ROOT / "tests" / "contracts"
# A comment that heads a part of a test module.
HEADING: Final = re.compile(r"^# (\w.*)$", re.MULTILINE)
ROWS: Final = re.compile(r"(?:C\d+(?:, | and )?)+")


def rows(module: ast.Module) -> set[str]:
    """Return the rows of the specification that a test module's docstring begins with: "C13, …" or "C1 and C17, …"."""
    named = ROWS.match(ast.get_docstring(module) or "")
    return set(re.findall(r"C\d+", named[0])) if named else set()


def sources() -> Iterator[tuple[str, str, ast.Module]]:
    """Yield every test module's path as pytest names it, its text and its syntax tree."""
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text()
        yield path.relative_to(PROJECT_ROOT).as_posix(), text, ast.parse(text)


def attacks() -> set[str]:
    """Return the tests that are attacks: all of a module named for them, or those below a heading "# attacks"."""
    found = set()
    for name, text, module in sources():
        headings = [(text[: match.start()].count("\n") + 1, match[1]) for match in HEADING.finditer(text)]
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                above = [heading for line, heading in headings if line < node.lineno]
                if "attack" in name or above[-1:] == ["attacks"]:
                    found.add(f"{name}::{node.name}")
    return found


def searched() -> dict[str, tuple[set[str], set[str]]]:
    """Return for each stateful test the rows that its module is about and the invariants of the machines it runs."""
    found = {}
    for name, _, module in sources():
        machines = invariants(module)
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                run = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & set(machines)
                if run:
                    checks = {invariant for machine in run for invariant in machines[machine]}
                    found[f"{name}::{node.name}"] = (rows(module), checks)
    return found
