"""Bot traffic against a creator whom people listen to: it moves no figure by one percent."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from encore.db import Database
from encore.db.models.accounts import SIGN_IN_SOURCE, Account, CreatorFollow
from encore.db.models.listening import Play, TrackLike
from oracle.metrics import Activity, engagement_score
from oracle.repository.activity import activity
from tests import factories
from tests.oracle.listening import NOW, save_all, track

LISTENERS, PLAYS_EACH, TRACKS = 2_500, 20, 10
LOOPER = LISTENERS + 1
FIRST_BOT, BOTS = LISTENERS + 2, 5_000
SHORT_PLAYS = 100_000

Row = dict[str, object]


def person(account_id: int, age: timedelta) -> Row:
    return {
        "id": account_id,
        "display_name": "x",
        "source": SIGN_IN_SOURCE,
        "external_id": str(account_id),
        "created_at": NOW - age,
    }


def play(listener_id: int, track_id: int, ago: timedelta, listened: int, key: str) -> Row:
    return {
        "creator_id": 1,
        "listener_id": listener_id,
        "track_id": track_id,
        "played_at": NOW - ago,
        "listened_seconds": listened,
        "play_count": 1,
        "source": "test",
        "event_key": key,
    }


async def store(database: Database, table: type, rows: list[Row]) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(table), rows)


@pytest.fixture
async def loved(sqlite_url: str) -> Database:
    """A creator with 50 000 plays in 30 days, by 2 500 listeners of whom a third follow and a fifth like a track."""
    database = Database(sqlite_url)
    await save_all(database, [factories.creator(1)], [track(number, 1) for number in range(1, TRACKS + 1)])
    people = range(1, LISTENERS + 1)
    await store(database, Account, [person(each, timedelta(days=90)) for each in people])
    plays = [
        play(
            each,
            number % TRACKS + 1,
            timedelta(hours=36 * number, minutes=each % 1_400),
            60 + (each + number) % 140,
            f"{each}-{number}",
        )
        for each in people
        for number in range(PLAYS_EACH)
    ]
    await store(database, Play, plays)
    await store(
        database, CreatorFollow, [{"creator_id": 1, "follower_id": each, "created_at": NOW} for each in people[::3]]
    )
    await store(database, TrackLike, likes([*people[::5]]))
    return database


def likes(accounts: list[int]) -> list[Row]:
    return [{"creator_id": 1, "track_id": 1, "account_id": each, "created_at": NOW} for each in accounts]


async def figures(database: Database) -> Activity:
    async with database.read() as session:
        return (await activity(session, NOW))[1]


async def loops_a_track(database: Database) -> None:
    """One old account plays one track from end to end, day and night."""
    await store(database, Account, [person(LOOPER, timedelta(days=90))])
    spins = range(30 * 86_400 // 200)
    await store(database, Play, [play(LOOPER, 1, timedelta(seconds=200 * n), 200, f"loop-{n}") for n in spins])


async def sign_up_in_thousands(database: Database) -> None:
    """New accounts play, follow and like like people."""
    bots = range(FIRST_BOT, FIRST_BOT + BOTS)
    await store(database, Account, [person(each, timedelta(days=each % 7)) for each in bots])
    plays = [play(each, n, timedelta(minutes=10 * n), 200, f"bot-{each}-{n}") for each in bots for n in range(1, 6)]
    await store(database, Play, plays)
    await store(database, CreatorFollow, [{"creator_id": 1, "follower_id": each, "created_at": NOW} for each in bots])
    await store(database, TrackLike, likes([*bots]))


async def skip_within_the_minimum_time(database: Database) -> None:
    """Old accounts of listeners play 20 seconds again and again."""
    plays = [
        play(n % LISTENERS + 1, n % TRACKS + 1, timedelta(seconds=25 * n), 20, f"short-{n}") for n in range(SHORT_PLAYS)
    ]
    await store(database, Play, plays)


async def test_bots_move_plays_followers_and_score_by_less_than_one_percent(loved: Database) -> None:
    before = await figures(loved)
    assert (before.plays, before.unique_listeners) == (LISTENERS * PLAYS_EACH, LISTENERS)
    for attack in (loops_a_track, sign_up_in_thousands, skip_within_the_minimum_time):
        await attack(loved)
    after = await figures(loved)
    for was, now in (
        (before.plays, after.plays),
        (before.followers, after.followers),
        (before.unique_listeners, after.unique_listeners),
        (engagement_score(before), engagement_score(after)),
    ):
        assert abs(now - was) < was / 100, (was, now)
    assert after.plays > before.plays  # the loop counts as what a keen listener may do
    await loved.close()
