"""The mirror equals the surviving chain after any schedule of activity, reorgs, restarts and queries in between."""

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encore.db import Database
from encore.db.models import chain
from indexer.handlers.integrated_creator_dex import CANDLE_SECONDS
from indexer.runner import Indexer
from tests.indexer.economy import Economy
from tests.indexer.node import FakeNode
from tests.indexer.replica import catch_up, clear, dump, events_mirrored, events_told, indexer_of

FINALITY_BLOCKS = 12

SCHEDULES = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Step:
    """Replace the newest `depth` blocks by `length` new ones; then maybe let the indexer look, maybe after a restart.

    With `during`, the blocks change under the indexer after that many requests of its look.
    """

    depth: int
    length: int
    seed: int
    looks: bool
    restarts: bool
    during: int | None


STEPS = st.lists(
    st.builds(
        Step,
        depth=st.integers(0, FINALITY_BLOCKS - 1),
        length=st.integers(1, FINALITY_BLOCKS),
        seed=st.integers(0, 2**32),
        looks=st.sampled_from([True, True, False]),
        restarts=st.booleans(),
        during=st.none() | st.none() | st.integers(0, 12),
    ),
    min_size=3,
    max_size=8,
)


def grow(node: FakeNode, step: Step) -> None:
    random = Random(step.seed)
    node.drop_blocks(step.depth)
    for _ in range(step.length):
        economy: Economy = node.head.state.copy()
        logs = economy.act(random, node.next_timestamp, random.choice([0, 1, 2, 6]))
        node.mine(logs, economy, salt=str(step.seed))


async def look(indexer: Indexer, node: FakeNode, during: Step | None) -> None:
    """Let the indexer catch up, with a change of the chain between two of its requests."""
    if during is not None:
        remaining = iter(range(during.during or 0))

        def meddle(_method: str, _params: list[Any], result: Any) -> Any:
            if next(remaining, None) is None and node.meddle is not None:
                node.meddle = None
                grow(node, during)
            return result

        node.meddle = meddle
    await catch_up(indexer)
    node.meddle = None


@given(steps=STEPS)
@SCHEDULES
async def test_the_mirror_equals_a_fresh_index_of_the_surviving_chain(
    database: Database, fresh_database: Database, node: FakeNode, steps: list[Step]
) -> None:
    await clear(database)
    await clear(fresh_database)
    node.finality_blocks = FINALITY_BLOCKS
    economy = Economy()
    node.start_chain(economy)
    node.mine(economy.setup(), economy)

    async with AsyncExitStack() as stack:
        indexer = await stack.enter_async_context(indexer_of(database, node))
        await catch_up(indexer)
        for step in steps:
            if step.restarts:
                indexer = await stack.enter_async_context(indexer_of(database, node))
            if step.during is None:
                grow(node, step)
            if step.looks:
                await look(indexer, node, None if step.during is None else step)
        await catch_up(indexer)
        # A head that went back says nothing yet of the blocks above it: it has to pass the mirror's.
        missing = max(0, indexer.position.number - node.head.number) + 1
        grow(node, Step(depth=0, length=missing, seed=1, looks=True, restarts=False, during=None))
        await catch_up(indexer)

    async with indexer_of(fresh_database, node) as fresh:
        await catch_up(fresh)
    assert await dump(database) == await dump(fresh_database)
    assert await events_told(database) == await events_mirrored(database)
    await assert_books_agree(database, node.head.state)


async def assert_books_agree(database: Database, economy: Economy) -> None:
    """Compare the derived rows with the model's own books."""
    rows = await dump(database)
    coins = economy.coins
    columns = [column.name for column in chain.Token.__table__.columns]
    tokens = [dict(zip(columns, row, strict=True)) for row in rows["tokens"]]
    assert rows["balances"] == sorted(
        (token, holder, amount) for token, coin in coins.items() for holder, amount in coin.balances.items()
    )
    assert {token["address"]: token["total_supply"] for token in tokens} == {
        token: coin.supply for token, coin in coins.items()
    }
    assert {token["address"]: token["holder_count"] for token in tokens} == {
        token: len(coin.balances) for token, coin in coins.items()
    }
    assert {token["address"]: token["creator"] for token in tokens} == economy.creators
    assert {token["address"]: token["total_staked"] for token in tokens} == {
        token: sum(amount for amount, _ in coin.stakes.values()) for token, coin in coins.items()
    }
    assert {(token, account): (amount, since) for token, account, amount, since, *_ in rows["stakes"] if amount} == {
        (token, account): stake for token, coin in coins.items() for account, stake in coin.stakes.items()
    }
    pools = {token: coin.pool for token, coin in coins.items() if coin.pool is not None}
    assert {token: tuple(rest[:4]) for token, *rest in rows["pools"]} == {
        token: (pool.reserves.native, pool.reserves.token, pool.shares.total(), pool.reserves.spot_price)
        for token, pool in pools.items()
    }
    assert rows["liquidity_positions"] == sorted(
        (token, provider, shares) for token, pool in pools.items() for provider, shares in pool.shares.items()
    )
    assert Counter({recipient: amount for recipient, amount in rows["fee_balances"] if amount}) == economy.fees
    assert {creator: streams for creator, streams, *_ in rows["creator_metrics"]} == economy.streams
    assert {(creator, threshold) for creator, threshold, *_ in rows["milestones"]} == economy.milestones
    assert {creator for creator, *_ in rows["launches"]} == economy.launched
    for seconds in CANDLE_SECONDS:
        mirrored = {(row[0], row[2]): row[3:7] for row in rows["candles"] if row[1] == seconds}
        assert mirrored == economy.candles(seconds)
