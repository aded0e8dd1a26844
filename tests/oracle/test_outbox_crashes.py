"""Exactly once, in order, no nonce gap: while the sender is killed, the network loses answers and blocks are undone."""

import asyncio
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from encore.chain.outbox import FeePolicy, Node, OutboxSender, Signer, enqueue
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.outbox import OutboxEntry
from encore.errors import RpcError, RpcUnavailableError
from tests.conftest import LocalChain
from tests.faulty_proxy import FaultyProxy
from tests.oracle.conftest import LOCAL, Recorder
from tests.support import eventually

SENDER_PROCESS = Path(__file__).with_name("sender_process.py")
KILLS = 4
INTENTS_A_LIFE = 12
LONGEST_LIFE_SECONDS = 0.4


async def queue(database: Database, recorder: Recorder, signer: Signer, numbers: range) -> None:
    async with database.transaction() as connection:
        await enqueue(connection, [recorder.intent(number, signer.address) for number in numbers], datetime.now(UTC))


async def undecided(database: Database) -> int:
    async with database.read() as session:
        return int(await session.scalar(select(func.count()).where(OutboxEntry.status.in_(["pending", "sent"]))))


async def drain(sender: OutboxSender) -> None:
    async def idle() -> bool:
        try:
            return (await sender.run_once()).is_idle
        except (RpcError, RpcUnavailableError):
            return False

    await eventually(idle)


async def each_happened_once(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, intents: int
) -> None:
    assert await recorder.numbers() == list(range(intents))
    async with database.read() as session:
        rows = await session.all(select(OutboxEntry.nonce, OutboxEntry.status).order_by(OutboxEntry.id))
    assert [tuple(row) for row in rows] == [(nonce, "confirmed") for nonce in range(intents)]
    assert int(await rpc.call("eth_getTransactionCount", signer.address, "pending"), 16) == intents


class DiedError(Exception):
    """The process ended here."""


class MortalRpc(RpcClient):
    """Dies at its `lives`-th request: before it is sent, or after the node did what it asks."""

    def __init__(self, url: str, lives: int, *, after: bool) -> None:
        super().__init__([url])
        self._lives = lives
        self._after = after

    async def _post(self, payload: Any) -> Any:
        self._lives -= 1
        if self._lives == 0 and not self._after:
            raise DiedError
        answer = await super()._post(payload)
        if self._lives == 0:
            raise DiedError
        return answer


@pytest.mark.parametrize("after", [False, True])
async def test_a_death_at_any_request_loses_nothing_and_repeats_nothing(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, *, after: bool
) -> None:
    for lives in range(1, 30):
        await queue(database, recorder, signer, range(2 * lives - 2, 2 * lives))
        async with MortalRpc(rpc.endpoints[0], lives, after=after) as mortal:
            node = Node(mortal, LOCAL, signer.address)
            with suppress(DiedError):
                await drain(OutboxSender(database, node, signer, FeePolicy(cap=1_000 * GWEI)))
    await drain(OutboxSender(database, Node(rpc, LOCAL, signer.address), signer, FeePolicy(cap=1_000 * GWEI)))
    await each_happened_once(database, rpc, recorder, signer, 58)


async def test_a_sender_killed_at_random_points_sends_everything_once(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: Callable[[], OutboxSender]
) -> None:
    rng = random.Random(7)
    for life in range(KILLS):
        first = life * INTENTS_A_LIFE
        await queue(database, recorder, signer, range(first, first + INTENTS_A_LIFE))
        before = await undecided(database)
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SENDER_PROCESS), database.url, rpc.endpoints[0]
        )

        async def has_begun(before: int = before) -> bool:
            return await undecided(database) < before

        await eventually(has_begun)
        await asyncio.sleep(rng.uniform(0, LONGEST_LIFE_SECONDS))  # where in its work it dies is up to chance
        process.kill()
        await process.wait()
    await drain(new_sender())
    await each_happened_once(database, rpc, recorder, signer, KILLS * INTENTS_A_LIFE)


async def test_lost_requests_and_answers_lose_nothing_and_send_nothing_twice(
    database: Database, anvil: LocalChain, rpc: RpcClient, recorder: Recorder, signer: Signer
) -> None:
    await queue(database, recorder, signer, range(40))
    async with (
        FaultyProxy(anvil.url, seed=3, fault_rate=0.3).serving() as proxy,
        RpcClient([proxy.url], attempts=1) as faulty,  # so that every fault cuts a round short
    ):
        await drain(OutboxSender(database, Node(faulty, LOCAL, signer.address), signer, FeePolicy(cap=1_000 * GWEI)))
        assert proxy.faults.total() > 20
    await each_happened_once(database, rpc, recorder, signer, 40)


async def test_reorgs_while_sending_end_with_everything_once_and_in_order(
    database: Database, rpc: RpcClient, recorder: Recorder, signer: Signer, new_sender: Callable[[], OutboxSender]
) -> None:
    rng = random.Random(5)
    await rpc.call("anvil_mine", hex(40))
    sender = new_sender()
    for round_ in range(8):
        await queue(database, recorder, signer, range(round_ * 5, round_ * 5 + 5))
        await sender.run_once()
        await rpc.call("anvil_reorg", rng.randint(1, 32), [])
        if rng.random() < 0.3:
            sender = new_sender()
    await drain(sender)
    await each_happened_once(database, rpc, recorder, signer, 40)
