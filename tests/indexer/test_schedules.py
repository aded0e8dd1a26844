"""The mirror equals the surviving chain after any schedule of activity, reorgs, restarts and queries in between."""

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from encore.db import Database
from encore.db.models import Base, chain
from encore.db.models.chain import ChainEvent
from encore.db.models.chain_exchange import PoolGuard
from encore.db.models.chain_governance import Proposal, TimelockOperation
from encore.db.models.chain_market import Auction
from encore.db.models.chain_nft import Drop, Nft
from encore.db.models.chain_tokens import BalancedToken, RevenuePosition, SparkStake, SparkToken, VoteCheckpoint
from indexer.handlers.integrated_creator_dex import CANDLE_SECONDS
from indexer.registry import all_contracts
from indexer.roles import ROLE_IDS
from indexer.runner import Indexer
from tests.indexer.culture import Culture
from tests.indexer.economy import Economy
from tests.indexer.governance import SPARK, Governance
from tests.indexer.long_run import SCHEDULES
from tests.indexer.node import FakeNode
from tests.indexer.replica import Dump, catch_up, clear, dump, events_mirrored, events_told, indexer_of
from tests.indexer.world import CONTRACTS, ZERO

FINALITY_BLOCKS = 12
DEEP = 64
"""The deepest reorg that is tried, on a chain whose blocks become final only below it."""
ROLE_NAMES = {identifier: name for name, identifier in ROLE_IDS.items()}

MANY = settings(
    max_examples=SCHEDULES,
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


def steps_of(deepest: int) -> st.SearchStrategy[list[Step]]:
    few, many = st.integers(0, FINALITY_BLOCKS - 1), st.integers(0, deepest)
    step = st.builds(
        Step,
        depth=few | many,
        length=st.integers(1, FINALITY_BLOCKS),
        seed=st.integers(0, 2**32),
        looks=st.sampled_from([True, True, False]),
        restarts=st.booleans(),
        during=st.none() | st.none() | st.integers(0, 12),
    )
    return st.lists(step, min_size=3, max_size=8)


def reorg(depth: int, length: int, *, looks: bool = True, restarts: bool = False) -> Step:
    """Replace blocks; not looked at, and with a restart after it, it happens while the indexer is down."""
    return Step(depth, length, seed=100 * depth + length, looks=looks, restarts=restarts, during=None)


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


SCHEDULE = st.sampled_from([FINALITY_BLOCKS - 1, FINALITY_BLOCKS - 1, DEEP]).flatmap(
    lambda deepest: st.tuples(st.just(deepest), steps_of(deepest))
)


@given(schedule=SCHEDULE)
@example((DEEP, [reorg(0, 70), reorg(DEEP, 66)]))
@example((DEEP, [reorg(0, 70), reorg(DEEP, 3, looks=False), reorg(0, 70, restarts=True)]))  # while it is down
@example((DEEP, [reorg(0, 70), reorg(40, 41, looks=False), reorg(DEEP, 65), reorg(30, 31)]))  # twice in a row
@example((DEEP, [reorg(0, 70), reorg(50, 20), reorg(0, 10), reorg(10, 60)]))  # a shorter branch, then a longer one
@MANY
async def test_the_mirror_equals_a_fresh_index_of_the_surviving_chain(
    database: Database, fresh_database: Database, node: FakeNode, schedule: tuple[int, list[Step]]
) -> None:
    deepest, steps = schedule
    await clear(database)
    await clear(fresh_database)
    node.finality_blocks = deepest + 1
    node.start_chain(Economy())  # a reorg may take the setup back, too
    economy = Economy()
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


async def test_every_kind_of_event_is_generated_and_mirrored(database: Database, node: FakeNode) -> None:
    random = Random(3)
    node.finality_blocks = FINALITY_BLOCKS
    node.start_chain(Economy())
    economy = Economy()
    node.mine(economy.setup(), economy)
    for _ in range(300):
        node.mine(economy.act(random, node.next_timestamp, 12), economy)
    async with indexer_of(database, node) as indexer:
        await catch_up(indexer)

    async with database.read() as session:
        rows = await session.all(select(ChainEvent.contract, ChainEvent.name).distinct())
    handled = {(contract.name, event) for contract in all_contracts() for event in contract.handlers}
    assert handled - {tuple(row) for row in rows} == set()
    await assert_books_agree(database, economy)


async def assert_books_agree(database: Database, economy: Economy) -> None:
    """Compare the derived rows with the model's own books."""
    rows = await dump(database)
    assert_coins_agree(rows, economy)
    assert_exchange_agrees(rows, economy)
    assert_revenue_agrees(rows, economy)
    assert_culture_agrees(rows, economy.culture)
    assert_governance_agrees(rows, economy.governance)


def table(rows: Dump, model: type[Base]) -> list[dict[str, Any]]:
    """Return a table's rows by column name."""
    columns = [column.name for column in model.__table__.columns]
    return [dict(zip(columns, row, strict=True)) for row in rows[model.__tablename__]]


def assert_coins_agree(rows: Dump, economy: Economy) -> None:
    coins = economy.coins
    tokens = table(rows, chain.Token)
    assert [row for row in rows["balances"] if row[0] != SPARK] == sorted(
        (token, holder, amount) for token, coin in coins.items() for holder, amount in coin.balances.items()
    )
    assert {tuple(row[:3]): row[3] for row in rows["allowances"] if row[0] != SPARK} == {
        (token, *parties): amount
        for token, coin in coins.items()
        for parties, amount in coin.allowances.items()
        if amount
    }
    assert {tuple(row[:2]): row[2] for row in rows["delegations"] if row[0] != SPARK} == {
        (token, delegator): delegate for token, coin in coins.items() for delegator, delegate in coin.delegates.items()
    }
    votes = {(token, account): amount for token, coin in coins.items() for account, amount in coin.votes.items()}
    assert {tuple(row[:2]): row[2] for row in rows["voting_power"] if row[0] != SPARK and row[2]} == {
        key: amount for key, amount in votes.items() if amount
    }
    last = {
        (row["token"], row["account"]): row["votes"] for row in table(rows, VoteCheckpoint) if row["token"] != SPARK
    }
    assert {key: amount for key, amount in last.items() if amount} == {key: n for key, n in votes.items() if n}
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


def assert_exchange_agrees(rows: Dump, economy: Economy) -> None:
    pools = {token: coin.pool for token, coin in economy.coins.items() if coin.pool is not None}
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
    assert {row["token"]: (row["breaker_until"], row["is_paused"]) for row in table(rows, PoolGuard)} == economy.guards
    assert {tuple(row[:2]): row[2] for row in rows["trading_exemptions"]} == economy.exemptions
    assert {tuple(row[:2]): row[2] for row in rows["trading_cooldowns"]} == economy.cooldowns


def assert_revenue_agrees(rows: Dump, economy: Economy) -> None:
    balanced = {token: coin for token, coin in economy.coins.items() if coin.contract == "BalancedCreatorToken"}
    mirrored = {row["token"]: row for row in table(rows, BalancedToken)}
    assert {
        token: tuple(
            row[of] for of in ("cumulative_revenue", "undivided_revenue", "released_supply", "vested_tokens_claimed")
        )
        for token, row in mirrored.items()
    } == {token: (coin.cumulative, coin.undivided, coin.released, coin.vested) for token, coin in balanced.items()}
    positions = {(row["token"], row["account"]): row for row in table(rows, RevenuePosition)}
    never = {"settled_revenue": 0, "settled_cumulative": 0}
    for token, coin in balanced.items():
        units = coin.units
        for account in {*units, *coin.revenue} - {token, CONTRACTS["IntegratedCreatorDEX"]}:
            position = positions.get((token, account), never)
            growth = coin.cumulative - position["settled_cumulative"]
            assert position["settled_revenue"] + units[account] * growth == coin.revenue[account]
    assert (
        Counter({creator: amount for creator, amount in rows["creator_revenue"] if amount}) == economy.creator_revenue
    )


def assert_culture_agrees(rows: Dump, culture: Culture) -> None:
    nfts = {(row["collection"], row["token_id"]): row for row in table(rows, Nft)}
    assert {token: row["owner"] for token, row in nfts.items()} == culture.owners
    assert {token: row["approved"] for token, row in nfts.items() if row["approved"] != ZERO} == {
        token: spender for token, spender in culture.approved.items() if spender != ZERO
    }
    assert {tuple(row[:3]): row[3] for row in rows["nft_operators"]} == culture.operators
    assert {
        row["drop_id"]: {
            "creator": row["creator"],
            "minted": row["minted"],
            "currency": row["payment_token"],
            "price": row["price"],
        }
        for row in table(rows, Drop)
    } == culture.drops
    assert {creator: amount for _, creator, amount in rows["drop_proceeds"] if amount} == +culture.proceeds
    assert {tuple(row[:2]): tuple(row[2:5]) for row in rows["listings"]} == culture.listings
    assert {(tuple(row[:2]), row[2]): tuple(row[3:5]) for row in rows["offers"]} == culture.offers
    assert {
        (row["collection"], row["token_id"]): {
            "seller": row["seller"],
            "bidder": row["highest_bidder"],
            "currency": row["currency"],
            "amount": row["amount"],
        }
        for row in table(rows, Auction)
    } == culture.auctions
    assert {tuple(row[:2]): row[2] for row in rows["marketplace_credits"] if row[2]} == +culture.credits
    assert {row[0]: tuple(row[2:]) for row in rows["access_rules"]} == culture.rules
    assert {tuple(row[:2]): row[3] for row in rows["access_grants"]} == culture.grants


def assert_governance_agrees(rows: Dump, governance: Governance) -> None:
    spark = next(iter(table(rows, SparkToken)), {column.name: 0 for column in SparkToken.__table__.columns})
    assert {holder: amount for token, holder, amount in rows["balances"] if token == SPARK} == +governance.balances
    assert (spark["total_supply"], spark["total_staked"]) == (governance.balances.total(), governance.stakes.total())
    assert (spark["reward_reserve"], spark["reward_rate"]) == (governance.reserve, governance.rate)
    assert {row["account"]: row["amount"] for row in table(rows, SparkStake) if row["amount"]} == +governance.stakes
    proposals = {row["proposal_id"]: row for row in table(rows, Proposal)}
    assert {
        identifier: (
            row["votes_against"],
            row["votes_for"],
            row["votes_abstain"],
            row["is_executed"],
            row["is_canceled"],
        )
        for identifier, row in proposals.items()
    } == {
        identifier: (
            *(proposal.votes[kind] for kind in range(3)),
            proposal.status == "executed",
            proposal.status == "canceled",
        )
        for identifier, proposal in governance.proposals.items()
    }
    for identifier, proposal in governance.proposals.items():
        row = proposals[identifier]
        assert row["targets"] == proposal.targets
        assert row["native_amounts"] == [str(value) for value in proposal.values]
        assert row["calldatas"] == ["0x" + calldata.hex() for calldata in proposal.calldatas]
    assert {row["operation_id"]: row["status"] for row in table(rows, TimelockOperation)} == governance.operations
    roles = {(row["address"], row["role"], row["account"]): row["is_granted"] for row in table(rows, chain.Role)}
    for (contract, role, account), is_granted in governance.roles.items():
        assert roles[CONTRACTS[contract], ROLE_NAMES.get(role, role), account] == is_granted
