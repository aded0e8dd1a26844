"""Several oracles that must agree: liars, a laggard and one that is down change nothing; nor does a report replayed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import select

from encore.chain.deployments import load_abi
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.outbox import OutboxEntry, OutboxTransaction
from encore.errors import RpcError
from encore.settings import Settings, load_settings, local_account_address, local_account_key
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from oracle.assembly import assemble, utc_now
from oracle.contracts import encode_updates
from oracle.metrics import Metrics, metrics_of
from oracle.milestones import MILESTONES
from oracle.publisher import Written
from oracle.repository import activity, creators
from oracle.repository.creators import ReportState
from tests.conftest import LocalChain
from tests.contracts_on_anvil import Chain, Contract, Economy
from tests.oracle.background import running
from tests.oracle.conftest import LOCAL, Loop
from tests.oracle.listening import Log, listened, save_all
from tests.support import eventually

WALLETS = ["0x" + f"{number:02x}" * 20 for number in range(1, 4)]
TRUTH, MORE, LIE = 5_000, 6_000, 900_000
EPOCH_SECONDS = 3_600
HONEST = range(4)
LAGGARD, LIARS = 3, range(5, 7)  # number 4 is down in every test
K = 5


@dataclass
class Council:
    """Seven oracles, each with a database, a mirror and a key of its own, of which five must agree."""

    members: list[Loop]
    chain: Chain

    @property
    def manager(self) -> Contract:
        return self.members[0].metrics_manager

    async def everywhere(self, creator_id: int, wallet: str, plays: int) -> None:
        """Give all oracles but the liars the same new creator; the liars make up a lie together."""
        for number, member in enumerate(self.members):
            count = LIE if number in LIARS else plays
            await listened(member.database, creator_id, plays=count, fans=5, wallet=wallet)

    async def more_plays(self, creator_id: int, plays: int, members: range) -> None:
        for number in members:
            log = Log()
            log.play(creator_id, 1, at=datetime.now(UTC), count=plays)
            log.plays[0].event_key = f"{creator_id} more {plays}"
            await save_all(self.members[number].database, log.plays)

    async def report(self, *numbers: int, only: list[int] | None = None) -> list[int]:
        """Let these oracles report these creators or all, in this order; returns how many each reported."""
        reported = []
        for number in numbers:
            member = self.members[number]
            await member.indexer.catch_up()
            reported.append((await member.oracle.sync.run(only, everything=True)).written.creators)
            await member.settle()
        for member in self.members:
            await member.indexer.catch_up()
        return reported

    async def next_epoch(self) -> None:
        """Let the chain's clock reach the next epoch."""
        await self.chain.wait(EPOCH_SECONDS - await self.chain.now() % EPOCH_SECONDS + 1)

    async def streams(self, wallet: str) -> int:
        return (await self.members[0].on_chain(wallet)).monthly_streams


@pytest.fixture
async def council(anvil: LocalChain, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Council]:
    async with AsyncExitStack() as stack:
        rpc = await stack.enter_async_context(RpcClient([anvil.url]))
        chain = Chain(rpc)
        economy = await chain.deploy(minimum_streams=50_000, minimum_followers=5)
        manager = economy.contracts["CreatorMetricsManager"]
        for number in range(7):
            await manager.send("setOracle", local_account_address(number + 1), True)
        await manager.send("setQuorum", K)
        members = [await member(number, economy, anvil, sqlite_template, tmp_path) for number in range(7)]
        for each in members:
            stack.push_async_callback(each.database.close)
        council = Council(members, chain)
        await council.next_epoch()
        yield council


async def member(number: int, economy: Economy, anvil: LocalChain, template: Path, folder: Path) -> Loop:
    """Open the oracle of account `number` + 1."""
    own = folder / str(number)
    own.mkdir()
    copy(template, own / "encore.db")
    settings: Settings = load_settings(
        data_dir=own,
        rpc_urls=(anvil.url,),
        database_url=f"sqlite:///{own}/encore.db",
        oracle_private_key=local_account_key(number + 1),
        oracle_quorum=K,
    )
    deployment = await economy.register(settings)
    database = Database(settings.database)
    registry = Registry(all_contracts(), load_abi)
    rpc = economy.chain.rpc
    indexer = Indexer(Source(rpc, LOCAL, registry.topics), Mirror(database, registry, LOCAL.chain_id), registry)
    await indexer.open(deployment)
    await indexer.catch_up()
    return Loop(settings, database, economy, deployment, indexer, assemble(settings, database, rpc, deployment))


async def state_of(loop: Loop, creator_id: int) -> ReportState:
    async with loop.database.read() as session:
        counted = {key: metrics_of(found) for key, found in (await activity.activity(session, utc_now())).items()}
        compared = await creators.comparisons(session, counted, MILESTONES[0])
    return next(each.state for each in compared if each.creator_id == creator_id)


async def test_two_liars_a_laggard_and_one_that_is_down_change_nothing(council: Council) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    assert await council.report(*LIARS, 0, 1) == [1] * 4
    assert await council.streams(WALLETS[0]) == 0
    assert await state_of(council.members[0], 1) == ReportState.WAITS_FOR_QUORUM
    assert await state_of(council.members[2], 1) == ReportState.NONE
    assert await council.report(2) == [1]  # the fifth of this epoch
    assert await council.streams(WALLETS[0]) == TRUTH
    assert [await council.members[number].differences() for number in HONEST] == [[]] * 4
    assert await council.manager.call("milestoneReached", WALLETS[0], 5_000)
    assert not await council.manager.call("milestoneReached", WALLETS[0], 10_000)
    assert await council.report(LAGGARD, *range(3)) == [0] * 4  # nothing to add, at no cost
    assert await state_of(council.members[LIARS[0]], 1) == ReportState.OUTVOTED


async def test_the_median_lies_among_what_honest_oracles_saw_where_they_saw_different_things(council: Council) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    for number in range(3):
        await council.more_plays(1, 10 * number + 1, range(number, number + 1))
    await council.report(*LIARS, 0, 1, 2)
    assert TRUTH <= await council.streams(WALLETS[0]) <= TRUTH + 21


async def test_a_new_figure_is_published_in_the_next_epoch_and_nobody_reports_twice_in_one(council: Council) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    await council.report(*LIARS, 0, 1, 2)
    await council.more_plays(1, MORE, HONEST)
    assert await council.report(0, 1, 2) == [0, 0, 0]
    await council.next_epoch()
    await council.more_plays(1, MORE + 1, range(5, 7))
    assert await council.report(0, *LIARS, 1) == [1] * 4
    assert await council.report(0, 1) == [0, 0]
    assert await council.streams(WALLETS[0]) == TRUTH
    await council.report(2)
    assert await council.streams(WALLETS[0]) == TRUTH + MORE


async def test_reports_that_found_no_majority_are_repeated_in_the_next_epoch(council: Council) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    await council.report(0, 1)
    await council.next_epoch()
    again = [await council.members[number].oracle.sync.run(everything=False) for number in (0, 1)]
    assert [each.written for each in again] == [Written(1, 1)] * 2
    await council.report(*LIARS, 2)
    for number in (0, 1):
        await council.members[number].settle()
    assert await council.streams(WALLETS[0]) == TRUTH


async def test_running_oracles_meet_in_an_epoch_and_write_a_milestone_in_the_next_one(council: Council) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    await council.next_epoch()

    async def has(streams: int) -> bool:
        return await council.streams(WALLETS[0]) == streams

    async with AsyncExitStack() as stack:
        for number in (*range(3), *LIARS):
            await stack.enter_async_context(running(council.members[number]))
        await eventually(lambda: has(TRUTH))
        await council.more_plays(1, MORE, range(7))
        await council.next_epoch()
        await eventually(lambda: has(TRUTH + MORE))


async def test_one_who_is_late_reports_whom_the_epoch_is_open_for_and_skips_the_others(council: Council) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    await council.everywhere(2, WALLETS[1], TRUTH)
    late = council.members[LAGGARD]
    assert (await late.oracle.sync.run(everything=True)).written == Written(creators=2, transactions=1)
    await council.next_epoch()  # before what it queued was sent
    await council.report(*LIARS, 0, 1, 2, only=[1])
    assert await council.streams(WALLETS[0]) == TRUTH
    await late.settle()
    async with late.database.read() as session:
        rows = await session.all(select(OutboxEntry.status, OutboxEntry.nonce, OutboxEntry.error))
    assert [tuple(row) for row in rows] == [("failed", None, "metrics: stale update")]
    assert await council.report(LAGGARD, *LIARS, 0, 1) == [1] * 5  # creator 2 alone
    assert await council.streams(WALLETS[1]) == TRUTH


async def test_a_creator_that_the_chain_takes_no_report_of_takes_nobody_down(council: Council) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    await council.everywhere(2, WALLETS[1], TRUTH)
    restored = council.members[0]
    moment = await restored.oracle.contracts.moment()
    # It reported once, and then its database was restored to a state of before.
    data = encode_updates([(WALLETS[0], Metrics(TRUTH, 5, 0, 1))], moment.observed_at)
    await council.chain.send(data, to=council.manager.address, sender=1)
    assert await council.report(0) == [1]
    reporters = [
        await council.manager.call("reporters", wallet, moment.observed_at // EPOCH_SECONDS) for wallet in WALLETS[:2]
    ]
    assert [len(each) for each in reporters] == [1, 1]


async def test_a_replayed_report_and_one_signed_for_another_chain_are_refused(
    council: Council, start_chain: Callable[..., LocalChain]
) -> None:
    await council.everywhere(1, WALLETS[0], TRUTH)
    await council.report(0)
    async with council.members[0].database.read() as session:
        raw = await session.scalar(select(OutboxTransaction.raw))
        data = await session.scalar(select(OutboxEntry.data))
    with pytest.raises(RpcError, match="nonce too low"):
        await council.chain.rpc.call("eth_sendRawTransaction", raw)
    again = {"from": local_account_address(1), "to": council.manager.address, "data": data}
    with pytest.raises(RpcError, match="already reported"):
        await council.chain.rpc.call("eth_call", again, "pending")
    with pytest.raises(RpcError, match="not an oracle"):
        await council.chain.rpc.call("eth_call", again | {"from": local_account_address(9)}, "pending")
    for _ in range(2):
        await council.next_epoch()
    with pytest.raises(RpcError, match="stale update"):
        await council.chain.rpc.call("eth_call", again, "pending")

    elsewhere = start_chain()
    async with RpcClient([elsewhere.url]) as rpc:
        await rpc.call("anvil_setChainId", LOCAL.chain_id + 1)
        await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        with pytest.raises(RpcError, match=r"(?i)chain.?id"):
            await rpc.call("eth_sendRawTransaction", raw)
