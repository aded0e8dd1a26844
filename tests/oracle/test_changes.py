"""Noticing new activity by its ids, also where a lower id is committed after a higher one."""

import pytest

from encore.db import Database
from encore.db.models.accounts import CreatorFollow
from encore.db.models.listening import Play
from oracle.changes import MOST_SINGLE_CREATORS, Changes
from oracle.repository.sql import CreatorIds
from tests import factories
from tests.oracle.listening import NOW, account, revenue, save_all


@pytest.fixture
async def creators(database: Database) -> None:
    await save_all(
        database,
        [factories.creator(number) for number in range(1, MOST_SINGLE_CREATORS + 2)],
        [account(number) for number in range(1, 4)],
    )


def play(play_id: int, creator_id: int) -> Play:
    return Play(
        id=play_id,
        creator_id=creator_id,
        listener_id=1,
        played_at=NOW,
        play_count=1,
        source="test",
        event_key=str(play_id),
    )


async def start(changes: Changes, database: Database) -> None:
    async with database.read() as session:
        await changes.start(session)


async def touched(changes: Changes, database: Database) -> CreatorIds:
    async with database.read() as session:
        return await changes.touched(session)


async def test_what_was_there_at_the_start_is_not_new(database: Database, creators: None) -> None:
    await save_all(database, [play(1, 1)])
    changes = Changes()
    await start(changes, database)
    assert await touched(changes, database) == set()


async def test_plays_follows_and_revenues_touch_their_creators_once(database: Database, creators: None) -> None:
    changes = Changes()
    await start(changes, database)
    await save_all(
        database,
        [play(1, 1), play(2, 1), play(3, 2)],
        [CreatorFollow(creator_id=3, follower_id=1, created_at=NOW)],
        [revenue(4, 1, "a")],
    )
    assert await touched(changes, database) == {1, 2, 3, 4}
    assert await touched(changes, database) == set()


async def test_many_touched_creators_are_as_good_as_all(database: Database, creators: None) -> None:
    changes = Changes()
    await start(changes, database)
    await save_all(database, [play(number, number) for number in range(1, MOST_SINGLE_CREATORS + 2)])
    assert await touched(changes, database) is None
    assert await touched(changes, database) == set()


async def test_rows_committed_late_below_the_highest_id_are_not_missed(database: Database, creators: None) -> None:
    changes = Changes()
    await start(changes, database)
    await save_all(database, [play(100, 1)])  # drawn after the ids of an import that is still open
    assert await touched(changes, database) == {1}
    await start(changes, database)  # an hourly job in between
    await save_all(database, [play(number, 2) for number in range(1, 50)])
    assert await touched(changes, database) is None
    assert await touched(changes, database) == set()


async def test_an_unfollow_makes_nobody_cross_anything(database: Database, creators: None) -> None:
    changes = Changes()
    await start(changes, database)
    follow = CreatorFollow(creator_id=3, follower_id=1, created_at=NOW)
    await save_all(database, [follow])
    await touched(changes, database)
    async with database.write() as session:
        await session.delete(follow)
    assert await touched(changes, database) == set()
