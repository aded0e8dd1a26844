"""The import of a listening log: validate and stage all of it, then carry it over in one transaction."""

import asyncio
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final, Protocol

from api.listening import repository
from api.listening.formats.rows import BadRow, Batch
from api.listening.formats.source import ListeningLogError
from api.listening.repository import Count, ListeningImport, NewCreator, StagedCreator, listening_import
from api.listening.wallets import CreatorWallets
from encore.db import Database

BAD_ROWS_KEPT: Final = 50
SLUGS_AT_ONCE: Final = 5_000
_SLUG_LENGTH: Final = 150
_SUFFIX_LENGTH: Final = 40
_NOT_LETTERS: Final = re.compile(r"[\W_]+")


class Progress(Protocol):
    """Is told how an import goes on."""

    def read(self, byte_count: int) -> None:
        """So many more bytes of the log were read and checked."""

    def step(self, label: str) -> None:
        """The import has come to this step."""


class BadRowsError(ListeningLogError):
    """The log has rows that cannot be imported; `bad_rows` are the first of `total`."""

    def __init__(self, bad_rows: list[BadRow], total: int) -> None:
        super().__init__(f"{total} bad row{'s' if total > 1 else ''}; nothing was imported")
        self.bad_rows = bad_rows
        self.total = total


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import brought: how many lines were read, and each kind of thing they tell of."""

    lines: int
    listeners: Count
    creators: Count
    tracks: Count
    plays: Count
    follows: Count
    friendships: Count


async def import_log(  # noqa: PLR0913 - each is one thing that an import depends on
    database: Database,
    batches: Iterable[Batch],
    *,
    source: str,
    now: datetime,
    wallets: CreatorWallets | None,
    progress: Progress,
) -> Summary:
    """Import a parsed log into `database`; all of it or, when a row is bad (`BadRowsError`), nothing.

    `source` is the format's name, `now` the time of the import. New creators get a wallet where `wallets` are given.
    """
    async with listening_import(database, source, now) as log:
        lines = await _stage(log, batches, progress)
        progress.step("waiting to write")
        async with log.transfer():
            progress.step("listeners and creators")
            listeners = await log.add_listeners()
            creators, new_ids = await _add_creators(log)
            # Keys are derived while the database works on the rest.
            new_wallets = asyncio.create_task(asyncio.to_thread(_wallets, wallets, new_ids))
            progress.step("tracks and plays")
            tracks = await log.add_tracks()
            await log.resolve_plays()
            plays = await log.add_plays()
            progress.step("follows")
            follows = await log.add_creator_follows()
            friendships = await log.add_friendships()
            progress.step("wallets")
            await log.set_wallets(await new_wallets)
            progress.step("committing")
    return Summary(lines, listeners, creators, tracks, plays, follows, friendships)


def _wallets(wallets: CreatorWallets | None, creator_ids: list[int]) -> list[tuple[int, str]]:
    return [(creator_id, wallets.address(creator_id)) for creator_id in creator_ids] if wallets else []


async def _stage(log: ListeningImport, batches: Iterable[Batch], progress: Progress) -> int:
    """Stage the log and return its number of lines; from the first bad row on only look for more of them."""
    lines = bad_total = 0
    bad_rows: list[BadRow] = []
    for batch in batches:
        lines += batch.lines
        bad_total += len(batch.bad_rows)
        bad_rows.extend(batch.bad_rows[: BAD_ROWS_KEPT - len(bad_rows)])
        if not bad_rows:
            await log.stage(repository.LISTENERS, batch.listeners)
            await log.stage(repository.CREATORS, batch.creators)
            await log.stage(repository.TRACKS, batch.tracks)
            await log.stage(repository.PLAYS, batch.plays)
            await log.stage(repository.FRIENDSHIPS, batch.friendships)
        progress.read(batch.bytes_read)
    if bad_rows:
        raise BadRowsError(bad_rows, bad_total)
    return lines


async def _add_creators(log: ListeningImport) -> tuple[Count, list[int]]:
    """Create the creators that are new; returns the ids that they got as well."""
    unknown = await log.unknown_creators()
    ids = await log.reserve_creator_ids(len(unknown))
    slugs = await _free_slugs(log, unknown)
    await log.add_creators(
        [NewCreator(id_, *creator, slug) for id_, creator, slug in zip(ids, unknown, slugs, strict=True)]
    )
    return Count(await log.count_creators(), len(unknown)), ids


async def _free_slugs(log: ListeningImport, creators: list[StagedCreator]) -> list[str]:
    """Return a slug for each creator that no other has: the name, or with the external id where that is taken."""
    names = [slugify(creator.name) or "creator" for creator in creators]
    taken: set[str] = set()
    for start in range(0, len(names), SLUGS_AT_ONCE):
        taken |= await log.taken_slugs(names[start : start + SLUGS_AT_ONCE])
    chosen = []
    for name, creator in zip(names, creators, strict=True):
        slug = name
        if slug in taken:
            slug = f"{name}-{slugify(creator.external_id)[:_SUFFIX_LENGTH]}"
            if slug in taken or await log.taken_slugs([slug]):
                digest = blake2b(f"{log.source}:{creator.external_id}".encode(), digest_size=8).hexdigest()
                slug = f"{name}-{digest}"
        taken.add(slug)
        chosen.append(slug)
    return chosen


def slugify(name: str) -> str:
    """Return a name as it may stand in a path: letters and digits of any script in lower case, hyphens between."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _NOT_LETTERS.sub("-", folded)[:_SLUG_LENGTH].strip("-")
