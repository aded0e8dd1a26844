"""The import of a listening log: validate and stage all of it, then carry it over in one transaction."""

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
CREATORS_AT_ONCE: Final = 5_000
_SLUG_LENGTH: Final = 150


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


async def import_log(
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
            creators = await _add_creators(log, wallets)
            progress.step("tracks and plays")
            tracks = await log.add_tracks()
            plays = await log.add_plays()
            progress.step("follows")
            follows = await log.add_creator_follows()
            friendships = await log.add_friendships()
            progress.step("committing")
    return Summary(lines, listeners, creators, tracks, plays, follows, friendships)


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


async def _add_creators(log: ListeningImport, wallets: CreatorWallets | None) -> Count:
    new = 0
    after = 0
    while mentions := await log.unknown_creators(after, CREATORS_AT_ONCE):
        after = mentions[-1].ordinal
        unknown = list({mention.external_id: mention for mention in reversed(mentions)}.values())[::-1]
        ids = await log.reserve_creator_ids(len(unknown))
        slugs = await _free_slugs(log, unknown)
        await log.add_creators(
            [
                NewCreator(
                    creator_id,
                    creator.external_id,
                    creator.name,
                    creator.image_url,
                    slug,
                    wallets.address(creator_id) if wallets else None,
                )
                for creator_id, creator, slug in zip(ids, unknown, slugs, strict=True)
            ]
        )
        new += len(unknown)
    return Count(await log.count_creators(), new)


async def _free_slugs(log: ListeningImport, creators: list[StagedCreator]) -> list[str]:
    """Return a slug for each creator that no other has."""
    candidates = [_slug_candidates(log.source, creator) for creator in creators]
    taken = await log.taken_slugs({slug for slugs in candidates for slug in slugs})
    chosen = []
    for slugs in candidates:
        slug = next(slug for slug in slugs if slug not in taken)
        taken.add(slug)
        chosen.append(slug)
    return chosen


def _slug_candidates(source: str, creator: StagedCreator) -> tuple[str, str, str]:
    """Return slugs in order of preference: the name, the name and external id, and one that is surely free."""
    name = slugify(creator.name) or "creator"
    digest = blake2b(f"{source}:{creator.external_id}".encode(), digest_size=8).hexdigest()
    return name, f"{name}-{slugify(creator.external_id)[:40]}".strip("-"), f"{name}-{digest}"


def slugify(name: str) -> str:
    """Return a name as it may stand in a path: letters and digits of any script in lower case, hyphens between."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "-".join("".join(c if c.isalnum() else " " for c in folded).split())[:_SLUG_LENGTH].rstrip("-")
