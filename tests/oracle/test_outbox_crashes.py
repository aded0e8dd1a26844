"""Exactly once, in order, no nonce gap: while the sender dies, the network loses answers and blocks are undone."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from encore.chain.outbox import FeePolicy, Node, OutboxSender, Signer, enqueue
from encore.chain.outbox import sender as sender_module
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models.outbox import OutboxEntry
from encore.errors import RpcError, RpcUnavailableError
from tests.conftest import LocalChain
from tests.faulty_proxy import FaultyProxy
from tests.oracle.conftest import LOCAL, Recorder
from tests.support import eventually


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broadcast again at once what has no receipt, instead of every few seconds."""
    monkeypatch.setattr(sender_module, "REBROADCAST_SECONDS", 0.1)


async def queue(database: Database, recorder: Recorder, signer: Signer, numbers: range) -> None:
    async with database.transaction() as connection:
        await enqueue(connection, [recorder.intent(number, signer.address) for number in numbers], datetime.now(UTC))


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


@pytest.mark.usefixtures("hasty")
async def test_lost_requests_and_answers_lose_nothing_and_send_nothing_twice(
    database: Database, anvil: LocalChain, rpc: RpcClient, recorder: Recorder, signer: Signer
) -> None:
    await queue(database, recorder, signer, range(15))
    async with (
        FaultyProxy(anvil.url, seed=3, fault_rate=0.3).serving() as proxy,
        RpcClient([proxy.url], attempts=1) as faulty,  # so that every fault cuts a round short
    ):
        await drain(OutboxSender(database, Node(faulty, LOCAL, signer.address), signer, FeePolicy(cap=1_000 * GWEI)))
        assert proxy.faults.total() > 20
    await each_happened_once(database, rpc, recorder, signer, 15)


@pytest.mark.usefixtures("hasty")
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
