import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.listening.formats.source import ListeningLogError
from encore.db import Database
from tests.api.listening.support import NOW, bad_rows, listen, run_import, tables, write_lines

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


async def test_a_listen_becomes_a_play_of_a_track_by_a_follower(database: Database, tmp_path: Path) -> None:
    lines = [listen(duration_ms=215_900, duration_played=180), listen(track="Łódź", at=1_700_000_300, duration=90)]

    summary = await run_import(database, "listenbrainz", write_lines(tmp_path / "1.listens", lines))

    found = await tables(database)
    assert found["accounts"] == [("listenbrainz", "ann", "ann")]
    assert found["creators"] == [("listenbrainz", "nova", "Nova", "nova", "")]
    assert found["tracks"] == [("nova", "Rain", 215), ("nova", "Łódź", 90)]
    assert found["plays"] == [
        ("ann", "nova", "Rain", AT, 180, 1),
        ("ann", "nova", "Łódź", AT.replace(minute=18), None, 1),
    ]
    assert found["follows"] == [("ann", "nova")]
    assert (summary.lines, summary.tracks.new, summary.plays.new, summary.follows.new) == (2, 2, 2, 1)


async def test_a_dump_is_a_folder_of_files_by_year_and_month(database: Database, tmp_path: Path) -> None:
    write_lines(tmp_path / "2023" / "11.listens", [listen()])
    write_lines(tmp_path / "2023" / "12.listens.gz", [listen(at=1_702_000_000)])
    write_lines(tmp_path / "more.jsonl", [listen(at=1_702_000_001)], end="\r\n")
    write_lines(tmp_path / "README.txt", ["not a listen"])

    assert (await run_import(database, "listenbrainz", tmp_path)).plays.new == 3


async def test_one_artist_in_different_spellings_of_case_and_space_is_one_creator(
    database: Database, tmp_path: Path
) -> None:
    lines = [
        listen(artist="Nova  Lux"),
        listen(user="bob", artist="NOVA LUX"),
        listen(user="cy", artist="\uff2eova Lux"),
    ]

    summary = await run_import(database, "listenbrainz", write_lines(tmp_path / "a.jsonl", lines))

    assert summary.creators.new == 1
    assert [creator[2] for creator in (await tables(database))["creators"]] == ["Nova  Lux"]


async def test_listens_as_the_api_names_them_are_read_too(database: Database, tmp_path: Path) -> None:
    line = json.dumps(
        {
            "user_id": 42,
            "listened_at": 1_700_000_000,
            "track_metadata": {"artist_name": "Nova", "track_name": "Rain", "additional_info": None},
        }
    )

    await run_import(database, "listenbrainz", write_lines(tmp_path / "a.jsonl", [line]))

    assert (await tables(database))["plays"] == [("42", "nova", "Rain", AT, None, 1)]


@pytest.mark.parametrize("info", [{"duration_ms": "3:41"}, {"duration_ms": -5}, {"duration": 10**9}, {"duration": "9"}])
async def test_a_senseless_duration_is_left_out(database: Database, tmp_path: Path, info: dict[str, Any]) -> None:
    await run_import(database, "listenbrainz", write_lines(tmp_path / "a.jsonl", [listen(**info)]))

    assert (await tables(database))["tracks"] == [("nova", "Rain", None)]


async def test_names_longer_than_their_columns_are_cut(database: Database, tmp_path: Path) -> None:
    lines = [listen(artist="a" * 250, track="t" * 400)]

    await run_import(database, "listenbrainz", write_lines(tmp_path / "a.jsonl", lines))

    assert (await tables(database))["tracks"] == [("a" * 200, "t" * 300, None)]


NOW_SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON: unexpected end of data"),
        ("[]", "not a JSON object"),
        ('{"user_name": "ann", "timestamp": 1}', "track_metadata is missing"),
        (listen(user=""), "user_name (or user_id) is missing"),
        (listen(user="u" * 101), "user_name is longer than 100 characters"),
        (listen(artist=""), "track_metadata.artist_name is empty"),
        (listen(track="  "), "track_metadata.track_name is empty"),
        (listen(artist="a\0b"), "track_metadata.artist_name contains a NUL character"),
        (listen(track="t" * 10_001), "track_metadata.track_name is longer than 10000 characters"),
        (listen().replace('"Rain"', "5"), "track_metadata.track_name is not text"),
        (listen().replace('"Nova"', "null"), "track_metadata.artist_name is missing"),
        (listen().replace('"ann"', "[1]"), "user_name is neither text nor a number"),
        (listen().replace('"timestamp"', '"when"'), "listened_at (or timestamp) is missing"),
        (listen().replace("1700000000", '"yesterday"'), "timestamp 'yesterday' is not a Unix time in seconds"),
        (listen().replace("1700000000", "true"), "timestamp 'True' is not a Unix time in seconds"),
        (listen(at=-1), "timestamp '-1' is not a Unix time in seconds"),
        (listen(at=NOW_SECONDS + 1), f"timestamp {NOW_SECONDS + 1} is in the future"),
    ],
)
def test_a_bad_line_is_reported_with_its_number_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = write_lines(tmp_path / "a.jsonl", [listen(), "", line, listen(user="bob")])

    assert bad_rows("listenbrainz", path) == [("a.jsonl", 3, reason)]


def test_a_line_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [listen(), listen(artist="Nov\udce1")])

    [(file, line, reason)] = bad_rows("listenbrainz", path)

    assert (file, line) == ("a.jsonl", 2)
    assert "UTF-8" in reason


def test_a_truncated_archive_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ListeningLogError, match=r"no \.listens, \.jsonl"):
        bad_rows("listenbrainz", tmp_path)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(listen().encode() * 1000)[:-20])
    with pytest.raises(ListeningLogError, match=r"a\.jsonl\.gz is damaged"):
        bad_rows("listenbrainz", tmp_path)
