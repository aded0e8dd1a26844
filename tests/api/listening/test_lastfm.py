from pathlib import Path

import pytest

from api.listening.formats.source import ListeningLogError
from encore.db import Database
from tests.api.listening.support import NOW, bad_rows, run_import, tables, write_lastfm

ARTISTS = ("1|Nova|http://last.example/nova|http://images.example/nova.jpg", "2|倖田來未|http://last.example/k|")
PLAYS = ("7|1|120", "7|2|3", "8|1|1")
FRIENDS = ("7|8", "8|7", "7|9")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_plays_follows_and_friendships_come_from_the_three_files(
    database: Database, tmp_path: Path, end: str
) -> None:
    summary = await run_import(database, "lastfm", write_lastfm(tmp_path, ARTISTS, PLAYS, FRIENDS, end))

    assert summary.lines == 8
    found = await tables(database)
    assert found["accounts"] == [("lastfm", user, f"Listener {user}") for user in ("7", "8", "9")]
    assert found["creators"] == [
        ("lastfm", "1", "Nova", "nova", "http://images.example/nova.jpg"),
        ("lastfm", "2", "倖田來未", "倖田來未", ""),
    ]
    assert found["plays"] == [
        ("7", "1", None, NOW, None, 120),
        ("7", "2", None, NOW, None, 3),
        ("8", "1", None, NOW, None, 1),
    ]
    assert found["follows"] == [("7", "1"), ("7", "2"), ("8", "1")]
    assert len(found["ids"]) == 3
    assert (summary.plays.new, summary.follows.new, summary.friendships.new) == (3, 3, 3)


async def test_files_without_a_header_line_are_read_from_their_first_line(database: Database, tmp_path: Path) -> None:
    folder = write_lastfm(tmp_path / "lastfm", ARTISTS, PLAYS, FRIENDS)
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes().split(b"\n", 1)[1])

    summary = await run_import(database, "lastfm", folder)

    assert (summary.lines, summary.plays.new, summary.friendships.new) == (8, 3, 3)


@pytest.mark.parametrize(
    ("artist", "reason"),
    [
        ("3|Solo|http://last.example", "expected 4 columns (id, name, url, pictureURL), found 3"),
        ("x|Solo|http://last.example|", "id 'x' is not a whole number"),
        ("1|Solo|http://last.example|", "artist 1 is listed twice"),
        ("3||http://last.example|", "name is empty"),
        (f"3|{'n' * 201}|http://last.example|", "name is longer than 200 characters"),
        ("3|a\0b|http://last.example|", "name contains a NUL character"),
        ("3|Solo|http://last.example|javascript:alert(1)", "pictureURL is not an http(s) URL"),
        (f"3|Solo|http://last.example|http://{'i' * 500}", "pictureURL is longer than 500 characters"),
    ],
)
def test_a_bad_artist_is_reported_with_its_line_and_reason(tmp_path: Path, artist: str, reason: str) -> None:
    assert bad_rows("lastfm", write_lastfm(tmp_path, (*ARTISTS, artist))) == [("artists.dat", 4, reason)]


@pytest.mark.parametrize(
    ("play", "reason"),
    [
        ("7|1", "expected 3 columns (userID, artistID, weight), found 2"),
        ("7|1|many", "weight 'many' is not a whole number"),
        ("7|1|-5", "weight '-5' is not a whole number"),
        ("7|1|1_0", "weight '1_0' is not a whole number"),
        ("\uff17|1|5", "userID '\uff17' is not a whole number"),
        ("07|1|5", "userID '07' is not a whole number"),
        ("7|99|5", "artist 99 is not in artists.dat"),
        ("7|1|0", "weight 0 is not between 1 and 1000000000"),
        ("7|1|1000000001", "weight 1000000001 is not between 1 and 1000000000"),
    ],
)
def test_a_bad_play_count_is_reported_with_its_line_and_reason(tmp_path: Path, play: str, reason: str) -> None:
    folder = write_lastfm(tmp_path, ARTISTS, ("8|1|1", "", play))
    assert bad_rows("lastfm", folder) == [("user_artists.dat", 4, reason)]


@pytest.mark.parametrize(
    ("friend", "reason"),
    [
        ("7", "expected 2 columns (userID, friendID), found 1"),
        ("7|bob", "friendID 'bob' is not a whole number"),
        ("7|7", "user 7 is listed as their own friend"),
    ],
)
def test_a_bad_friendship_is_reported_with_its_line_and_reason(tmp_path: Path, friend: str, reason: str) -> None:
    assert bad_rows("lastfm", write_lastfm(tmp_path, friends=(friend,))) == [("user_friends.dat", 2, reason)]


def test_a_name_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    folder = write_lastfm(tmp_path, ARTISTS)
    with (folder / "artists.dat").open("ab") as file:
        file.write(b"3\tNov\xe1\thttp://last.example\t\n")

    assert bad_rows("lastfm", folder) == [("artists.dat", 4, "name is not UTF-8")]


def test_a_folder_without_the_files_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ListeningLogError, match="is not a folder"):
        bad_rows("lastfm", tmp_path / "nowhere")
    (tmp_path / "artists.dat").touch()
    with pytest.raises(ListeningLogError, match=r"no user_artists.dat, user_friends.dat in"):
        bad_rows("lastfm", tmp_path)


async def test_artists_of_one_name_stay_two_creators_with_slugs_of_their_own(
    database: Database, tmp_path: Path
) -> None:
    names = ("Nova", "NOVA", "nova!", "!!!", "???", "nova 2")
    artists = [f"{number}|{name}|u|" for number, name in enumerate(names, start=1)]

    await run_import(database, "lastfm", write_lastfm(tmp_path, artists))

    creators = {name: slug for _, _, name, slug, _ in (await tables(database))["creators"]}
    assert list(creators) == list(names)
    assert creators["Nova"] == "nova"
    assert creators["NOVA"] == "nova-2"
    assert creators["nova!"] == "nova-3"
    assert creators["!!!"] == "creator"
    assert creators["???"] == "creator-5"
    assert creators["nova 2"] == "nova-2-6"
