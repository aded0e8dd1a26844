"""A month on the real contracts: a listening log, then plays day by day; the chain has each figure and what is due."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from sqlalchemy import func, select

from api.listening.formats import FORMATS
from api.listening.importer import import_log
from api.listening.wallets import CreatorWallets
from encore.chain.networks import LOCAL_MNEMONIC
from encore.db import Database
from encore.db.models.accounts import CreatorFollow
from encore.db.models.chain import Launch, Milestone
from encore.db.models.chain_tokens import BalancedToken
from encore.db.models.creators import Creator
from encore.db.models.oracle import ActivityMetrics
from encore.db.models.outbox import OutboxEntry
from encore.db.models.revenue import Revenue
from oracle.context import Context
from oracle.distributions import Distributor, next_month
from oracle.launches import Launcher
from oracle.milestones import MILESTONES
from oracle.publisher import Publisher
from oracle.releases import Releaser
from oracle.sync import Sync
from tests.conftest import LocalChain
from tests.oracle.conftest import LOCAL, Loop, open_loop
from tests.oracle.listening import Log, save_all
from tests.oracle.long_run import LASTFM_FOLDER

DAYS = 32
"""Longer than the 30 days between a launch and a release; from the tenth of a month on, one month ends."""
QUALIFYING = 9
STREAMS_REQUIRED = 50_000
COIN = 10**18
MILESTONE_REACHED = "0x" + keccak(text="MilestoneReached(address,uint256,uint256)").hex()


@dataclass
class Month:
    """The loop with a clock that follows the chain's."""

    loop: Loop
    now: datetime
    plays: int = 0

    async def next_day(self) -> None:
        await self.loop.economy.chain.wait(86_400)
        await self.read_clock()

    async def read_clock(self) -> None:
        self.now = datetime.fromtimestamp(await self.loop.economy.chain.now(), UTC)

    async def do_what_is_due(self) -> None:
        """Do what the hourly job does, and send it; the chain has every figure then."""
        oracle = self.loop.oracle
        await oracle.sync.run(everything=True)
        await self.loop.settle()
        assert await self.loop.differences() == []
        parts = (oracle.launcher.launch_due, oracle.releaser.release_due, oracle.distributor.distribute_due)
        if sum([await part() for part in parts]):
            await self.loop.settle()
            await self.read_clock()

    async def played(self, counts: dict[int, int]) -> None:
        """Let listener 1 play so many times, per creator."""
        log = Log()
        for creator_id, count in counts.items():
            if count:
                log.play(creator_id, 1, at=self.now, count=count)
                self.plays += 1
                log.plays[-1].event_key = f"simulated-{self.plays}"
        await save_all(self.loop.database, log.plays)

    async def counted(self, creator_id: int) -> int:
        async with self.loop.database.read() as session:
            return int(
                await session.scalar(
                    select(ActivityMetrics.monthly_streams).where(ActivityMetrics.creator_id == creator_id)
                )
            )

    async def highest(self, highest: dict[str, int]) -> dict[str, int]:
        """Return the most monthly streams that each wallet had so far, `highest` before."""
        async with self.loop.database.read() as session:
            rows = await session.all(
                select(Creator.wallet, ActivityMetrics.monthly_streams).join(
                    ActivityMetrics, ActivityMetrics.creator_id == Creator.id
                )
            )
        return {row.wallet: max(row.monthly_streams, highest.get(row.wallet, 0)) for row in rows}

    async def kinds(self) -> dict[tuple[str, str], int]:
        async with self.loop.database.read() as session:
            rows = await session.all(
                select(OutboxEntry.kind, OutboxEntry.status, func.count().label("entries")).group_by(
                    OutboxEntry.kind, OutboxEntry.status
                )
            )
        return {(row.kind, row.status): row.entries for row in rows}


class Silent:
    """An import's progress that nobody watches."""

    def read(self, byte_count: int) -> None:
        """Say nothing."""

    def step(self, label: str) -> None:
        """Say nothing."""


def write_log(folder: Path) -> Path:
    """Write twelve artists: nine qualify, one has too few listeners, one a play too few, one is small."""
    audiences = [*((8, 52_000 + 1_000 * number) for number in range(QUALIFYING)), (4, 60_000), (10, 49_999), (1, 600)]
    folder.mkdir()
    artists = [f"{number}\tArtist {number}\thttp://a.example\t" for number in range(1, len(audiences) + 1)]
    weights = [
        f"{listener}\t{number}\t{plays // fans + (plays % fans if listener == 1 else 0)}"
        for number, (fans, plays) in enumerate(audiences, start=1)
        for listener in range(1, fans + 1)
    ]
    for name, header, rows in (
        ("artists.dat", "id\tname\turl\tpictureURL", artists),
        ("user_artists.dat", "userID\tartistID\tweight", weights),
        ("user_friends.dat", "userID\tfriendID", ["1\t2", "2\t1"]),
    ):
        (folder / name).write_text("\n".join([header, *rows, ""]))
    return folder


@asynccontextmanager
async def month(anvil: LocalChain, database: Database, folder: Path, minimum_followers: int) -> AsyncIterator[Month]:
    """Open a loop on the tenth of next month."""
    async with open_loop(anvil, database, folder, minimum_followers=minimum_followers) as loop:
        chain = loop.economy.chain
        begin = next_month(datetime.now(UTC)) + timedelta(days=9)
        await chain.wait(int(begin.timestamp()) - await chain.now())
        oracle = loop.oracle
        opened = Month(loop, begin)
        context = Context(database, oracle.contracts, LOCAL.chain_id, oracle.signer.address, lambda: opened.now)
        publisher = Publisher(context)
        loop.oracle = replace(
            oracle,
            context=context,
            publisher=publisher,
            sync=Sync(context, publisher),
            launcher=Launcher(context),
            releaser=Releaser(context),
            distributor=Distributor(context),
        )
        await opened.read_clock()
        yield opened


async def qualifying(database: Database, minimum_followers: int) -> list[int]:
    """Return whom the log alone lets launch, by plain sums."""
    async with database.read() as session:
        followers = (
            select(CreatorFollow.creator_id)
            .group_by(CreatorFollow.creator_id)
            .having(func.count() >= minimum_followers)
        )
        rows = await session.all(
            select(ActivityMetrics.creator_id)
            .where(ActivityMetrics.monthly_streams >= STREAMS_REQUIRED, ActivityMetrics.creator_id.in_(followers))
            .order_by(ActivityMetrics.creator_id)
        )
    return [row.creator_id for row in rows]


async def test_after_every_day_of_a_month_the_chain_is_right(
    anvil: LocalChain, sqlite_url: str, tmp_path: Path
) -> None:
    database = Database(sqlite_url)
    minimum_followers = 400 if LASTFM_FOLDER else 5
    log = Path(LASTFM_FOLDER) if LASTFM_FOLDER else write_log(tmp_path / "log")
    async with month(anvil, database, tmp_path, minimum_followers) as days:
        loop, lastfm = days.loop, FORMATS["lastfm"]
        await import_log(
            database,
            lastfm.parse(lastfm.files(log), int(days.now.timestamp())),
            source="lastfm",
            now=days.now,
            wallets=CreatorWallets(LOCAL_MNEMONIC),
            progress=Silent(),
        )
        await days.do_what_is_due()
        stars = await qualifying(database, minimum_followers)
        assert len(stars) == QUALIFYING
        async with database.read() as session:
            launched = {
                row.token: row.id
                for row in await session.all(
                    select(Launch.token, Creator.id).join(Creator, Creator.wallet == Launch.creator)
                )
            }
            climber = await session.scalar(
                select(ActivityMetrics.creator_id)
                .where(ActivityMetrics.monthly_streams.between(1, MILESTONES[0] - 1), ActivityMetrics.followers == 1)
                .order_by(ActivityMetrics.creator_id.desc())
            )
        assert sorted(launched.values()) == stars  # without a hand
        coins = {creator_id: to_checksum_address(token) for token, creator_id in launched.items()}

        grower, earner, pauper = stars[0], stars[1], stars[2]
        start = {star: await days.counted(star) for star in stars}
        for star in (earner, pauper):
            await loop.economy.exchange.send("buyTokens", coins[star], 0, sender=5, value=COIN // 100)
        earnings = [(earner, 3 * COIN), (pauper, COIN - 1)]
        await save_all(
            database,
            [
                Revenue(creator_id=star, amount_wei=wei, earned_at=days.now, source="test", event_key=str(star))
                for star, wei in earnings
            ],
        )
        highest = await days.highest({})
        for day in range(1, DAYS + 1):
            await days.next_day()
            climbs = MILESTONES[day - 1] - await days.counted(climber) if day <= len(MILESTONES) else 0
            counts = {star: start[star] // (20 if star == grower else 1_000) for star in stars}
            await days.played({**counts, climber: climbs})
            await days.do_what_is_due()
            highest = await days.highest(highest)

        async with database.read() as session:
            reached = await session.all(select(Milestone.creator, Milestone.threshold))
            released = await session.all(
                select(OutboxEntry.to_address, OutboxEntry.status).where(OutboxEntry.kind == "release")
            )
            shared = await session.all(
                select(OutboxEntry.subject, OutboxEntry.value, OutboxEntry.status).where(
                    OutboxEntry.kind == "distribution"
                )
            )
            wallets = {row.id: row.wallet for row in await session.all(select(Creator.id, Creator.wallet))}
            coins_now = await session.scalar(select(func.count()).select_from(BalancedToken))
        expected = {(wallet, each) for wallet, most in highest.items() for each in MILESTONES if most >= each}
        assert {(row.creator, row.threshold) for row in reached} == expected
        assert {(wallets[climber], each) for each in MILESTONES} <= expected
        announced = await milestones_announced(loop)
        assert sorted(announced) == sorted(expected)  # each once
        assert [each for wallet, each in announced if wallet == wallets[climber]] == list(MILESTONES)
        assert coins_now == QUALIFYING  # the climber has the plays and not the followers
        assert [tuple(row) for row in released] == [(coins[grower].lower(), "confirmed")]
        assert [(row.subject.partition("@")[0], row.value, row.status) for row in shared] == [
            (wallets[earner], 3 * COIN, "confirmed")
        ]
        assert {status for _, status in await days.kinds()} == {"confirmed"}
        print(f"{len(highest)} creators, {len(reached)} milestones, {await days.kinds()}")  # noqa: T201 - figures to report
    await database.close()


async def milestones_announced(loop: Loop) -> list[tuple[str, int]]:
    """Return wallet and threshold of every milestone that the chain's own log has, in order."""
    manager = loop.metrics_manager
    logs = await loop.economy.chain.rpc.call(
        "eth_getLogs",
        {"address": manager.address, "fromBlock": "0x0", "toBlock": "latest", "topics": [MILESTONE_REACHED]},
    )
    return [("0x" + log["topics"][1][-40:], int(log["topics"][2], 16)) for log in logs]
