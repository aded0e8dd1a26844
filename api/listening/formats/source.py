"""Reading the files of a log: text lines, gzip where the name says so, and how many bytes were consumed."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from encore.errors import EncoreError


class ListeningLogError(EncoreError):
    """The path does not hold a listening log of the given format, or it has bad rows."""


class LogFile:
    """An open file of a log, read line by line.

    Bytes that are not UTF-8 become lone surrogates, which no name may contain: the row is refused, not the file.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._raw = path.open("rb")
        self._reported = 0
        stream = gzip.GzipFile(fileobj=self._raw) if path.suffix == ".gz" else self._raw
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="\n")

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self._text
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ListeningLogError(f"{self._path} is damaged: {error}") from None

    def bytes_read(self) -> int:
        """Return how many bytes of the file were consumed since the last call."""
        position = self._raw.tell()
        consumed, self._reported = position - self._reported, position
        return consumed

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()


@contextmanager
def open_log(path: Path) -> Iterator[LogFile]:
    """Open a file of a log; raises `ListeningLogError` when it cannot be read."""
    try:
        file = LogFile(path)
    except OSError as error:
        raise ListeningLogError(f"cannot read {path}: {error.strerror}") from None
    try:
        yield file
    finally:
        file.close()
