"""Killed with -9 at random moments, in backfill and while it follows the chain, it ends as if it had never been."""

import asyncio
import signal
from collections.abc import Callable
from random import Random
from typing import Any

from encore.db import Database
from tests.indexer.command import Command, indexed_hash
from tests.indexer.economy import Economy
from tests.indexer.long_run import KILLS, SEED
from tests.indexer.node import FakeNode
from tests.indexer.replica import catch_up, dump, events_mirrored, events_told, indexer_of
from tests.indexer.world import deployment
from tests.support import eventually

REQUESTS_OF_A_LIFE = 80
"""About as many as it takes to open and to read what was mined between two lives."""
LONGEST_PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 300
"""A machine that is busy with other work may take a minute to start a process."""


def grow(node: FakeNode, random: Random, blocks: int) -> None:
    for _ in range(blocks):
        economy: Economy = node.head.state.copy()
        node.mine(economy.act(random, node.next_timestamp, 2), economy, salt=str(random.random()))


async def is_level(encore: Command, database: Database, node: FakeNode) -> None:
    async def probe() -> bool:
        return await indexed_hash(database) == node.head.hash

    try:
        await eventually(probe, PATIENCE_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"not level, block {node.head.number} is missing: {encore.tail}") from error


async def test_killed_at_random_it_ends_with_the_tables_of_an_uninterrupted_run(
    database: Database, fresh_database: Database, node: FakeNode, command: Callable[..., Command]
) -> None:
    random = Random(11 + SEED)
    node.start_chain(Economy())
    economy = Economy()
    node.mine(economy.setup(), economy)
    encore = command(rpc_urls=node.url)
    encore.settings.deployment_path.parent.mkdir(parents=True)
    encore.settings.deployment_path.write_text(deployment().model_dump_json())

    for life in range(KILLS):
        grow(node, random, 60)
        if life % 2:
            await live_until_killed(encore, database, node, random)
        else:
            await backfill_until_killed(encore, node, random)
    encore.start()
    await is_level(encore, database, node)
    async with indexer_of(fresh_database, node) as fresh:
        await catch_up(fresh)
    assert await dump(database) == await dump(fresh_database)
    assert await events_told(database) <= await events_mirrored(database)


async def backfill_until_killed(encore: Command, node: FakeNode, random: Random) -> None:
    """Start it and kill it a moment after some request: between two of them, or within a transaction."""
    remaining = iter(range(random.randrange(REQUESTS_OF_A_LIFE)))
    pause_seconds = random.random() * LONGEST_PAUSE_SECONDS
    process = encore.start()

    def meddle(_method: str, _params: list[Any], result: Any) -> Any:
        if next(remaining, None) is None:
            node.meddle = None
            asyncio.get_running_loop().call_later(pause_seconds, process.kill)
        return result

    node.meddle = meddle

    async def has_ended() -> bool:
        return process.poll() is not None

    try:
        await eventually(has_ended, PATIENCE_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{next(remaining, 0)} requests were left before the kill: {encore.tail}") from error
    assert process.wait() == -signal.SIGKILL, encore.tail


async def live_until_killed(encore: Command, database: Database, node: FakeNode, random: Random) -> None:
    """Start it, let it catch up, and kill it while blocks and reorgs come in."""
    process = encore.start()
    await is_level(encore, database, node)
    for _ in range(random.randrange(1, 10)):
        node.drop_blocks(random.choice([0, 0, 3]))
        grow(node, random, random.choice([1, 1, 4]))
        await node.announce()
        await asyncio.sleep(random.random() * LONGEST_PAUSE_SECONDS)
    process.kill()
    assert process.wait() == -signal.SIGKILL
