"""What counts: the plausibility filter and the sums, on SQLite and PostgreSQL alike."""

from collections.abc import Collection
from datetime import datetime, timedelta
from time import perf_counter

import pytest
from sqlalchemy import insert, select

from encore.db import Database
from encore.db.models.accounts import Account, CreatorFollow
from encore.db.models.creators import Creator
from encore.db.models.listening import Play
from encore.db.models.oracle import ActivityMetrics
from oracle.metrics import Activity, Metrics
from oracle.repository.activity import activity, save_counted
from tests import factories
from tests.oracle.listening import NOW, Log, account, follow, random_world, recount, revenue, save_all, track

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


async def test_one_listener_counts_fifty_times_a_day_at_most(database: Database) -> None:
    log = Log()
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    for place in range(60):
        log.play(1, 1, track_id=1, at=midnight - timedelta(days=1) + place * A_WHILE)
    log.play(1, 1, track_id=1, at=midnight + A_WHILE)
    assert await counted_plays(database, log) == 51


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
    await save_all(database, world.creators, world.accounts, world.tracks, world.plays, world.follows, world.revenues)
    expected = recount(world, NOW)
    assert await count(database) == expected
    assert await count(database, [2, 4]) == {creator: expected[creator] for creator in (2, 4)}


async def test_a_bot_that_loops_a_track_moves_little(database: Database) -> None:
    log = Log()
    for second in range(0, 86_400, 31):
        log.play(1, 1, track_id=1, listened=31, at=NOW - timedelta(seconds=second))
    assert await counted_plays(database, log) <= 100


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
