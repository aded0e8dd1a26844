"""`encore import`: bringing real data in."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.listening import importer
from api.listening.formats import FORMATS
from api.listening.importer import BadRowsError, Summary, import_log
from api.listening.wallets import CreatorWallets
from encore.chain.networks import LOCAL_MNEMONIC
from encore.db import Database
from encore.db.migrate import check_schema
from encore.settings import Settings, load_settings

BAD_ROWS_SHOWN: Final = 20
_PLAIN_LINE_SECONDS: Final = 2.0


@click.group(name="import")
def import_() -> None:
    """Bring real data in: listening logs."""


@import_.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), required=True, help="what PATH holds")
def listens(path: Path, format_name: str) -> None:
    r"""Import the listening log at PATH: listeners, creators, tracks, plays and follows.

    \b
    lastfm        a folder with artists.dat, user_artists.dat and user_friends.dat (HetRec 2011)
    listenbrainz  a dump: one .listens or .jsonl file, or a folder of them (.gz too)
    csv           a file with the columns listener, creator, played_at and more (docs/listening-logs.md)

    The whole log is checked first: one bad row, and nothing is imported. Importing a log again adds only what is new.
    """
    settings = load_settings()
    check_schema(settings.database)
    console = Console(stderr=True)
    started = time.perf_counter()
    try:
        summary = asyncio.run(_import(settings, path, format_name, console))
    except BadRowsError as error:
        console.print(_bad_rows_table(error))
        raise
    seconds = time.perf_counter() - started
    output = Console()
    output.print(_summary_table(summary))
    output.print(
        f"{summary.lines:,} rows in {seconds:.2f} s: {summary.lines / seconds:,.0f} rows a second", highlight=False
    )


async def _import(settings: Settings, path: Path, format_name: str, console: Console) -> Summary:
    log_format = FORMATS[format_name]
    files = log_format.files(path)
    now = datetime.now(UTC)
    database = Database(settings.database)
    try:
        with _progress(console, sum(file.stat().st_size for file in files)) as progress:
            return await import_log(
                database,
                log_format.parse(files, int(now.timestamp())),
                source=format_name,
                now=now,
                wallets=CreatorWallets(LOCAL_MNEMONIC) if settings.chain.is_local else None,
                progress=progress,
            )
    finally:
        await database.close()


@contextmanager
def _progress(console: Console, total_bytes: int) -> Iterator[importer.Progress]:
    if not console.is_terminal:
        yield _PlainProgress(total_bytes)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _BarProgress(bar, total_bytes)


class _BarProgress:
    """Progress for people on a terminal."""

    def __init__(self, bar: Progress, total_bytes: int) -> None:
        self._bar = bar
        self._task = bar.add_task("reading and checking", total=total_bytes)

    def read(self, byte_count: int) -> None:
        """Move the bar on."""
        self._bar.advance(self._task, byte_count)

    def step(self, label: str) -> None:
        """Name the step beside a bar that pulses: how long it takes is not known."""
        self._bar.update(self._task, description=label, total=None)


class _PlainProgress:
    """Progress as lines, for logs and pipes; while reading at most one every two seconds."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._bytes_read = 0
        self._last_line = time.monotonic()

    def read(self, byte_count: int) -> None:
        """Say how far reading is, now and then."""
        self._bytes_read += byte_count
        if time.monotonic() - self._last_line >= _PLAIN_LINE_SECONDS:
            self._last_line = time.monotonic()
            self._say(f"reading and checking: {self._bytes_read / max(self._total_bytes, 1):.0%}")

    def step(self, label: str) -> None:
        """Say which step comes now."""
        self._say(label)

    @staticmethod
    def _say(line: str) -> None:
        click.echo(f"import: {line}", err=True)
        sys.stderr.flush()


def _bad_rows_table(error: BadRowsError) -> Table:
    table = Table(title=f"Bad rows (the first {min(BAD_ROWS_SHOWN, error.total)} of {error.total})")
    table.add_column("file", overflow="fold")
    table.add_column("line", justify="right")
    table.add_column("reason", overflow="fold")
    for row in error.bad_rows[:BAD_ROWS_SHOWN]:
        table.add_row(row.file, str(row.line), row.reason)
    return table


def _summary_table(summary: Summary) -> Table:
    table = Table(title="Imported")
    for column in ("", "in the log", "new", "known"):
        table.add_column(column, justify="left" if not column else "right")
    for name in ("listeners", "creators", "tracks", "plays", "follows", "friendships"):
        count = getattr(summary, name)
        table.add_row(name, f"{count.in_log:,}", f"{count.new:,}", f"{count.known:,}")
    return table
