"""The SQL side: applies runs of blocks to the mirror and undoes them, each in one transaction with the checkpoint."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from sqlalchemy import Connection, and_, delete, exists, func, insert, select, update

from encore.chain.deployments import Deployment
from encore.db import Database
from encore.db.models.chain import (
    FEED_CHANNEL,
    Block,
    ChainEvent,
    Checkpoint,
    FeedEntry,
    IndexedContract,
    UndoEntry,
)
from encore.errors import DeploymentError
from indexer.bulk import Bulk, Row, Write
from indexer.contract import Event
from indexer.errors import MirrorError, OtherChainError
from indexer.indexes import build_indexes, drop_indexes
from indexer.registry import FollowedEvent, Registry
from indexer.reorg import undo_rows
from indexer.source import Header, Log
from indexer.state import State, table_of

FEED_LENGTH: Final = 100_000
"""Entries of the feed that are kept: a subscriber who was away for longer starts from the tables."""

CHECKPOINT_MOVED: Final = "something else moved the checkpoint; start the indexer again"
ROWS_KEPT: Final = 200_000
"""Rows that stay in memory between runs of blocks; beyond, all are dropped, and read again where they are needed."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Position:
    """Where the mirror stands. `finalized` is the newest final block that it holds."""

    number: int
    hash: str
    timestamp: int
    finalized: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of hash-linked blocks with all followed logs in order; `announced` are contracts first seen in it.

    `finalized` is the chain's newest final block when it was read.
    """

    headers: Sequence[Header]
    logs: Sequence[Log]
    announced: Mapping[str, str]
    finalized: int

    @property
    def is_final(self) -> bool:
        """Whether no block of it can be undone any more."""
        return self.headers[-1].number <= self.finalized


@dataclass(frozen=True, slots=True)
class _NewContract:
    """A contract of the deployment that is to be followed from now on."""

    address: str
    name: str
    first_block: int


class Mirror:
    """The mirror of one chain in one database.

    Invariants: the rows of a segment, its undo journal, its feed entries and the checkpoint commit together; a segment
    is applied only onto the block that its first header names as parent; nothing at or below the checkpoint's
    finalized block is ever undone.

    A final segment is written while the next one is being prepared; `settled` waits for it. What fails on the way is
    raised there or by the next `apply`, and the mirror stands where the last commit left it.
    """

    def __init__(self, database: Database, registry: Registry, chain_id: int) -> None:
        self._database = database
        self._registry = registry
        self._chain_id = chain_id
        self._bulk = Bulk(database.engine.dialect.name)
        self._state = State(self._bulk)
        self._reader = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._committed: Position | None = None
        self._position: Position | None = None
        self._writing: asyncio.Task[None] | None = None
        self._is_indexed = False
        self.genesis_hash = ""
        self.followed: dict[str, str] = {}
        """Contract names by address."""

    @property
    def position(self) -> Position:
        """The last applied block: the next segment goes on from it."""
        if self._position is None:
            raise MirrorError("the mirror has not been opened")
        return self._position

    @property
    def committed(self) -> Position:
        """The last block that readers of the database see."""
        if self._committed is None:
            raise MirrorError("the mirror has not been opened")
        return self._committed

    async def open(self, deployment: Deployment, genesis_hash: str, start: Header) -> None:
        """Read the checkpoint, or make it at `start`, the last block before the deployment.

        Raises `OtherChainError` or `DeploymentError` when the database mirrors something else.
        """
        self.genesis_hash = genesis_hash
        checkpoint = await self._database.in_thread(
            lambda connection: self._checkpoint(connection, genesis_hash, start)
        )
        self._position = self._committed = checkpoint
        new = await self._database.in_thread(lambda connection: self._unfollowed(connection, deployment))
        if new:
            await self._go_back_before(min(new, key=lambda contract: contract.first_block))
            await self._database.in_thread(lambda connection: self._follow(connection, new))
        await self._load_followed()

    async def apply(self, segment: Segment) -> int:
        """Apply a segment that extends the mirror; returns its number of events. One that is final is written later."""
        if not segment.is_final:
            await self.build_indexes()
        position = self.position
        if segment.headers[0].parent_hash != position.hash:
            raise MirrorError(f"block {segment.headers[0].number} does not follow the mirror's last, {position.hash}")
        followed = {**self.followed, **segment.announced}
        timestamps = {header.number: header.timestamp for header in segment.headers}
        events = list(self._registry.decode(segment.logs, followed, timestamps))
        last = segment.headers[-1]
        finalized = last.number if segment.is_final else position.finalized
        reached = Position(last.number, last.hash, last.timestamp, finalized)
        if len(self._state) > ROWS_KEPT:
            await self.settled()
            self._state.forget()
        try:
            async with self._reader.connect() as connection:
                writes = await connection.run_sync(lambda reader: self._prepare(reader, segment, events, reached))
            await self.settled()
        except BaseException:
            await self._go_back_to_committed()
            raise
        self._writing = asyncio.create_task(self._write(writes, position, reached))
        self._position = reached
        self.followed = followed
        if segment.is_final:
            await asyncio.sleep(0)  # the write begins now, not when the next segment is prepared
        else:
            await self.settled()
        return len(events)

    async def settled(self) -> None:
        """Wait until everything that was applied is committed."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            try:
                await asyncio.shield(writing)
            except BaseException:
                await asyncio.gather(writing, return_exceptions=True)
                await self._go_back_to_committed()
                raise

    async def build_indexes(self) -> None:
        """Build the indexes that a new mirror does without until it has loaded the chain's history."""
        if not self._is_indexed:
            await self.settled()
            await self._database.in_thread(build_indexes)
            self._is_indexed = True

    async def finalize(self, number: int) -> None:
        """Take the blocks up to `number` as final: what it would take to undo them is forgotten."""
        await self.settled()
        reached = replace(self.position, finalized=number)

        def work(connection: Connection) -> None:
            self._move_checkpoint(connection, self.position, reached)
            _prune(connection, number)

        await self._database.in_thread(work)
        self._position = self._committed = reached

    async def undoable(self, most: int | None = None) -> list[Header]:
        """Return the newest final block and the mirrored ones above it, at most so many, without their blooms."""
        async with self._database.read() as session:
            rows = await session.all(select(Block.__table__).order_by(Block.number).limit(most))
        return [Header(row.number, row.hash, row.parent_hash, row.timestamp, bloom=0) for row in rows]

    async def log_positions(self, first: int, last: int) -> set[tuple[int, int]]:
        """Return where the journal has events of these blocks: block number and log index."""
        async with self._database.read() as session:
            rows = await session.all(
                select(ChainEvent.block_number, ChainEvent.log_index).where(
                    ChainEvent.block_number.between(first, last)
                )
            )
        return {(row.block_number, row.log_index) for row in rows}

    async def undo(self, fork: Header) -> int:
        """Take back every block above `fork`, a block of the mirror; returns the number of events undone."""
        await self.settled()
        if fork.number < self.position.finalized:
            raise MirrorError(f"block {fork.number} is below the finalized block {self.position.finalized}")
        reached = replace(self.position, number=fork.number, hash=fork.hash, timestamp=fork.timestamp)
        count = await self._database.in_thread(lambda connection: self._undo(connection, reached))
        self._committed = reached
        await self._go_back_to_committed()
        return count

    async def rewind(self, number: int) -> int:
        """Undo the blocks above `number`; raises `MirrorError` where that is not among those that can be undone."""
        async with self._database.read() as session:
            row = await session.first(select(Block.__table__).where(Block.number == number))
        if row is None:
            raise MirrorError(
                f"block {number} is not between the newest final block {self.position.finalized} and the last mirrored "
                f"block {self.position.number}; to index older blocks again, index into a new database"
            )
        return await self.undo(Header(row.number, row.hash, row.parent_hash, row.timestamp, bloom=0))

    async def hashes(self) -> dict[int, str]:
        """Return the hashes of the mirrored blocks that may still be undone, and of the newest final one."""
        return {header.number: header.hash for header in await self.undoable()}

    async def _load_followed(self) -> None:
        async with self._database.read() as session:
            rows = await session.all(select(IndexedContract.address, IndexedContract.contract))
        self.followed = {row.address: row.contract for row in rows}

    async def _go_back_to_committed(self) -> None:
        """Forget what was applied and not committed."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await asyncio.gather(writing, return_exceptions=True)
        self._state.forget()
        self._position = self._committed
        await self._load_followed()

    async def _write(self, writes: Sequence[Write], position: Position, reached: Position) -> None:
        def work(connection: Connection) -> None:
            self._move_checkpoint(connection, position, reached)
            for write in writes:
                write(connection)

        await self._database.in_thread(work)
        self._committed = reached

    def _checkpoint(self, connection: Connection, genesis_hash: str, start: Header) -> Position:
        row = connection.execute(select(Checkpoint)).first()
        if row is None:
            connection.execute(
                insert(Checkpoint).values(
                    chain_id=self._chain_id,
                    genesis_hash=genesis_hash,
                    block_number=start.number,
                    block_hash=start.hash,
                    timestamp=start.timestamp,
                    finalized_block=start.number,
                )
            )
            self._bulk[table_of(Block)].insert([_block_row(start)])(connection)
            drop_indexes(connection)
            return Position(start.number, start.hash, start.timestamp, start.number)
        if row.chain_id != self._chain_id or row.genesis_hash != genesis_hash:
            raise OtherChainError(
                f"the database belongs to another chain (chain id {row.chain_id}, genesis {row.genesis_hash}; the "
                f"node serves chain id {self._chain_id}, genesis {genesis_hash}): "
                "run `make reset` or set ENCORE_DATABASE_URL"
            )
        return Position(row.block_number, row.block_hash, row.timestamp, row.finalized_block)

    def _unfollowed(self, connection: Connection, deployment: Deployment) -> list[_NewContract]:
        """Return the contracts of `deployment` that the mirror does not follow yet."""
        known = {
            row.address: row.contract
            for row in connection.execute(
                select(IndexedContract).where(IndexedContract.contract.in_(self._registry.deployed_contracts))
            )
        }
        registered = [
            _NewContract(deployment.address(name).lower(), contract, deployment.contracts[name].block_number)
            for name, contract in self._registry.deployed_in(deployment).items()
        ]
        for address in known.keys() - {contract.address for contract in registered}:
            raise DeploymentError(
                f"the database mirrors {known[address]} at {address}, which is not in the deployment registry: "
                "run `make reset` or set ENCORE_DATABASE_URL"
            )
        return [contract for contract in registered if contract.address not in known]

    async def _go_back_before(self, contract: _NewContract) -> None:
        """Undo the blocks that the mirror passed without a contract that they have."""
        if contract.first_block > self.position.number:
            return
        if contract.first_block <= self.position.finalized:
            raise DeploymentError(
                f"{contract.name} was deployed in block {contract.first_block}, which is final and which the mirror "
                "has passed without it: index into a new database "
                "(ENCORE_DATABASE_URL; `make reset` on the local chain)"
            )
        await self.rewind(contract.first_block - 1)

    def _follow(self, connection: Connection, contracts: Iterable[_NewContract]) -> None:
        for contract in contracts:
            connection.execute(
                insert(IndexedContract).values(
                    address=contract.address, contract=contract.name, first_block=contract.first_block
                )
            )

    def _prepare(
        self,
        reader: Connection,
        segment: Segment,
        events: Sequence[tuple[Event, FollowedEvent]],
        reached: Position,
    ) -> list[Write]:
        """Let the handlers work; returns what is to be written."""
        self._check_checkpoint(reader)
        state = self._state
        state.begin(reader, is_undoable=not segment.is_final)
        state.load(
            key
            for event, followed in events
            if followed.handler is not None and followed.handler.reads is not None
            for key in followed.handler.reads(event)
        )
        for event, followed in events:
            state.begin_block(event.block_number)
            if followed.deploys is not None:
                state.upsert(IndexedContract, event.args[followed.deploys.parameter]).update(
                    contract=followed.deploys.contract, first_block=event.block_number
                )
            if followed.handler is not None:
                followed.handler.apply(event, state)
        writes = state.take()
        rows = [_event_row(event, followed) for event, followed in events]
        if rows:
            writes.append(self._bulk[table_of(ChainEvent)].insert(rows))
            if not segment.is_final or _has_feed(reader):
                writes.append(self._feed("applied", rows))
        blocks = [_block_row(header) for header in segment.headers if header.number >= reached.finalized]
        writes.append(self._bulk[table_of(Block)].insert(blocks))
        if segment.is_final:
            writes.append(lambda connection: _prune(connection, reached.finalized))
        return writes

    def _undo(self, connection: Connection, reached: Position) -> int:
        self._move_checkpoint(connection, self.position, reached)
        undone = connection.execute(
            select(ChainEvent.__table__)
            .where(ChainEvent.block_number > reached.number)
            .order_by(ChainEvent.block_number.desc(), ChainEvent.log_index.desc())
        ).mappings()
        rows = [dict(row) for row in undone]
        if rows:
            self._feed("undone", rows)(connection)
        undo_rows(connection, self._bulk, reached.number)
        connection.execute(delete(Block).where(Block.number > reached.number))
        return len(rows)

    def _check_checkpoint(self, reader: Connection) -> None:
        """Fail where somebody else moved the checkpoint: the rows are not those that we know then."""
        ours = {self.committed.hash, self.position.hash}  # what is being written may be committed while we ask
        asked = select(Checkpoint.block_hash).where(Checkpoint.chain_id == self._chain_id)
        if reader.execute(asked).scalar_one_or_none() not in ours:
            raise MirrorError(CHECKPOINT_MOVED)

    def _move_checkpoint(self, connection: Connection, position: Position, reached: Position) -> None:
        """Move the checkpoint from `position`, where this process knows it to be, or fail: somebody else moved it."""
        moved = connection.execute(
            update(Checkpoint)
            .where(and_(Checkpoint.chain_id == self._chain_id, Checkpoint.block_hash == position.hash))
            .values(
                block_number=reached.number,
                block_hash=reached.hash,
                timestamp=reached.timestamp,
                finalized_block=reached.finalized,
            )
        )
        if moved.rowcount != 1:
            raise MirrorError(CHECKPOINT_MOVED)

    def _feed(self, kind: str, rows: Iterable[Row]) -> Write:
        insert = self._bulk[table_of(FeedEntry)].insert([{**row, "kind": kind} for row in rows])

        def write(connection: Connection) -> None:
            insert(connection)
            newest = connection.execute(select(func.max(FeedEntry.id))).scalar_one()
            connection.execute(delete(FeedEntry).where(FeedEntry.id <= newest - FEED_LENGTH))
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_notify(FEED_CHANNEL, "")))  # delivered on commit

        return write


def _prune(connection: Connection, finalized: int) -> None:
    """Forget how to undo what is final."""
    connection.execute(delete(Block).where(Block.number < finalized))
    connection.execute(delete(UndoEntry).where(UndoEntry.block_number <= finalized))


def _has_feed(connection: Connection) -> bool:
    return bool(connection.execute(select(exists(select(FeedEntry.id)))).scalar_one())


def _event_row(event: Event, followed: FollowedEvent) -> Row:
    return {
        "block_number": event.block_number,
        "log_index": event.log_index,
        "block_hash": event.block_hash,
        "transaction_hash": event.transaction_hash,
        "address": event.address,
        "contract": event.contract,
        "name": event.name,
        "args": followed.decoder.journalled(event.args),
        "timestamp": event.timestamp,
    }


def _block_row(header: Header) -> Row:
    return {
        "number": header.number,
        "hash": header.hash,
        "parent_hash": header.parent_hash,
        "timestamp": header.timestamp,
    }
