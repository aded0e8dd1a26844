"""What holds for every format: all or nothing, nothing twice, wallets, and what a crash leaves behind."""

import asyncio
import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, func, insert, select

from api.listening.formats import FORMATS
from api.listening.formats.csv_log import COLUMNS
from api.listening.formats.rows import BATCH_LINES, Batch
from api.listening.importer import BAD_ROWS_KEPT, BadRowsError, import_log, slugify
from api.listening.wallets import CreatorWallets
from encore.chain.networks import LOCAL_MNEMONIC
from encore.db import Database
from encore.db.engine import sync_url
from encore.db.models.accounts import Account, AccountFollow, CreatorFollow
from encore.db.models.creators import Creator
from encore.db.models.listening import Play, Track
from tests.api.listening.support import NOW, Silence, listen, run_import, tables, write_lastfm, write_lines

ARTISTS = ("1|Nova|u|", "2|Lux|u|")


async def count(database: Database, model: type[object]) -> int:
    async with database.read() as session:
        return int(await session.scalar(select(func.count()).select_from(model)))


async def test_one_bad_row_and_nothing_is_imported(database: Database, tmp_path: Path) -> None:
    folder = write_lastfm(tmp_path, ARTISTS, ("7|1|5", "7|3|5", "7|2|x"), ("7|8",))

    with pytest.raises(BadRowsError, match="2 bad rows; nothing was imported") as caught:
        await run_import(database, "lastfm", folder)

    assert [row.line for row in caught.value.bad_rows] == [3, 4]
    assert not any((await tables(database)).values())


async def test_all_bad_rows_are_counted_and_the_first_are_kept(database: Database, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", ["{"] * 25_000)

    with pytest.raises(BadRowsError, match="25000 bad rows") as caught:
        await run_import(database, "listenbrainz", path)

    assert [row.line for row in caught.value.bad_rows] == list(range(1, BAD_ROWS_KEPT + 1))


@pytest.mark.parametrize("source", ["lastfm", "listenbrainz", "csv"])
async def test_a_second_import_changes_nothing(database: Database, tmp_path: Path, source: str) -> None:
    path = {
        "lastfm": write_lastfm(tmp_path / "fm", ARTISTS, ("7|1|5", "8|2|1"), ("7|8",)),
        "listenbrainz": write_lines(tmp_path / "a.jsonl", [listen(), listen(user="bob")]),
        "csv": write_lines(
            tmp_path / "a.csv",
            ["listener,creator,played_at,track", "ann,Nova,2026-02-01T10:00:00Z,Rain", "b,Lux,2026-02-01T10:00:00Z,"],
        ),
    }[source]
    first = await run_import(database, source, path)
    before = await tables(database)

    second = await run_import(database, source, path, now=NOW + timedelta(days=3))

    assert await tables(database) == before
    for name in ("listeners", "creators", "tracks", "plays", "follows", "friendships"):
        was, now = getattr(first, name), getattr(second, name)
        assert (was.in_log, was.known) == (now.in_log, 0)
        assert (now.new, now.known) == (0, now.in_log)


async def test_an_overlapping_log_adds_only_what_is_new(database: Database, tmp_path: Path) -> None:
    await run_import(database, "lastfm", write_lastfm(tmp_path, ARTISTS, ("7|1|5", "8|2|1"), ("7|8",)))
    artists = (*ARTISTS, "3|Nova|u|")
    later = NOW + timedelta(days=1)

    summary = await run_import(
        database, "lastfm", write_lastfm(tmp_path, artists, ("7|1|99", "7|3|2", "9|2|4"), ("7|8", "9|8")), now=later
    )

    assert (summary.listeners.new, summary.creators.new, summary.creators.known) == (1, 1, 2)
    assert (summary.plays.new, summary.plays.known, summary.follows.new, summary.friendships.new) == (2, 1, 2, 1)
    found = await tables(database)
    assert [creator[3] for creator in found["creators"]] == ["nova", "lux", "nova-3"]
    assert found["plays"] == [
        ("7", "1", None, NOW, None, 5),
        ("7", "3", None, later, None, 2),
        ("8", "2", None, NOW, None, 1),
        ("9", "2", None, later, None, 4),
    ]


async def test_the_same_event_twice_in_one_log_counts_once(database: Database, tmp_path: Path) -> None:
    summary = await run_import(database, "listenbrainz", write_lines(tmp_path / "a.jsonl", [listen(), listen()]))

    assert (summary.plays.in_log, summary.plays.new) == (2, 1)


async def test_logs_of_different_formats_keep_their_listeners_and_creators_apart(
    database: Database, tmp_path: Path
) -> None:
    rows = ["listener,creator,played_at", "ann,Nova,2026-02-01T10:00:00Z"]
    await run_import(database, "csv", write_lines(tmp_path / "a.csv", rows))
    await run_import(database, "listenbrainz", write_lines(tmp_path / "a.jsonl", [listen()]))

    found = await tables(database)
    assert [account[:2] for account in found["accounts"]] == [("csv", "ann"), ("listenbrainz", "ann")]
    assert [creator[3] for creator in found["creators"]] == ["nova", "nova-nova"]


async def test_every_new_creator_gets_the_wallet_of_its_id(database: Database, tmp_path: Path) -> None:
    wallets = CreatorWallets(LOCAL_MNEMONIC)
    await run_import(database, "lastfm", write_lastfm(tmp_path, ARTISTS), wallets=wallets)
    await run_import(database, "lastfm", write_lastfm(tmp_path, (*ARTISTS, "3|Sol|u|")), wallets=wallets)

    async with database.read() as session:
        creators = await session.all(select(Creator.id, Creator.wallet))
    assert len(creators) == 3
    assert all(creator.wallet == wallets.address(creator.id) for creator in creators)


async def test_without_wallets_creators_have_none(database: Database, tmp_path: Path) -> None:
    await run_import(database, "lastfm", write_lastfm(tmp_path, ARTISTS))

    async with database.read() as session:
        assert {row.wallet for row in await session.all(select(Creator.wallet))} == {None}


async def test_others_may_write_while_a_log_is_read(database: Database, tmp_path: Path) -> None:
    lines = [listen(at=1_600_000_000 + second) for second in range(BATCH_LINES + 1)]
    path = write_lines(tmp_path / "a.jsonl", lines)
    engine = create_engine(sync_url(database.url), connect_args={"timeout": 0} if database.is_sqlite else {})

    def batches() -> Iterator[Batch]:
        for batch in FORMATS["listenbrainz"].parse([path], int(NOW.timestamp())):
            yield batch
            with engine.begin() as connection:
                connection.execute(
                    insert(Account).values(source="x", external_id=str(batch.lines), display_name="x", created_at=NOW)
                )

    try:
        await import_log(database, batches(), source="listenbrainz", now=NOW, wallets=None, progress=Silence())
    finally:
        engine.dispose()

    assert await count(database, Account) == 3


async def test_two_imports_of_one_log_at_once_import_it_once(database: Database, tmp_path: Path) -> None:
    folder = write_lastfm(tmp_path, ARTISTS, ("7|1|5", "8|2|1"), ("7|8",))

    summaries = await asyncio.gather(*(run_import(database, "lastfm", folder) for _ in range(2)))

    assert sorted(summary.plays.new for summary in summaries) == [0, 2]
    assert sorted(summary.creators.new for summary in summaries) == [0, 2]


@pytest.mark.parametrize("step", ["tracks and plays", "follows", "committing"])
async def test_an_import_killed_in_the_middle_leaves_nothing(database: Database, tmp_path: Path, step: str) -> None:
    path = write_lines(tmp_path / "a.jsonl", [listen(user=f"u{number % 40}", at=number) for number in range(3_000)])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IMPORT_THAT_STOPS, database.url, str(path), step, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"stopped\n"
    process.kill()
    await process.wait()

    assert not any((await tables(database)).values())
    assert (await run_import(database, "listenbrainz", path)).plays.new == 3_000


IMPORT_THAT_STOPS = """
import asyncio, signal, sys
from datetime import UTC, datetime
from pathlib import Path

from api.listening.formats.listenbrainz import parse
from api.listening.importer import import_log
from encore.db import Database

url, path, where = sys.argv[1:]


class StopAt:
    def read(self, byte_count):
        pass

    def step(self, label):
        if label == where:
            print("stopped", flush=True)
            signal.pause()


now = datetime.now(UTC)
batches = parse([Path(path)], int(now.timestamp()))
asyncio.run(import_log(Database(url), batches, source="listenbrainz", now=now, wallets=None, progress=StopAt()))
"""

row = st.tuples(
    st.sampled_from(["ann", "bob", "cÿ", "丁"]),
    st.sampled_from(["Nova", "NOVA", "Lux", "ÅÄÖ", "!"]),
    st.integers(min_value=0, max_value=3),
    st.sampled_from(["", "Rain", 'Sun, "Moon"', "rain"]),
    st.one_of(st.none(), st.integers(min_value=0, max_value=500)),
    st.one_of(st.none(), st.integers(min_value=1, max_value=500)),
    st.integers(min_value=1, max_value=10**9),
    st.sampled_from(["", "yes", "no"]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs=st.lists(st.lists(row, max_size=12), min_size=1, max_size=3))
async def test_the_tables_equal_a_naive_reading_of_the_logs(
    database: Database, tmp_path: Path, logs: list[list[tuple[Any, ...]]]
) -> None:
    await empty(database)
    accounts: dict[str, tuple[Any, ...]] = {}
    creators: dict[str, tuple[Any, ...]] = {}
    tracks: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    plays: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    follows: set[tuple[str, str]] = set()
    for log in logs:
        with (tmp_path / "log.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for listener, creator, minute, track, listened, duration, play_count, follow in log:
                at = datetime(2026, 2, 1, 0, minute, tzinfo=UTC)
                writer.writerow([listener, creator, at.isoformat(), track, listened, duration, play_count, follow])
                key = creator.casefold()
                accounts.setdefault(listener, ("csv", listener, listener))
                creators.setdefault(key, ("csv", key, creator, slugify(creator) or "creator", ""))
                if track:
                    tracks.setdefault((key, track), (key, track, duration))
                event = (listener, key, track, minute)
                plays.setdefault(event, (listener, key, track or None, at, listened, play_count))
                if follow != "no":
                    follows.add((listener, key))

        await run_import(database, "csv", tmp_path / "log.csv")

    found = await tables(database)
    assert found["accounts"] == sorted(accounts.values(), key=repr)
    assert found["creators"] == sorted(creators.values(), key=repr)
    assert found["tracks"] == sorted(tracks.values(), key=repr)
    assert found["plays"] == sorted(plays.values(), key=repr)
    assert found["follows"] == sorted(follows, key=repr)


async def empty(database: Database) -> None:
    async with database.transaction() as connection:
        for model in (Play, CreatorFollow, AccountFollow, Track, Creator, Account):
            await connection.execute(delete(model))
