"""What counts: the plausibility filter and the sums, on SQLite and PostgreSQL alike."""

from collections.abc import Collection
from datetime import datetime, timedelta
from time import perf_counter

import pytest
from sqlalchemy import insert, select

from api.accounts.service import SOURCE
from encore.db import Database
from encore.db.models.accounts import SIGN_IN_SOURCE, Account, CreatorFollow
from encore.db.models.creators import Creator
from encore.db.models.listening import Play
from encore.db.models.oracle import ActivityMetrics
from oracle.metrics import Activity, Metrics
from oracle.repository.activity import activity, save_counted
from tests import factories
from tests.oracle.listening import (
    NOW,
    Log,
    account,
    comment,
    follow,
    like,
    random_world,
    recount,
    revenue,
    save_all,
    share,
    track,
)

A_WHILE = timedelta(minutes=10)


async def count(
    database: Database, creator_ids: Collection[int] | None = None, now: datetime = NOW
) -> dict[int, Activity]:
    async with database.read() as session:
        return await activity(session, now, creator_ids)


async def counted_plays(database: Database, log: Log, *, duration: int | None = 200) -> int:
    """Store the log, about creator 1 with track 1, and return how many of its plays count."""
    await save_all(
        database, [factories.creator(1)], [account(n) for n in range(1, 6)], [track(1, 1, duration)], log.plays
    )
    return (await count(database))[1].plays


@pytest.mark.parametrize(
    ("listened", "duration", "counts"),
    [
        (29, 200, 0),
        (30, 200, 1),
        (20, 40, 1),
        (19, 40, 0),
        (None, 200, 1),
        (30, None, 1),
        (29, None, 0),
    ],
)
async def test_a_play_counts_from_thirty_seconds_or_half_the_track_on(
    database: Database, listened: int | None, duration: int | None, counts: int
) -> None:
    log = Log()
    log.play(1, 1, track_id=1, listened=listened)
    assert await counted_plays(database, log, duration=duration) == counts


async def test_a_track_counts_once_per_listener_while_it_could_have_played_once(database: Database) -> None:
    log = Log()
    start = NOW.replace(minute=0, second=0, microsecond=0)  # a multiple of the 200 s of the track
    for seconds in (0, 60, 199):
        log.play(1, 1, track_id=1, at=start + timedelta(seconds=seconds))
    log.play(1, 1, track_id=1, at=start + timedelta(seconds=200))
    log.play(1, 2, track_id=1, at=start + timedelta(seconds=60))
    assert await counted_plays(database, log) == 3


async def test_one_listener_counts_ten_times_a_day_per_track_and_fifty_per_creator(database: Database) -> None:
    log = Log()
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = midnight - timedelta(days=1)
    for place in range(12):
        log.play(1, 1, track_id=1, at=yesterday + place * A_WHILE)
    log.play(1, 1, track_id=1, at=midnight + A_WHILE)
    for number in range(2, 8):
        for place in range(10):
            log.play(1, 2, track_id=number, at=yesterday + place * A_WHILE + timedelta(seconds=number))
    await save_all(database, [factories.creator(1)], [account(1), account(2)], [track(n, 1) for n in range(1, 8)])
    await save_all(database, log.plays)
    assert (await count(database))[1].plays == 10 + 1 + 50


async def test_an_account_that_signed_in_counts_once_it_is_a_week_old(database: Database) -> None:
    assert SIGN_IN_SOURCE == SOURCE
    log = Log()
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    for fan in (1, 2, 3):
        log.play(1, fan, track_id=1)
    await save_all(
        database,
        [factories.creator(1)],
        [
            account(1, source=SIGN_IN_SOURCE, at=hour - timedelta(days=7)),
            account(2, source=SIGN_IN_SOURCE, at=hour - timedelta(days=7) + timedelta(seconds=1)),
            account(3, source="lastfm", at=NOW),
        ],
        [track(1, 1)],
        log.plays,
        [follow(1, fan) for fan in (1, 2, 3)],
    )
    counted = (await count(database))[1]
    assert (counted.plays, counted.unique_listeners, counted.followers) == (2, 2, 2)
    later = (await count(database, now=NOW + timedelta(hours=1)))[1]
    assert (later.plays, later.unique_listeners, later.followers) == (3, 3, 3)


async def test_reactions_count_of_listeners_in_the_window_and_once_each(database: Database) -> None:
    log = Log()
    for fan in (1, 2):
        log.play(1, fan, track_id=1)
    log.play(1, 3, track_id=1, listened=5)
    long_ago = NOW - timedelta(days=31)
    await save_all(
        database,
        [factories.creator(1)],
        [account(n) for n in range(1, 5)],
        [track(1, 1), track(2, 1)],
        log.plays,
        [like(1, 1, 1), like(1, 2, 1), like(1, 1, 3), like(1, 1, 4)],
        [comment(1, 1, 1), comment(1, 1, 1), comment(1, 2, 2), share(1, 1, 2), share(1, 1, 1, long_ago)],
    )
    counted = (await count(database))[1]
    assert (counted.likers, counted.commenters, counted.sharers) == (1, 2, 1)


async def test_plays_that_a_log_summed_up_count_as_they_are(database: Database) -> None:
    log = Log()
    log.play(1, 1, count=10_000)
    log.play(1, 1, count=1)
    assert await counted_plays(database, log) == 10_001


async def test_plays_count_for_thirty_days_and_not_before_they_happen(database: Database) -> None:
    log = Log()
    log.play(1, 1, at=NOW.replace(minute=0, second=0, microsecond=0) - timedelta(days=30), count=2)
    log.play(1, 1, at=NOW - timedelta(days=30, hours=1), count=3)
    log.play(1, 1, at=NOW + timedelta(seconds=1), count=5)
    assert await counted_plays(database, log) == 2


async def test_listeners_completion_followers_and_revenue_are_summed_per_creator(database: Database) -> None:
    log = Log()
    log.play(1, 1, track_id=1, listened=150)
    log.play(1, 1, track_id=1, listened=50, at=NOW - A_WHILE)
    log.play(1, 2, track_id=1, listened=900)
    log.play(1, 3, track_id=1)
    await save_all(
        database,
        [factories.creator(1), factories.creator(2)],
        [account(n) for n in range(1, 4)],
        [track(1, 1, 200)],
        log.plays,
        [follow(1, 1), follow(1, 3), follow(2, 1)],
        [revenue(1, 2**250, "a"), revenue(1, 7, "b"), revenue(1, 9, "old", NOW - timedelta(days=31))],
    )
    assert await count(database) == {
        1: Activity(4, 3, 1, heard_seconds=400, offered_seconds=600, followers=2, revenue_wei=2**250 + 7),
        2: Activity(0, 0, 0, 0, 0, followers=1, revenue_wei=0),
    }


@pytest.mark.parametrize("seed", range(4))
async def test_the_sums_equal_a_plain_recount(database: Database, seed: int) -> None:
    world = random_world(seed)
    await save_all(database, world.creators, world.accounts, world.tracks)
    await save_all(database, world.plays, world.follows, world.revenues, world.reactions)
    expected = recount(world, NOW)
    assert await count(database) == expected
    assert await count(database, [2, 4]) == {creator: expected[creator] for creator in (2, 4)}


async def test_saving_changes_only_what_differs(database: Database) -> None:
    await save_all(database, [factories.creator(1), factories.creator(2)])

    async def save(*rows: tuple[int, Metrics, int], now: datetime) -> None:
        async with database.transaction() as connection:
            await save_counted(connection, rows, now)

    await save((1, Metrics(5, 6, 7, 8), 3), (2, Metrics(1, 1, 1, 1), 1), now=NOW)
    await save((1, Metrics(5, 6, 7, 8), 3), (2, Metrics(2, 1, 1, 1), 1), now=NOW + A_WHILE)
    async with database.read() as session:
        rows = await session.all(select(ActivityMetrics.__table__).order_by(ActivityMetrics.creator_id))
    assert [tuple(row) for row in rows] == [(1, 5, 6, 7, 8, 3, NOW), (2, 2, 1, 1, 1, 1, NOW + A_WHILE)]


async def test_seventeen_thousand_creators_are_counted_in_about_a_second(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    creators, listeners, plays = 17_632, 1_892, 93_000
    async with database.transaction() as connection:
        await connection.execute(
            insert(Account),
            [
                {"id": n, "display_name": "x", "source": "t", "external_id": str(n), "created_at": NOW}
                for n in range(1, listeners + 1)
            ],
        )
        await connection.execute(
            insert(Creator),
            [
                {"id": n, "name": "x", "slug": str(n), "source": "t", "external_id": str(n), "created_at": NOW}
                for n in range(1, creators + 1)
            ],
        )
        rows = [(n % creators + 1, n * 7 % listeners + 1, n) for n in range(plays)]
        await connection.execute(
            insert(Play),
            [
                {
                    "creator_id": creator,
                    "listener_id": listener,
                    "played_at": NOW,
                    "play_count": 1 + n % 400,
                    "source": "t",
                    "event_key": str(n),
                }
                for creator, listener, n in rows
            ],
        )
        followed = {(creator, listener) for creator, listener, _ in rows}
        await connection.execute(
            insert(CreatorFollow),
            [{"creator_id": creator, "follower_id": listener, "created_at": NOW} for creator, listener in followed],
        )
    started = perf_counter()
    counted = await count(database)
    assert len(counted) == creators
    assert sum(each.plays for each in counted.values()) == sum(1 + n % 400 for n in range(plays))
    assert perf_counter() - started < 5
    await database.close()
