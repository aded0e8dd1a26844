"""The formats of listening logs; each module turns one into batches of rows and reports of bad rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.listening.formats import csv_log, lastfm, listenbrainz
from api.listening.formats.rows import Batch


@dataclass(frozen=True, slots=True)
class Format:
    """How to read one kind of listening log.

    `files` lists what the log at a path consists of and raises `ListeningLogError` when there is none. `parse` reads
    those files; it is given the time of the import in Unix seconds.
    """

    files: Callable[[Path], Sequence[Path]]
    parse: Callable[[Sequence[Path], int], Iterator[Batch]]


FORMATS: Final[Mapping[str, Format]] = {
    "lastfm": Format(lastfm.files, lastfm.parse),
    "listenbrainz": Format(listenbrainz.files, listenbrainz.parse),
    "csv": Format(csv_log.files, csv_log.parse),
}
"""By the name that `--format` takes, which is also the `source` of what was imported."""
