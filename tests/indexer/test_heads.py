"""New heads come by WebSocket; without one by polling; and by WebSocket again once it is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from encore.db import Database
from indexer.heads import HeadSignal, poll_seconds, websocket_url
from indexer.runner import Indexer
from tests.indexer.economy import Economy
from tests.indexer.node import FakeNode, NodeError
from tests.indexer.replica import indexer_of
from tests.support import eventually

NEVER_POLLS = 3_600.0


@asynccontextmanager
async def following(indexer: Indexer, heads: HeadSignal) -> AsyncIterator[None]:
    async with heads:
        task = asyncio.create_task(indexer.run(heads))
        yield
        task.cancel()
        await asyncio.wait([task])


async def indexed(indexer: Indexer, node: FakeNode) -> None:
    async def is_level() -> bool:
        return indexer.position.hash == node.head.hash

    await eventually(is_level)


def mine(node: FakeNode) -> None:
    node.mine([], node.head.state)


@pytest.fixture
def started(node: FakeNode) -> FakeNode:
    economy = Economy()
    node.start_chain(economy)
    node.mine(economy.setup(), economy)
    return node


async def test_a_header_by_websocket_is_followed_without_polling(database: Database, started: FakeNode) -> None:
    heads = HeadSignal(started.url, poll_seconds=NEVER_POLLS)
    async with indexer_of(database, started) as indexer, following(indexer, heads):
        await indexed(indexer, started)
        for _ in range(5):
            mine(started)
            await started.announce()
            await indexed(indexer, started)


async def test_a_chain_without_websocket_is_polled(database: Database, started: FakeNode) -> None:
    started.serves_websocket = False
    heads = HeadSignal(started.url, poll_seconds=0.01)
    async with indexer_of(database, started) as indexer, following(indexer, heads):
        for _ in range(3):
            mine(started)
            await indexed(indexer, started)
        assert not heads.is_subscribed


async def test_a_dropped_websocket_falls_back_to_polling_and_is_taken_up_again(
    database: Database, started: FakeNode
) -> None:
    heads = HeadSignal(started.url, poll_seconds=0.01)

    async def is_subscribed() -> bool:
        return heads.is_subscribed

    async def is_polling() -> bool:
        return not heads.is_subscribed

    async with indexer_of(database, started) as indexer, following(indexer, heads):
        await eventually(is_subscribed)
        started.serves_websocket = False
        await started.drop_websockets()
        await eventually(is_polling)
        mine(started)
        await indexed(indexer, started)

        started.serves_websocket = True
        await eventually(is_subscribed)
        mine(started)
        await indexed(indexer, started)


async def test_a_node_that_fails_is_tried_again_until_it_answers(
    database: Database, started: FakeNode, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = HeadSignal(started.url, poll_seconds=0.01)

    def fail(_method: str, _params: list[Any], _result: Any) -> Any:
        raise NodeError(-32603, "internal error")

    async def has_complained() -> bool:
        return capsys.readouterr().out.count("trying again") > 0

    async with indexer_of(database, started) as indexer, following(indexer, heads):
        await indexed(indexer, started)
        started.meddle = fail
        mine(started)
        await eventually(has_complained)
        started.meddle = None
        await indexed(indexer, started)


async def test_a_signal_wakes_the_waiter_at_once(started: FakeNode) -> None:
    async with HeadSignal(started.url, poll_seconds=NEVER_POLLS) as heads:
        await heads.wait()  # what was mined before anybody listened
        waiting = asyncio.create_task(heads.wait())
        began = monotonic()
        await started.announce()
        await waiting
        assert monotonic() - began < 1


@pytest.mark.parametrize(
    ("http", "websocket"), [("http://127.0.0.1:8545", "ws://127.0.0.1:8545"), ("https://node/x", "wss://node/x")]
)
def test_the_websocket_is_looked_for_beside_http(http: str, websocket: str) -> None:
    assert websocket_url(http) == websocket


@pytest.mark.parametrize(("block_seconds", "expected"), [(0.1, 0.2), (2, 0.5), (30, 5.0)])
def test_the_polling_interval_follows_the_block_time(block_seconds: float, expected: float) -> None:
    assert poll_seconds(block_seconds) == expected
