"""`make mutants`: takes the contracts' safeguards away one at a time and sees that a test fails for each."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .catalogue import MUTANTS
from .mutant import Mutant, MutantError
from .report import REPORT, as_markdown
from .trial import PROJECT_ROOT, Laboratory, Outcome, Trial


@click.command()
@click.option("--only", "names", multiple=True, metavar="NAME", help="Try this one; may be given again.")
@click.option("--list", "listing", is_flag=True, help="Only list the mutants.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="How many are tried at a time.")
def main(names: tuple[str, ...], jobs: int, *, listing: bool) -> None:
    """Try the mutants; exit with 1 unless all are caught. A run of all of them rewrites docs/contracts/mutants.md."""
    console = Console(width=180, soft_wrap=True, highlight=False)
    chosen = _chosen(names)
    if listing:
        console.print(_listing(chosen))
        return
    trials = _tried(chosen, jobs, console)
    console.print(_results(trials))
    missed = [trial for trial in trials if trial.outcome is not Outcome.CAUGHT]
    for trial in missed:
        console.print(f"\n{trial.mutant.name}, {trial.outcome.value}:\n{escape(trial.detail)}")
    console.print(f"{len(trials) - len(missed)} of {len(trials)} mutants caught")
    if missed:
        sys.exit(1)
    if not names:
        (PROJECT_ROOT / REPORT).write_text(as_markdown(trials))


def _chosen(names: tuple[str, ...]) -> list[Mutant]:
    by_name = {mutant.name: mutant for mutant in MUTANTS}
    if len(by_name) != len(MUTANTS):
        raise MutantError("two mutants share a name")
    unknown = sorted(set(names) - set(by_name))
    if unknown:
        raise MutantError(f"no such mutant: {', '.join(unknown)}; --list shows them")
    return [by_name[name] for name in names] or list(MUTANTS)


def _tried(mutants: list[Mutant], jobs: int, console: Console) -> list[Trial]:
    with TemporaryDirectory(prefix="encore-mutants-") as folder:
        laboratory = Laboratory(Path(folder))
        laboratory.check(mutants)
        console.print("The tests without any mutant …")
        laboratory.prepare(mutants, jobs)
        trials = []
        for count, trial in enumerate(_trials(laboratory, mutants, jobs), start=1):
            console.print(f"{count}/{len(mutants)} {trial.outcome.value} {trial.mutant.name} ({trial.seconds:.0f} s)")
            trials.append(trial)
    return sorted(trials, key=lambda trial: mutants.index(trial.mutant))


def _trials(laboratory: Laboratory, mutants: list[Mutant], jobs: int) -> Iterator[Trial]:
    with ThreadPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(laboratory.try_mutant, mutant) for mutant in mutants]):
            yield future.result()


def _listing(mutants: list[Mutant]) -> Table:
    table = Table("mutant", "contract", "why it is dangerous", title=f"{len(mutants)} mutants")
    for mutant in mutants:
        table.add_row(mutant.name, mutant.source, mutant.danger)
    return table


def _results(trials: list[Trial]) -> Table:
    table = Table("mutant", "contract", "outcome", "by", "seconds")
    for trial in trials:
        caught = trial.outcome is Outcome.CAUGHT
        outcome = trial.outcome.value if caught else f"[bold red]{trial.outcome.value}"
        by = escape(trial.detail) if caught else ""
        table.add_row(trial.mutant.name, trial.mutant.source, outcome, by, f"{trial.seconds:.0f}")
    return table


if __name__ == "__main__":
    main()
