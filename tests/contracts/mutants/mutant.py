"""What a mutant is: a contract with one safeguard less, and the tests that must notice."""

from dataclasses import dataclass
from pathlib import Path

import click


class MutantError(click.ClickException):
    """A mutant that cannot be tried as it stands; ends the command with one message.

    No EncoreError: the tests of a copy of the tree import that copy's packages, in processes forked from this one's.
    """


@dataclass(frozen=True)
class Mutant:
    """One change of a source below contracts/, and why it must not go unnoticed."""

    name: str
    source: str
    original: str
    replacement: str
    danger: str
    caught_by: tuple[str, ...]  # pytest's node IDs below tests/contracts

    def applied(self, contracts: Path) -> str:
        """Return the changed source; raises MutantError where it no longer has the text exactly once."""
        text = (contracts / self.source).read_text()
        found = text.count(self.original)
        if found != 1:
            raise MutantError(f"mutant {self.name}: its text is found {found} times in {self.source}, not once")
        return text.replace(self.original, self.replacement)


def removal(name: str, source: str, original: str, danger: str, *caught_by: str) -> Mutant:
    """Return the mutant that lacks `original`, a whole line or several."""
    return Mutant(name, source, original, "", danger, caught_by)


def change(name: str, source: str, original: str, replacement: str, danger: str, *caught_by: str) -> Mutant:
    """Return the mutant that has `replacement` in place of `original`."""
    return Mutant(name, source, original, replacement, danger, caught_by)
