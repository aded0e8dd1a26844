"""The loop: read a run of blocks, apply it, follow reorgs, wait for the next head."""

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from time import monotonic
from typing import Final

import structlog

from encore.chain.deployments import Deployment
from encore.errors import RpcError, RpcUnavailableError
from indexer.errors import InconsistentNodeError, OtherChainError
from indexer.heads import HeadSignal
from indexer.mirror import Mirror, Position, Segment
from indexer.registry import Registry
from indexer.reorg import find_fork
from indexer.source import Head, Header, Log, Source, log_position, suggested_span
from indexer.telemetry import Telemetry

FIRST_SPAN: Final = 50
LONGEST_SPAN: Final = 2_000
LOGS_PER_SEGMENT: Final = 6_000
"""Ranges of final blocks grow and shrink towards this many logs: enough for bulk writes, and few enough that reading,
preparing and writing begin to overlap early."""
UNDOABLE_SPAN: Final = 64
"""Blocks that are not final are read one eth_getLogs each; this many go into one request and one transaction."""
HEAD_SECONDS: Final = 5.0
"""How long a backfill goes on before the head is read again, so that it and the lag are known meanwhile."""
OBJECTS_PER_COLLECTION: Final = 200_000
"""How many objects more there may be before garbage is looked for: a segment's are all in use until it is written."""
FIRST_RETRY_SECONDS: Final = 0.02
LONGEST_RETRY_SECONDS: Final = 5.0

Fetch = Callable[[Iterable[str]], Awaitable[list[Log]]]
"""Asks for the logs of some addresses in the blocks at hand."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """Linked headers and all followed logs of them; `announced` are the contracts first seen in these."""

    headers: Sequence[Header]
    logs: Sequence[Log]
    announced: Mapping[str, str]


class Indexer:
    """Keeps one mirror equal to one chain."""

    def __init__(self, source: Source, mirror: Mirror, registry: Registry, telemetry: Telemetry | None = None) -> None:
        self._source = source
        self._mirror = mirror
        self._registry = registry
        self._telemetry = telemetry or Telemetry()
        self._span = FIRST_SPAN

    @property
    def position(self) -> Position:
        """The last block that was applied."""
        return self._mirror.position

    async def open(self, deployment: Deployment) -> None:
        """Check that chain, deployment and database belong together, and find where to go on."""
        first = min(contract.block_number for contract in deployment.contracts.values())
        genesis = await self._source.header(0)
        start = await self._source.header(max(first - 1, 0))
        await self._mirror.open(deployment, genesis.hash, start)

    async def run(self, heads: HeadSignal, last: int | None = None) -> None:
        """Follow the chain until cancelled, or to block `last`; a node's faults are told and retried, others raised."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                await self.catch_up(last)
            except (RpcError, RpcUnavailableError, InconsistentNodeError) as error:
                self._telemetry.failed(error)
                _log.warning("the chain cannot be read, trying again", reason=str(error), in_seconds=retry_seconds)
                await asyncio.sleep(retry_seconds)
                retry_seconds = min(2 * retry_seconds, LONGEST_RETRY_SECONDS)
            else:
                if last is not None and self.position.number >= last:
                    return
                retry_seconds = FIRST_RETRY_SECONDS
                await heads.wait()

    async def catch_up(self, last: int | None = None) -> None:
        """Bring the mirror to the node's head, or to block `last`, undoing what the chain has replaced."""
        while True:
            head = await self._source.head(last)
            is_level = await self._is_level(head)
            if (is_level or self.position.number < head.finalized) and not await self._rescan(head):
                continue
            if is_level:
                break
            try:
                with _rare_garbage_collection():
                    await self._mirror_up_to(head)
            finally:
                await self._mirror.settled()
        await self._mirror.build_indexes()

    async def _mirror_up_to(self, head: Head) -> None:
        """Mirror runs of blocks, for as long as it makes sense to speak of this head."""
        begun = since = monotonic()
        async with aclosing(self._runs(head)) as runs:
            async for run in runs:
                if run.headers[0].parent_hash != self.position.hash:
                    await self._follow_reorg(head)
                    break
                await self._mirror_run(head, run, since)
                since = monotonic()
                if since - begun > HEAD_SECONDS:
                    break

    async def _rescan(self, head: Head) -> bool:
        """Read the logs of blocks that have become final once more, by range, and let them be final in the mirror.

        A node that is asked near the head may leave out some of a block's logs, which no bloom shows. Blocks that lack
        logs are undone, to be mirrored again. Returns whether nothing is left to do.
        """
        if self.position.finalized >= min(head.finalized, self.position.number):
            return True
        newest_final, *blocks = await self._mirror.undoable(1 + UNDOABLE_SPAN)
        final = [block for block in blocks if block.number <= head.finalized]
        if (await self._source.header(final[-1].number)).hash != final[-1].hash:
            return True  # a reorg is to be followed first
        first, last = final[0].number, final[-1].number
        fetch = partial(self._source.logs_by_number, first, last)
        logs, announced = await self._complete(fetch, final, await fetch(self._mirror.followed), self._mirror.followed)
        followed = {**self._mirror.followed, **announced}
        mirrored = await self._mirror.log_positions(first, last)
        found = {log_position(log) for log in logs if self._registry.event_of(log, followed) is not None}
        if not found >= mirrored:
            number, _ = min(mirrored - found)
            raise InconsistentNodeError(f"the node leaves out logs of block {number} that it gave when that was new")
        if lacking := found - mirrored:
            number, _ = min(lacking)
            error = InconsistentNodeError(f"the node had left out {len(lacking)} logs from block {number} on")
            self._telemetry.failed(error)
            _log.warning("undoing blocks that lack logs", first_block=number, reason=str(error))
            await self._mirror.undo([newest_final, *blocks][number - first])
            return False
        await self._mirror.finalize(last)
        return last == min(head.finalized, self.position.number)

    async def _is_level(self, head: Head) -> bool:
        """Whether there is nothing to do.

        A head below the mirror's is a lagging node, or a local chain that was killed and lost its last second: as long
        as its hash is one that we hold, nothing contradicts the mirror. A head with another hash is a reorg.
        """
        position = self.position
        self._telemetry.saw_head(head)
        self._telemetry.stands_at(position.number, position.timestamp)
        if head.header.number > position.number:
            return False
        if head.header.hash == position.hash:
            return True
        await self._check_genesis()
        stored = (await self._mirror.hashes()).get(head.header.number)
        if stored is None or stored == head.header.hash:
            _log.debug("the node is behind the mirror", node=head.header.number, mirror=position.number)
            return True
        await self._follow_reorg(head)
        return False

    async def _runs(self, head: Head) -> AsyncGenerator[Run]:
        """Read the final blocks above the mirror, the next run while one is being written, or one run of the others."""
        first, followed = self.position.number + 1, self._mirror.followed
        ahead = asyncio.create_task(self._read_run(head, first, followed))
        try:
            while True:
                run = await ahead
                first, followed = run.headers[-1].number + 1, {**followed, **run.announced}
                if first > head.finalized:
                    yield run
                    return
                ahead = asyncio.create_task(self._read_run(head, first, followed))
                yield run
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _read_run(self, head: Head, first: int, followed: Mapping[str, str]) -> Run:
        """Read the blocks from `first` on, all final or none."""
        if first <= head.finalized:
            return await self._read_final_run(head, first, followed)
        headers = await self._read_headers(head, first, min(first + UNDOABLE_SPAN - 1, head.header.number))
        fetch = partial(self._source.logs_by_hash, headers)
        return Run(headers, *await self._complete(fetch, headers, await fetch(followed), followed))

    async def _read_final_run(self, head: Head, first: int, followed: Mapping[str, str]) -> Run:
        """Read headers and logs at the same time; ranges that the node refuses are made smaller."""
        while True:
            last = min(first + self._span - 1, head.finalized, head.header.number)
            fetch = partial(self._source.logs_by_number, first, last)
            headers, logs = await asyncio.gather(
                self._read_headers(head, first, last), fetch(followed), return_exceptions=True
            )
            if isinstance(headers, BaseException):
                raise headers
            try:
                if isinstance(logs, BaseException):
                    raise logs
                logs, announced = await self._complete(fetch, headers, logs, followed)
            except (RpcError, RpcUnavailableError) as error:
                if first == last:
                    raise
                self._telemetry.failed(error)
                blocks = 1 + last - first
                self._span = min(suggested_span(error) or blocks, blocks // 2)
                _log.info("the node refuses this range of logs", next_blocks=self._span, reason=str(error))
                continue
            self._adapt_span(len(headers), len(logs))
            return Run(headers, logs, announced)

    async def _read_headers(self, head: Head, first: int, last: int) -> list[Header]:
        """Read a run of headers; raises where they are not linked."""
        headers = [head.header] if first == head.header.number else await self._source.headers(range(first, last + 1))
        for parent, child in pairwise(headers):
            if child.parent_hash != parent.hash:
                raise InconsistentNodeError(f"block {child.number} does not follow the block {parent.number} just read")
        return headers

    async def _mirror_run(self, head: Head, run: Run, since: float) -> None:
        events = await self._mirror.apply(Segment(run.headers, run.logs, run.announced, head.finalized))
        seconds = monotonic() - since
        self._telemetry.applied(events, seconds)
        self._telemetry.stands_at(self._mirror.committed.number, self._mirror.committed.timestamp)
        behind = head.header.number - run.headers[-1].number
        _log.log(
            logging.INFO if len(run.headers) > 1 else logging.DEBUG,
            "indexed",
            block=run.headers[-1].number,
            behind=behind,
            blocks=len(run.headers),
            events=events,
            blocks_per_second=round(len(run.headers) / seconds),
            events_per_second=round(events / seconds),
            eta_seconds=round(behind * seconds / len(run.headers)),
        )

    async def _complete(
        self, fetch: Fetch, headers: Sequence[Header], logs: list[Log], followed: Mapping[str, str]
    ) -> tuple[list[Log], dict[str, str]]:
        """Verify the logs, and add those of the contracts that are announced in these very blocks."""
        logs = await self._source.verified(headers, logs, followed)
        announced: dict[str, str] = {}
        found = self._registry.announcements(logs, followed)
        while found:
            announced |= found
            added = await self._source.verified(headers, await fetch(found), found)
            logs += added
            found = self._registry.announcements(added, {**followed, **announced})
        if announced:
            logs.sort(key=log_position)
        return logs, announced

    def _adapt_span(self, blocks: int, logs: int) -> None:
        """Choose the next range by how many logs the last one had, at most twice as long."""
        fitting = blocks * LOGS_PER_SEGMENT // max(1, logs)
        self._span = max(1, min(fitting, 2 * blocks, LONGEST_SPAN))

    async def _follow_reorg(self, head: Head) -> None:
        await self._check_genesis()
        stored = await self._mirror.hashes()
        current = await self._source.headers(n for n in stored if n <= head.header.number)
        if current[-1].number == head.header.number and current[-1].hash != head.header.hash:
            raise InconsistentNodeError(f"the node's head {head.header.hash} is not a block of its own chain")
        fork = find_fork(stored, current)
        depth = self.position.number - fork.number
        if depth == 0:
            raise InconsistentNodeError("the node's next block does not follow its own last one, which the mirror has")
        events = await self._mirror.undo(fork)
        self._telemetry.undid(depth)
        _log.warning("reorg: undone", fork=fork.number, depth=depth, events=events)

    async def _check_genesis(self) -> None:
        genesis = await self._source.header(0)
        if genesis.hash != self._mirror.genesis_hash:
            raise OtherChainError(
                "the database belongs to another chain than the node now serves: "
                "run `make reset` or set ENCORE_DATABASE_URL"
            )


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Keep Python from searching the objects of a segment for cycles, again and again: they have none."""
    thresholds = gc.get_threshold()
    gc.set_threshold(OBJECTS_PER_COLLECTION, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
