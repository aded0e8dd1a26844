"""What the tests of the import share: logs written to a folder, an import of them, and the tables afterwards."""

import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.listening.formats import FORMATS
from api.listening.formats.rows import BadRow
from api.listening.importer import Progress, Summary, import_log
from api.listening.wallets import CreatorWallets
from encore.db import Database
from encore.db.models.accounts import Account, AccountFollow, CreatorFollow
from encore.db.models.creators import Creator
from encore.db.models.listening import Play, Track

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Silence:
    """Progress that nobody watches."""

    def read(self, byte_count: int) -> None:
        pass

    def step(self, label: str) -> None:
        pass


async def run_import(
    database: Database,
    source: str,
    path: Path,
    *,
    now: datetime = NOW,
    wallets: CreatorWallets | None = None,
    progress: Progress | None = None,
) -> Summary:
    log_format = FORMATS[source]
    batches = log_format.parse(log_format.files(path), int(now.timestamp()))
    return await import_log(database, batches, source=source, now=now, wallets=wallets, progress=progress or Silence())


def bad_rows(source: str, path: Path) -> list[tuple[str, int, str]]:
    """Parse alone: every bad row as (file, line, reason)."""
    log_format = FORMATS[source]
    found: list[BadRow] = []
    for batch in log_format.parse(log_format.files(path), int(NOW.timestamp())):
        found.extend(batch.bad_rows)
    return [(row.file, row.line, row.reason) for row in found]


def write_lastfm(
    folder: Path, artists: Iterable[str] = (), plays: Iterable[str] = (), friends: Iterable[str] = (), end: str = "\n"
) -> Path:
    """Write a data set; columns of a row are separated by `|` here."""
    folder.mkdir(exist_ok=True)
    contents = {
        "artists.dat": ["id|name|url|pictureURL", *artists],
        "user_artists.dat": ["userID|artistID|weight", *plays],
        "user_friends.dat": ["userID|friendID", *friends],
    }
    for name, rows in contents.items():
        (folder / name).write_bytes("".join(row.replace("|", "\t") + end for row in rows).encode())
    return folder


def listen(user: str = "ann", artist: str = "Nova", track: str = "Rain", at: int = 1_700_000_000, **info: Any) -> str:
    """Return one line of a ListenBrainz dump."""
    metadata = {"artist_name": artist, "track_name": track, "release_name": "One", "additional_info": info}
    document = {"user_name": user, "timestamp": at, "track_metadata": metadata, "recording_msid": "m"}
    return json.dumps(document, ensure_ascii=False)


def write_lines(path: Path, lines: Iterable[str], end: str = "\n") -> Path:
    content = "".join(line + end for line in lines).encode("utf-8", "surrogateescape")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


async def tables(database: Database) -> dict[str, Sequence[Any]]:
    """Return everything that an import writes, by names instead of ids and in a fixed order."""
    statements = {
        "accounts": select(Account.source, Account.external_id, Account.display_name),
        "creators": select(Creator.source, Creator.external_id, Creator.name, Creator.slug, Creator.image_url),
        "tracks": select(Creator.external_id, Track.title, Track.duration_seconds).join_from(Track, Creator),
        "plays": select(
            Account.external_id,
            Creator.external_id,
            Track.title,
            Play.played_at,
            Play.listened_seconds,
            Play.play_count,
        )
        .select_from(Play)
        .join(Account, Account.id == Play.listener_id)
        .join(Creator, Creator.id == Play.creator_id)
        .outerjoin(Track, Track.id == Play.track_id),
        "follows": select(Account.external_id, Creator.external_id)
        .select_from(CreatorFollow)
        .join(Account, Account.id == CreatorFollow.follower_id)
        .join(Creator, Creator.id == CreatorFollow.creator_id),
        "ids": select(AccountFollow.follower_id, AccountFollow.followed_id),
    }
    async with database.read() as session:
        found = {name: [tuple(row) for row in await session.all(rows)] for name, rows in statements.items()}
    return {name: sorted(rows, key=repr) for name, rows in found.items()}
