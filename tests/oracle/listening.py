"""Listening data for the oracle's tests, and a recount of it in plain Python to compare the SQL with."""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from encore.db import Database
from encore.db.models import Base
from encore.db.models.accounts import SIGN_IN_SOURCE, Account, CreatorFollow
from encore.db.models.creators import Creator
from encore.db.models.listening import Play, Track, TrackComment, TrackLike, TrackShare
from encore.db.models.revenue import Revenue
from oracle.metrics import Activity, window_start
from tests import factories

NOW = datetime(2026, 11, 20, 12, 34, 56, 789_000, tzinfo=UTC)


def account(account_id: int, *, source: str = "test", at: datetime = NOW) -> Account:
    return Account(
        id=account_id, display_name=f"Fan {account_id}", source=source, external_id=str(account_id), created_at=at
    )


def track(track_id: int, creator_id: int, duration: int | None = 200) -> Track:
    return Track(
        id=track_id, creator_id=creator_id, title=f"Track {track_id}", duration_seconds=duration, created_at=NOW
    )


@dataclass
class Log:
    """Builds plays with keys of their own."""

    plays: list[Play] = field(default_factory=list)

    def play(
        self,
        creator_id: int,
        listener_id: int,
        *,
        track_id: int | None = None,
        at: datetime = NOW,
        listened: int | None = None,
        count: int = 1,
    ) -> None:
        self.plays.append(
            Play(
                creator_id=creator_id,
                listener_id=listener_id,
                track_id=track_id,
                played_at=at,
                listened_seconds=listened,
                play_count=count,
                source="test",
                event_key=f"{creator_id}-{listener_id}-{len(self.plays)}",
            )
        )


def follow(creator_id: int, follower_id: int) -> CreatorFollow:
    return CreatorFollow(creator_id=creator_id, follower_id=follower_id, created_at=NOW)


def like(creator_id: int, track_id: int, account_id: int) -> TrackLike:
    return TrackLike(creator_id=creator_id, track_id=track_id, account_id=account_id, created_at=NOW)


def comment(creator_id: int, track_id: int, account_id: int, at: datetime = NOW) -> TrackComment:
    return TrackComment(creator_id=creator_id, track_id=track_id, account_id=account_id, body="so good", created_at=at)


def share(creator_id: int, track_id: int, account_id: int, at: datetime = NOW) -> TrackShare:
    return TrackShare(creator_id=creator_id, track_id=track_id, account_id=account_id, created_at=at)


def revenue(creator_id: int, wei: int, key: str, at: datetime = NOW) -> Revenue:
    return Revenue(creator_id=creator_id, amount_wei=wei, earned_at=at, source="test", event_key=key)


async def save_all(database: Database, *groups: Sequence[Base]) -> None:
    """Commit rows, each group in one go."""
    async with database.write() as session:
        for group in groups:
            session.add_all(group)
            await session.flush()


async def listened(database: Database, creator_id: int, *, plays: int, fans: int, wallet: str | None) -> None:
    """Give a new creator summed-up plays by listeners who all follow."""
    known = await _accounts(database)
    each, rest = divmod(plays, fans)
    log = Log()
    for fan in range(1, fans + 1):
        if count := each + (rest if fan == 1 else 0):
            log.play(creator_id, fan, at=datetime.now(UTC), count=count)
    for play in log.plays:
        play.event_key = f"sum-{play.event_key}"
    await save_all(
        database,
        [account(fan) for fan in range(known + 1, fans + 1)],
        [factories.creator(creator_id, wallet=wallet)],
        log.plays,
        [follow(creator_id, fan) for fan in range(1, fans + 1)],
    )


async def _accounts(database: Database) -> int:
    async with database.read() as session:
        return int(await session.scalar(select(func.count()).select_from(Account)))


@dataclass
class World:
    """A random history."""

    creators: list[Creator]
    accounts: list[Account]
    tracks: list[Track]
    plays: list[Play]
    follows: list[CreatorFollow]
    revenues: list[Revenue]
    reactions: list[TrackLike | TrackComment | TrackShare]


def random_world(seed: int) -> World:
    """Make a small crowded history: repeats, skips, loops, old and future plays, unknown lengths."""
    rng = random.Random(seed)
    creators = [factories.creator(creator_id) for creator_id in range(1, 6)]
    accounts = [
        account(account_id, source=rng.choice(["test", SIGN_IN_SOURCE]), at=NOW - timedelta(days=rng.randint(5, 9)))
        for account_id in range(1, 9)
    ]
    tracks = [track(track_id, rng.randint(1, 4), rng.choice([None, 0, 20, 45, 180, 600])) for track_id in range(1, 11)]
    log = Log()
    for _ in range(1_500):
        chosen = rng.choice(tracks)
        log.play(
            chosen.creator_id,
            rng.randint(1, 8),
            track_id=rng.choice([chosen.id, chosen.id, chosen.id, None]),
            at=NOW - timedelta(seconds=rng.choice([rng.uniform(-600, 86_400), rng.uniform(0, 32 * 86_400)])),
            listened=rng.choice([None, rng.randint(0, 700)]),
            count=rng.choice([1, 1, 1, 1, rng.randint(2, 500)]),
        )
    for play in log.plays:
        if play.play_count > 1:
            play.track_id = play.listened_seconds = None
    follows = [
        follow(creator.id, listener.id) for creator in creators[:4] for listener in accounts if rng.random() < 0.5
    ]
    revenues = [
        revenue(rng.randint(1, 4), rng.randint(0, 2**200), str(key), NOW - timedelta(days=rng.uniform(-1, 35)))
        for key in range(50)
    ]
    reactions: list[TrackLike | TrackComment | TrackShare] = [
        like(each.creator_id, each.id, fan.id) for each in tracks for fan in accounts if rng.random() < 0.1
    ]
    for _ in range(20):
        chosen, when = rng.choice(tracks), NOW - timedelta(days=rng.uniform(-1, 35))
        react = comment if rng.random() < 0.5 else share
        reactions.append(react(chosen.creator_id, chosen.id, rng.randint(1, 8), when))
    return World(creators, accounts, tracks, log.plays, follows, revenues, reactions)


def recount(world: World, now: datetime) -> dict[int, Activity]:
    """Count a history the slow and plain way."""
    lengths = {each.id: each.duration_seconds for each in world.tracks}
    hour = now.replace(minute=0, second=0, microsecond=0)
    newcomers = {
        each.id
        for each in world.accounts
        if each.source == SIGN_IN_SOURCE and each.created_at > hour - timedelta(days=7)
    }
    in_window = [play for play in world.plays if window_start(now) <= play.played_at <= now]
    kept = _plausible((play for play in in_window if play.listener_id not in newcomers), lengths)
    result = {}
    for creator in world.creators:
        plays: Counter[int] = Counter()
        heard = offered = 0
        for play in kept:
            if play.creator_id != creator.id:
                continue
            plays[play.listener_id] += play.play_count
            length = lengths.get(play.track_id) if play.track_id else None
            if play.play_count == 1 and length and play.listened_seconds is not None:
                heard += min(play.listened_seconds, length)
                offered += length
        result[creator.id] = Activity(
            plays=plays.total(),
            unique_listeners=len(plays),
            returning_listeners=sum(count > 1 for count in plays.values()),
            heard_seconds=heard,
            offered_seconds=offered,
            followers=sum(
                each.creator_id == creator.id and each.follower_id not in newcomers for each in world.follows
            ),
            revenue_wei=sum(
                each.amount_wei
                for each in world.revenues
                if each.creator_id == creator.id and window_start(now) <= each.earned_at <= now
            ),
            likers=_reacting(world, TrackLike, creator.id, plays, (datetime.min.replace(tzinfo=UTC), now)),
            commenters=_reacting(world, TrackComment, creator.id, plays, (window_start(now), now)),
            sharers=_reacting(world, TrackShare, creator.id, plays, (window_start(now), now)),
        )
    return result


def _reacting(
    world: World, kind: type[Base], creator_id: int, listeners: Collection[int], times: tuple[datetime, datetime]
) -> int:
    start, end = times
    return len(
        {
            each.account_id
            for each in world.reactions
            if isinstance(each, kind) and each.creator_id == creator_id and start <= each.created_at <= end
        }
        & set(listeners)
    )


def _plausible(plays: Iterable[Play], lengths: dict[int, int | None]) -> list[Play]:
    kept: list[Play] = []
    seen: set[tuple[int, int, int]] = set()
    per_day: dict[tuple[str, int, int, int], int] = defaultdict(int)
    for play in sorted(plays, key=lambda play: (int(play.played_at.timestamp()), play.id)):
        if play.play_count > 1 or play.track_id is None:
            kept.append(play)
            continue
        length = lengths[play.track_id]
        moment = int(play.played_at.timestamp())
        needed = 30 if length is None else min(30, length / 2)
        if play.listened_seconds is not None and play.listened_seconds < needed:
            continue
        copy = (play.listener_id, play.track_id, moment // max(length or 0, 30))
        who_and_day = (play.listener_id, moment // 86_400)
        of_track, of_creator = ("track", play.track_id, *who_and_day), ("creator", play.creator_id, *who_and_day)
        if copy in seen or per_day[of_track] == 10 or per_day[of_creator] == 50:
            continue
        seen.add(copy)
        per_day[of_track] += 1
        per_day[of_creator] += 1
        kept.append(play)
    return kept
