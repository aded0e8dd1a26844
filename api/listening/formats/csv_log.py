"""Our own format: comma-separated values with a header line; docs/listening-logs.md describes the columns."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Final

from api.listening.formats.rows import (
    BATCH_LINES,
    CREATOR_LENGTH,
    LISTENER_LENGTH,
    LONGEST_SECONDS,
    MOST_PLAYS,
    TITLE_LENGTH,
    BadRow,
    BadValueError,
    Batch,
    Creator,
    Listener,
    Play,
    Seen,
    Track,
    check_text,
    event_key,
    identity,
)
from api.listening.formats.source import ListeningLogError, LogFile, open_log

REQUIRED: Final = ("listener", "creator", "played_at")
OPTIONAL: Final = ("track", "listened_seconds", "track_seconds", "play_count", "follow")
COLUMNS: Final = REQUIRED + OPTIONAL
_Order = Callable[[list[str]], tuple[str, ...]]
_FOLLOW: Final = {"": True, "yes": True, "no": False}


def files(path: Path) -> Sequence[Path]:
    """Return the file itself; raises `ListeningLogError` when it is none."""
    if not path.is_file():
        raise ListeningLogError(f"{path} is not a file; expected one with the columns {', '.join(REQUIRED)} …")
    return [path]


def parse(paths: Sequence[Path], now: int) -> Iterator[Batch]:
    """Yield the rows of each file; a play later than `now` (Unix seconds) is refused."""
    rows = _Rows(now)
    for path in paths:
        with open_log(path) as file:
            yield from _batches(file, rows)


class _Rows:
    """Reads rows into a batch; remembers which listeners, creators and tracks came before."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._seen = Seen()

    def read(self, values: Sequence[str], batch: Batch) -> None:
        """Read the values of one row, in the order of `COLUMNS`, empty where there is none."""
        listener, name, time, title, listened, duration, play_count, follow = map(str.strip, values)
        check_text(listener, "listener", LISTENER_LENGTH)
        creator = identity(check_text(name, "creator", CREATOR_LENGTH))
        played_at = self._time(time)
        if title:
            check_text(title, "track", TITLE_LENGTH)
        listened_seconds = _number("listened_seconds", listened, 0, LONGEST_SECONDS)
        duration_seconds = _number("track_seconds", duration, 1, LONGEST_SECONDS)
        if follow not in _FOLLOW:
            raise BadValueError(f"follow {follow!r} is neither yes nor no")
        play = Play(
            listener,
            creator,
            title or None,
            played_at,
            listened_seconds,
            _number("play_count", play_count, 1, MOST_PLAYS) or 1,
            event_key(played_at, listener, creator, title),
            _FOLLOW[follow],
        )
        batch.plays.append(play)
        if self._seen.is_first(("listener", listener)):
            batch.listeners.append(Listener(listener, listener))
        if self._seen.is_first(("creator", creator)):
            batch.creators.append(Creator(creator, name, ""))
        if title and self._seen.is_first((creator, title, None)):
            batch.tracks.append(Track(creator, title, duration_seconds))

    def _time(self, text: str) -> int:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise BadValueError(f"played_at {text!r} is not an ISO 8601 time such as 2026-01-31T20:15:00Z") from None
        if time.tzinfo is None:
            raise BadValueError(f"played_at {text!r} has no time zone; end it with Z for UTC")
        played_at = int(time.timestamp())
        if not 0 <= played_at <= self._now:
            raise BadValueError(f"played_at {text!r} is {'in the future' if played_at > 0 else 'before 1970'}")
        return played_at


def _number(name: str, text: str, least: int, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise BadValueError(f"{name} {text[:40]!r} is not a whole number between {least} and {most}")
    return int(text)


def _batches(file: LogFile, rows: _Rows) -> Iterator[Batch]:
    batch = Batch()
    reader = csv.reader(file, strict=True)
    order: _Order | None = None
    width = first_line = 0
    while True:
        first_line = reader.line_num + 1
        try:
            row = next(reader, None)
            if row is None:
                break
            if not row:
                continue
            if order is None:
                order, width = _order(row), len(row)
                continue
            batch.lines += 1
            if len(row) != width:
                raise BadValueError(f"expected {width} values, found {len(row)}")  # noqa: TRY301
            rows.read(order([*row, ""]), batch)
        except (BadValueError, csv.Error) as problem:
            batch.bad_rows.append(BadRow(file.name, first_line, str(problem)))
            if order is None:
                break
        if batch.lines == BATCH_LINES:
            batch.bytes_read = file.bytes_read()
            yield batch
            batch = Batch()
    if order is None and not batch.bad_rows:
        batch.bad_rows.append(BadRow(file.name, 1, "the file is empty; expected a header line"))
    batch.bytes_read = file.bytes_read()
    yield batch


def _order(header: list[str]) -> _Order:
    """Return what puts a row (with one empty value added at its end) in the order of `COLUMNS`."""
    names = [name.strip() for name in header]
    for name in names:
        if name not in COLUMNS:
            raise BadValueError(f"unknown column {name!r}; known columns: {', '.join(COLUMNS)}")
        if names.count(name) > 1:
            raise BadValueError(f"column {name!r} appears twice")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise BadValueError(f"the header lacks {', '.join(missing)}")
    return itemgetter(*(names.index(name) if name in names else -1 for name in COLUMNS))
