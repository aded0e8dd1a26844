"""The page that says which mutants were tried and what caught each."""

from itertools import groupby
from typing import Final

from .trial import Trial

REPORT: Final = "docs/contracts/mutants.md"
HEAD: Final = """\
# The safeguards, each taken away

A mutant is a contract with one safeguard less: a check removed, a bound moved, an effect behind an interaction, a
rounding turned towards the caller. `make mutants` makes each of the {count} below in a private copy of the tree,
compiles it and runs the tests named for it until one fails; it fails itself if none does, and if a text that a mutant
changes is not found exactly once in its contract. A run of all of them writes this page. The mutants are in
`tests/contracts/mutants/`; `--only NAME` tries one, `--list` lists them.
"""


def as_markdown(trials: list[Trial]) -> str:
    """Return the page for mutants that were all caught."""
    lines = [HEAD.format(count=len(trials))]
    for source, group in groupby(trials, lambda trial: trial.mutant.source):
        lines += [f"## contracts/{source}", "| without it | mutant | caught by |", "|---|---|---|"]
        lines += [f"| {trial.mutant.danger} | {trial.mutant.name} | `{trial.detail}` |" for trial in group]
        lines.append("")
    return "\n".join(lines)
