"""What every parser of listening logs yields: rows of known meaning, bad rows with where and why, and how far it is."""

import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

LISTENER_LENGTH: Final = 100
CREATOR_LENGTH: Final = 200
TITLE_LENGTH: Final = 300
IMAGE_URL_LENGTH: Final = 500
"""As long as the columns that hold them, in characters."""

MOST_PLAYS: Final = 1_000_000_000
LONGEST_SECONDS: Final = 1_000_000
"""Larger numbers in one row are mistakes: no track lasts eleven days."""

BATCH_LINES: Final = 10_000
_REMEMBERED: Final = 500_000


class BadValueError(ValueError):
    """A value of a row is wrong; the message is the reason that the row's report gives."""


class Listener(NamedTuple):
    """Who listens; `external_id` is what the log knows them by."""

    external_id: str
    display_name: str


class Creator(NamedTuple):
    """Who is listened to."""

    external_id: str
    name: str
    image_url: str


class Track(NamedTuple):
    """A piece of the creator with that external id; `duration_seconds` where the log tells."""

    creator: str
    title: str
    duration_seconds: int | None


class Play(NamedTuple):
    """One line of listening. `listener` and `creator` are external ids, `played_at` is in Unix seconds.

    `follows` tells whether the listener follows the creator; `event_key` names the event within the log's source.
    """

    listener: str
    creator: str
    track: str | None
    played_at: int
    listened_seconds: int | None
    play_count: int
    event_key: str
    follows: bool


class Friendship(NamedTuple):
    """A listener who follows another."""

    follower: str
    followed: str


class BadRow(NamedTuple):
    """A line that cannot be imported."""

    file: str
    line: int
    reason: str


@dataclass(slots=True)
class Batch:
    """Some lines of a log: what they say, or why not. `bytes_read` counts from the previous batch."""

    lines: int = 0
    bytes_read: int = 0
    listeners: list[Listener] = field(default_factory=list)
    creators: list[Creator] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    plays: list[Play] = field(default_factory=list)
    friendships: list[Friendship] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)


class Seen:
    """Remembers what was already yielded, so that most repetitions never reach the database, in bounded memory."""

    def __init__(self) -> None:
        self._keys: set[object] = set()

    def is_first(self, key: object) -> bool:
        """Whether `key` is new (or was forgotten)."""
        if key in self._keys:
            return False
        if len(self._keys) >= _REMEMBERED:
            self._keys.clear()
        self._keys.add(key)
        return True


def check_text(text: str, name: str, longest: int) -> str:
    """Return `text` when it can be stored as the value called `name`; raises `BadValueError` otherwise."""
    if not text:
        raise BadValueError(f"{name} is empty")
    if len(text) > longest:
        raise BadValueError(f"{name} is longer than {longest} characters")
    if "\0" in text:
        raise BadValueError(f"{name} contains a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadValueError(f"{name} is not UTF-8") from None
    return text


@lru_cache(maxsize=100_000)
def identity(name: str) -> str:
    """Return what a creator is known by in logs that have names alone: case, width and spacing do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:CREATOR_LENGTH]


def event_key(played_at: int, *parts: str) -> str:
    """Name a listening event by its time and what else makes it one.

    The time comes first: logs are mostly in its order, and an index takes keys in order far faster than at random.
    """
    digest = blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()
    return f"{played_at}:{digest}"
