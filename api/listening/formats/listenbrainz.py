"""ListenBrainz dumps: one JSON document per line and listen.

Documented at https://listenbrainz.readthedocs.io/en/latest/users/listenbrainz-dumps.html (the folders) and
https://listenbrainz.readthedocs.io/en/latest/users/json.html (the documents).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from api.listening.formats.rows import (
    BATCH_LINES,
    CREATOR_LENGTH,
    LISTENER_LENGTH,
    LONGEST_SECONDS,
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

SUFFIXES: Final = (".listens", ".jsonl", ".listens.gz", ".jsonl.gz")
_NOTHING: Final[dict[str, Any]] = {}
_LONGEST_NAME: Final = 10_000
"""Names are what people's players sent: long ones are cut to the column, monsters refused."""


def files(path: Path) -> Sequence[Path]:
    """Return the file, or the dump's files in a folder; raises `ListeningLogError` when there are none."""
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.name.endswith(SUFFIXES) and file.is_file())
    if not found:
        raise ListeningLogError(f"no {', '.join(SUFFIXES)} files in {path}")
    return found


def parse(paths: Sequence[Path], now: int) -> Iterator[Batch]:
    """Yield the rows of each file; a listen later than `now` (Unix seconds) is refused."""
    rows = _Rows(now)
    for path in paths:
        with open_log(path) as file:
            yield from _batches(file, rows)


class _Rows:
    """Reads documents into a batch; remembers which listeners, artists and tracks came before."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._seen = Seen()

    def read(self, line: str, batch: Batch) -> None:
        """Read one line."""
        listen = _document(line)
        metadata = listen.get("track_metadata")
        if not isinstance(metadata, dict):
            raise BadValueError("track_metadata is missing")
        listener = _listener(listen)
        artist = _text(metadata, "artist_name")
        track = _text(metadata, "track_name")
        played_at = self._time(listen)
        name = artist[:CREATOR_LENGTH]
        title = track[:TITLE_LENGTH]
        creator = identity(name)
        info = metadata.get("additional_info")
        if not isinstance(info, dict):
            info = _NOTHING
        key = event_key(played_at, listener, artist, track)
        batch.plays.append(Play(listener, creator, title, played_at, _listened_seconds(info), 1, key, follows=True))
        if self._seen.is_first(("listener", listener)):
            batch.listeners.append(Listener(listener, listener))
        if self._seen.is_first(("creator", creator)):
            batch.creators.append(Creator(creator, name, ""))
        if self._seen.is_first((creator, title, None)):
            batch.tracks.append(Track(creator, title, _duration_seconds(info)))

    def _time(self, listen: dict[str, Any]) -> int:
        name = "listened_at" if "listened_at" in listen else "timestamp"
        time = listen.get(name)
        if time is None:
            raise BadValueError("listened_at (or timestamp) is missing")
        if type(time) is not int or time < 0:
            raise BadValueError(f"{name} {str(time)[:40]!r} is not a Unix time in seconds")
        if time > self._now:
            raise BadValueError(f"{name} {time} is in the future")
        return time


def _document(line: str) -> dict[str, Any]:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadValueError(f"not JSON: {error.msg}") from None
    if not isinstance(document, dict):
        raise BadValueError("not a JSON object")
    return document


def _listener(listen: dict[str, Any]) -> str:
    listener = listen.get("user_name") or listen.get("user_id")
    if listener is None or listener == "":
        raise BadValueError("user_name (or user_id) is missing")
    if not isinstance(listener, str | int):
        raise BadValueError("user_name is neither text nor a number")
    return check_text(str(listener), "user_name", LISTENER_LENGTH)


def _text(metadata: dict[str, Any], name: str) -> str:
    value = metadata.get(name)
    if not isinstance(value, str):
        raise BadValueError(f"track_metadata.{name} is {'missing' if value is None else 'not text'}")
    return check_text(value.strip(), f"track_metadata.{name}", _LONGEST_NAME)


def _duration_seconds(info: dict[str, Any]) -> int | None:
    """Return a track's length in seconds; players send all sorts of things here, what makes no sense is left out."""
    milliseconds = info.get("duration_ms")
    if isinstance(milliseconds, int):
        return milliseconds // 1000 if 0 < milliseconds // 1000 <= LONGEST_SECONDS else None
    seconds = info.get("duration")
    return seconds if isinstance(seconds, int) and 0 < seconds <= LONGEST_SECONDS else None


def _listened_seconds(info: dict[str, Any]) -> int | None:
    seconds = info.get("duration_played")
    return seconds if isinstance(seconds, int) and 0 <= seconds <= LONGEST_SECONDS else None


def _batches(file: LogFile, rows: _Rows) -> Iterator[Batch]:
    batch = Batch()
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        batch.lines += 1
        try:
            rows.read(line, batch)
        except BadValueError as problem:
            batch.bad_rows.append(BadRow(file.name, number, str(problem)))
        if batch.lines == BATCH_LINES:
            batch.bytes_read = file.bytes_read()
            yield batch
            batch = Batch()
    batch.bytes_read = file.bytes_read()
    yield batch
