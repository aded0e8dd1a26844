"""The Last.fm data set of HetRec 2011: artists, how often each listener played each of them, and friendships.

A folder of tab-separated files, with a header line or (as some copies) without. Plays are summed up and have no time:
they count as heard at the time of the import.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from api.listening.formats.rows import (
    BATCH_LINES,
    CREATOR_LENGTH,
    IMAGE_URL_LENGTH,
    MOST_PLAYS,
    BadRow,
    BadValueError,
    Batch,
    Creator,
    Friendship,
    Listener,
    Play,
    check_text,
)
from api.listening.formats.source import ListeningLogError, LogFile, open_log

ARTISTS: Final = "artists.dat"
USER_ARTISTS: Final = "user_artists.dat"
USER_FRIENDS: Final = "user_friends.dat"
HEADERS: Final = {
    ARTISTS: ("id", "name", "url", "pictureURL"),
    USER_ARTISTS: ("userID", "artistID", "weight"),
    USER_FRIENDS: ("userID", "friendID"),
}
_NUMBER: Final = r"(0|[1-9][0-9]{0,17})"
_ONE_NUMBER: Final = re.compile(_NUMBER)
_TWO_NUMBERS: Final = re.compile(rf"{_NUMBER}\t{_NUMBER}")
_THREE_NUMBERS: Final = re.compile(rf"{_NUMBER}\t{_NUMBER}\t{_NUMBER}")


def files(folder: Path) -> Sequence[Path]:
    """Return the three files of the data set in `folder`; raises `ListeningLogError` when one is missing."""
    if not folder.is_dir():
        raise ListeningLogError(f"{folder} is not a folder; expected one with {', '.join(HEADERS)}")
    missing = [name for name in HEADERS if not (folder / name).is_file()]
    if missing:
        raise ListeningLogError(f"no {', '.join(missing)} in {folder}; expected {', '.join(HEADERS)}")
    return [folder / name for name in HEADERS]


def parse(paths: Sequence[Path], now: int) -> Iterator[Batch]:
    """Yield the rows of the three files; plays get `now` (Unix seconds) as their time."""
    rows = _Rows(now)
    for path, read in zip(paths, (rows.artist, rows.plays, rows.friendship), strict=True):
        with open_log(path) as file:
            yield from _batches(file, read)


class _Rows:
    """Reads lines of each file into a batch; knows which artists and listeners came before."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._artists: set[str] = set()
        self._listeners: set[str] = set()

    def artist(self, line: str, batch: Batch) -> None:
        """Read a line of `artists.dat`."""
        artist, name, _, picture = _fields(line, HEADERS[ARTISTS])
        if not _ONE_NUMBER.fullmatch(artist):
            raise BadValueError(f"id {artist!r} is not a whole number")
        if artist in self._artists:
            raise BadValueError(f"artist {artist} is listed twice")
        check_text(name, "name", CREATOR_LENGTH)
        if picture and not check_text(picture, "pictureURL", IMAGE_URL_LENGTH).startswith(("http://", "https://")):
            raise BadValueError("pictureURL is not an http(s) URL")
        self._artists.add(artist)
        batch.creators.append(Creator(artist, name, picture))

    def plays(self, line: str, batch: Batch) -> None:
        """Read a line of `user_artists.dat`."""
        match = _THREE_NUMBERS.fullmatch(line)
        if match is None:
            raise _not_numbers(line, HEADERS[USER_ARTISTS])
        user, artist, weight = match.groups()
        if artist not in self._artists:
            raise BadValueError(f"artist {artist} is not in {ARTISTS}")
        play_count = int(weight)
        if not 0 < play_count <= MOST_PLAYS:
            raise BadValueError(f"weight {weight} is not between 1 and {MOST_PLAYS}")
        self._listener(user, batch)
        batch.plays.append(Play(user, artist, None, self._now, None, play_count, f"{user}:{artist}", follows=True))

    def friendship(self, line: str, batch: Batch) -> None:
        """Read a line of `user_friends.dat`: one direction of a friendship."""
        match = _TWO_NUMBERS.fullmatch(line)
        if match is None:
            raise _not_numbers(line, HEADERS[USER_FRIENDS])
        user, friend = match.groups()
        if user == friend:
            raise BadValueError(f"user {user} is listed as their own friend")
        self._listener(user, batch)
        self._listener(friend, batch)
        batch.friendships.append(Friendship(user, friend))

    def _listener(self, user: str, batch: Batch) -> None:
        if user not in self._listeners:
            self._listeners.add(user)
            batch.listeners.append(Listener(user, f"Listener {user}"))


def _batches(file: LogFile, read: Callable[[str, Batch], None]) -> Iterator[Batch]:
    batch = Batch()
    header = "\t".join(HEADERS[file.name])
    for number, ended_line in enumerate(file, start=1):
        line = ended_line.rstrip("\r\n")
        if not line or (number == 1 and line == header):
            continue
        batch.lines += 1
        try:
            read(line, batch)
        except BadValueError as problem:
            batch.bad_rows.append(BadRow(file.name, number, str(problem)))
        if batch.lines == BATCH_LINES:
            batch.bytes_read = file.bytes_read()
            yield batch
            batch = Batch()
    batch.bytes_read = file.bytes_read()
    yield batch


def _fields(line: str, columns: Sequence[str]) -> list[str]:
    fields = line.split("\t")
    if len(fields) != len(columns):
        raise BadValueError(f"expected {len(columns)} columns ({', '.join(columns)}), found {len(fields)}")
    return fields


def _not_numbers(line: str, columns: Sequence[str]) -> BadValueError:
    for column, value in zip(columns, _fields(line, columns), strict=True):
        if not _ONE_NUMBER.fullmatch(value):
            return BadValueError(f"{column} {value!r} is not a whole number")
    raise AssertionError(line)
