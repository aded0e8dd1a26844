"""An indexer under test, and how to read what it wrote."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, delete, select

from encore.chain.deployments import Deployment, load_abi
from encore.chain.networks import Network, network_named
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.db.models import chain
from encore.db.models.base import Base, Mirrored
from encore.errors import RpcError
from indexer.errors import InconsistentNodeError
from indexer.mirror import Mirror
from indexer.registry import Registry, all_contracts
from indexer.runner import Indexer
from indexer.source import Source
from tests.indexer.node import FakeNode
from tests.indexer.world import deployment

UNCOMPARED = {"feed", "undo_entries", "blocks", "checkpoints"}
"""What tells of the way, not of the state."""

Dump = dict[str, list[tuple[Any, ...]]]


def network(node: FakeNode) -> Network:
    """A public network as the node serves it: final as far as its tag says."""
    return replace(network_named("sepolia"), chain_id=node.chain_id)


@asynccontextmanager
async def indexer_of(
    database: Database, node: FakeNode, registered: Deployment | None = None
) -> AsyncIterator[Indexer]:
    """Open an indexer as a new process would."""
    async with RpcClient([node.url], attempts=1) as rpc:
        registry = Registry(all_contracts(), load_abi)
        mirror = Mirror(database, registry, node.chain_id)
        indexer = Indexer(Source(rpc, network(node), registry.topics), mirror, registry)
        await indexer.open(registered or deployment())
        yield indexer


async def catch_up(indexer: Indexer) -> None:
    """Catch up as the loop does: faults of the node are tried again."""
    for _ in range(20):
        try:
            await indexer.catch_up()
        except (InconsistentNodeError, RpcError):
            continue
        return
    raise AssertionError("the indexer does not get anywhere")


def mirror_tables() -> list[Table]:
    """Every table that the indexer writes."""
    models = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Mirrored)]
    tables = [model.__table__ for model in models]
    return sorted((table for table in tables if isinstance(table, Table)), key=lambda table: table.name)


async def dump(database: Database) -> Dump:
    """Return the rows of every table that mirrors state."""
    tables = [table for table in mirror_tables() if table.name not in UNCOMPARED]
    async with database.read() as session:
        return {
            table.name: [tuple(row) for row in await session.all(select(table).order_by(*table.primary_key.columns))]
            for table in tables
        }


async def clear(database: Database) -> None:
    """Empty the mirror."""
    async with database.transaction() as connection:
        for table in mirror_tables():
            await connection.execute(delete(table))


async def events_told(database: Database) -> Counter[tuple[int, int, str]]:
    """Return what a subscriber who listened from the start believes to have happened, by replaying the feed."""
    told: Counter[tuple[int, int, str]] = Counter()
    async with database.read() as session:
        for entry in await session.all(select(chain.FeedEntry.__table__).order_by(chain.FeedEntry.id)):
            event = (entry.block_number, entry.log_index, entry.block_hash)
            told[event] += 1 if entry.kind == "applied" else -1
            assert told[event] in {0, 1}, f"{event} was {entry.kind} twice"
    return +told


async def events_mirrored(database: Database) -> Counter[tuple[int, int, str]]:
    """Return the events in the journal."""
    async with database.read() as session:
        rows = await session.all(select(chain.ChainEvent.__table__))
    return Counter((row.block_number, row.log_index, row.block_hash) for row in rows)
