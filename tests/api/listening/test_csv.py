from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.listening.formats.source import ListeningLogError
from encore.db import Database
from tests.api.listening.support import bad_rows, run_import, tables, write_lines

HEADER = "listener,creator,played_at,track,listened_seconds,track_seconds,play_count,follow"


async def test_every_column_is_read(database: Database, tmp_path: Path) -> None:
    rows = [
        'ann,"Nova, the First",2026-02-01T10:00:00Z,"Rain\nand Sun",180,215,,yes',
        "bob,Łódź,2026-02-01T12:30:15.75+02:00,,,,40,no",
    ]

    summary = await run_import(database, "csv", write_lines(tmp_path / "log.csv", [HEADER, *rows], end="\r\n"))

    found = await tables(database)
    assert found["accounts"] == [("csv", "ann", "ann"), ("csv", "bob", "bob")]
    assert [creator[2:4] for creator in found["creators"]] == [("Nova, the First", "nova-the-first"), ("Łódź", "łódź")]
    assert found["tracks"] == [("nova, the first", "Rain\nand Sun", 215)]
    assert found["plays"] == [
        ("ann", "nova, the first", "Rain\nand Sun", datetime(2026, 2, 1, 10, tzinfo=UTC), 180, 1),
        ("bob", "łódź", None, datetime(2026, 2, 1, 10, 30, 15, tzinfo=UTC), None, 40),
    ]
    assert found["follows"] == [("ann", "nova, the first")]
    assert (summary.lines, summary.plays.new) == (2, 2)


async def test_columns_come_in_any_order_and_without_the_optional_ones_listeners_follow(
    database: Database, tmp_path: Path
) -> None:
    rows = ["played_at,creator,listener", "2026-02-01T10:00:00Z,Nova,ann"]

    await run_import(database, "csv", write_lines(tmp_path / "log.csv.gz", rows))

    assert (await tables(database))["follows"] == [("ann", "nova")]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("listener,creator", "the header lacks played_at"),
        ("listener,creator,played_at,mood", "unknown column 'mood'; known columns: " + HEADER.replace(",", ", ")),
        ("listener,creator,played_at,listener", "column 'listener' appears twice"),
    ],
)
def test_a_bad_header_is_the_only_thing_reported(tmp_path: Path, header: str, reason: str) -> None:
    path = write_lines(tmp_path / "log.csv", [header, "nonsense"])

    assert bad_rows("csv", path) == [("log.csv", 1, reason)]


def test_an_empty_file_lacks_its_header(tmp_path: Path) -> None:
    assert bad_rows("csv", write_lines(tmp_path / "log.csv", [])) == [
        ("log.csv", 1, "the file is empty; expected a header line")
    ]
    with pytest.raises(ListeningLogError, match="is not a file"):
        bad_rows("csv", tmp_path)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ann,Nova,2026-02-01T10:00:00Z", "expected 8 values, found 3"),
        (",Nova,2026-02-01T10:00:00Z,,,,,", "listener is empty"),
        (f"{'l' * 101},Nova,2026-02-01T10:00:00Z,,,,,", "listener is longer than 100 characters"),
        ("ann, ,2026-02-01T10:00:00Z,,,,,", "creator is empty"),
        (f"ann,Nova,2026-02-01T10:00:00Z,{'t' * 301},,,,", "track is longer than 300 characters"),
        ("ann,Nov\udce1,2026-02-01T10:00:00Z,,,,,", "creator is not UTF-8"),
        ("ann,Nova,yesterday,,,,,", "played_at 'yesterday' is not an ISO 8601 time such as 2026-01-31T20:15:00Z"),
        (
            "ann,Nova,2026-02-01T10:00:00,,,,,",
            "played_at '2026-02-01T10:00:00' has no time zone; end it with Z for UTC",
        ),
        ("ann,Nova,2026-03-02T10:00:00Z,,,,,", "played_at '2026-03-02T10:00:00Z' is in the future"),
        ("ann,Nova,1969-12-31T10:00:00Z,,,,,", "played_at '1969-12-31T10:00:00Z' is before 1970"),
        ("ann,Nova,2026-02-01T10:00:00Z,,-1,,,", "listened_seconds '-1' is not a whole number between 0 and 1000000"),
        ("ann,Nova,2026-02-01T10:00:00Z,,,0,,", "track_seconds '0' is not a whole number between 1 and 1000000"),
        ("ann,Nova,2026-02-01T10:00:00Z,,,,1.5,", "play_count '1.5' is not a whole number between 1 and 1000000000"),
        ("ann,Nova,2026-02-01T10:00:00Z,,,,0,", "play_count '0' is not a whole number between 1 and 1000000000"),
        ("ann,Nova,2026-02-01T10:00:00Z,,,,,maybe", "follow 'maybe' is neither yes nor no"),
        ('ann,"Nova"x,2026-02-01T10:00:00Z,,,,,', "',' expected after '\"'"),
    ],
)
def test_a_bad_row_is_reported_with_the_line_it_starts_on_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    rows = [HEADER, 'ann,Nova,2026-02-01T10:00:00Z,"two\nlines",,,,', row, "bob,Nova,2026-02-01T10:00:00Z,,,,,"]

    assert bad_rows("csv", write_lines(tmp_path / "log.csv", rows)) == [("log.csv", 4, reason)]
