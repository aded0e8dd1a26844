"""The file that outlives the chain: every mined transaction with its block's timestamp and hash, in order."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from encore.errors import EncoreError


class JournalError(EncoreError):
    """The journal of the development chain cannot be used."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One mined transaction: `raw` as it was signed, and the `timestamp` (unix seconds) and `hash` of its block."""

    timestamp: int
    raw: str
    hash: str


class Journal:
    """JSON lines, appended and forced to the disk before anybody hears of the block.

    Invariant: what `entries` yields is exactly what `append` returned from, whenever the process was killed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise JournalError(f"{path} is in use by another development chain; stop that one first") from None

    def close(self) -> None:
        """Let others use the file."""
        self._file.close()

    def entries(self) -> list[JournalEntry]:
        """Return everything that was appended; a last line that was cut off while it was written is dropped.

        Raises `JournalError` naming the line that is damaged otherwise.
        """
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        self._file.truncate(whole)
        return list(self._parsed(content[:whole].splitlines()))

    def append(self, entry: JournalEntry) -> None:
        """Add an entry; returns once it is on the disk, or raises `OSError` and leaves the file as it was."""
        end = self._file.seek(0, os.SEEK_END)
        try:
            self._write(json.dumps(asdict(entry)).encode() + b"\n")
        except OSError:
            self._file.truncate(end)
            raise

    def _write(self, line: bytes) -> None:
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        os.fsync(self._file.fileno())

    def _parsed(self, lines: list[bytes]) -> Iterator[JournalEntry]:
        for number, line in enumerate(lines, start=1):
            try:
                yield JournalEntry(**json.loads(line))
            except (ValueError, TypeError):
                raise JournalError(
                    f"line {number} of {self.path} is damaged; `make reset` starts a new chain"
                ) from None
