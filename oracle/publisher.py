"""Writes counted figures to the chain: which are worth a transaction, in what batches, by way of the outbox."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import structlog
from eth_utils.address import to_checksum_address
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.chain.outbox import Intent, enqueue
from encore.chain.outbox.reverts import is_revert
from encore.chain.outbox.signer import Call
from encore.errors import RpcError
from oracle.context import Context
from oracle.contracts import LARGEST_BATCH, encode_updates
from oracle.errors import NotAuthorisedError
from oracle.metrics import Metrics
from oracle.milestones import MILESTONES, crosses_milestone
from oracle.repository import publishing
from oracle.repository.publishing import Requirements, Standing
from oracle.repository.sql import CreatorIds

METRICS_KIND: Final = "metrics"
MOST_TRANSACTION_GAS: Final = 2**24
"""What Ethereum lets one transaction use since Osaka (EIP-7825)."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What one run of the publisher queued."""

    creators: int = 0
    transactions: int = 0


def is_worth_writing(standing: Standing, requirements: Requirements, chain_time: int, *, everything: bool) -> bool:
    """Decide whether a creator's figures are worth a transaction now.

    Creators below the first milestone whom the chain does not know, and figures that the chain has, never are, nor
    are figures that newer ones have overtaken. With `everything` (the hourly job) all others are; else those that
    reach a milestone, that make a launch possible, or whose last write failed in company: alone it may succeed.
    """
    if standing.published is not None and standing.published.observed_at > chain_time:
        return False
    if standing.published is None and standing.counted.monthly_streams < MILESTONES[0]:
        return False
    opens_launch = _opens_launch(standing, requirements, chain_time)
    if standing.published is not None and standing.published.metrics == standing.counted and not opens_launch:
        return False
    if everything:
        return True
    if standing.write_failed:
        return not standing.write_failed_alone
    before = standing.published.metrics.monthly_streams if standing.published else 0
    return opens_launch or crosses_milestone(before, standing.counted.monthly_streams)


def _opens_launch(standing: Standing, requirements: Requirements, chain_time: int) -> bool:
    """Whether writing lets a creator launch who cannot as things stand: too low on chain, or too long ago."""
    if standing.has_coin or not _suffice(standing.counted, requirements):
        return False
    published = standing.published
    return (
        published is None
        or not _suffice(published.metrics, requirements)
        or published.observed_at + requirements.maximum_age_seconds < chain_time
    )


def _suffice(metrics: Metrics, requirements: Requirements) -> bool:
    return metrics.monthly_streams >= requirements.monthly_streams and metrics.followers >= requirements.followers


class Publisher:
    """Queues metrics updates."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._contracts = context.contracts

    async def publish(self, creator_ids: CreatorIds, requirements: Requirements, *, everything: bool) -> Written:
        """Queue what is worth writing of the counted figures of these creators; returns how much that was.

        Raises `NotAuthorisedError` where the chain would refuse all of it.
        """
        observed_at = await self._contracts.chain_time()
        statement = publishing.standings_of(creator_ids)

        def choose(rows: Sequence[Row[Any]]) -> list[Standing]:
            return [
                standing
                for standing in map(publishing.standing, rows)
                if is_worth_writing(standing, requirements, observed_at, everything=everything)
            ]

        async with self._context.database.read() as session:
            chosen = choose(await session.all(statement))
        if not chosen:
            return Written()
        await self.check_authorised()
        size = await self._batch_size(chosen, observed_at)
        async with self._context.database.transaction() as connection:
            await publishing.lock_published(connection)
            # Once more under the lock: another process may have queued some of it in the meantime.
            chosen = choose((await connection.execute(statement)).all())
            batches = list(_batches(chosen, size))
            await self._queue(connection, batches, observed_at)
        _log.info("queued metrics", creators=len(chosen), transactions=len(batches))
        return Written(len(chosen), len(batches))

    async def check_authorised(self) -> None:
        """Raise `NotAuthorisedError` unless the metrics manager takes reports from this key."""
        if not await self._contracts.is_oracle(self._context.sender):
            raise NotAuthorisedError(
                f"{to_checksum_address(self._context.sender)} is no authorised oracle of the metrics manager at "
                f"{to_checksum_address(self._contracts.metrics_manager)}; the owner authorises it with "
                "`ape run grant_oracle`"
            )

    async def _batch_size(self, chosen: Sequence[Standing], observed_at: int) -> int:
        """Return how many creators fit a transaction that takes at most half a block: networks differ in gas."""
        most_gas = min(await self._contracts.block_gas_limit() // 2, MOST_TRANSACTION_GAS)
        size = min(LARGEST_BATCH, len(chosen))
        while size > 1 and not await self._fits(chosen[:size], observed_at, most_gas):
            size = (size + 1) // 2
        return size

    async def _fits(self, batch: Sequence[Standing], observed_at: int, most_gas: int) -> bool:
        try:
            return await self._contracts.update_gas(self._context.sender, _encode(batch, observed_at)) <= most_gas
        except RpcError as error:
            # Too much for a whole block is an error too. A revert is none of this method's business: the outbox
            # estimates again, and keeps the reason with the entry.
            return is_revert(error)

    async def _queue(
        self, connection: AsyncConnection, batches: Sequence[Sequence[Standing]], observed_at: int
    ) -> None:
        intents = [self._intent(batch, observed_at) for batch in batches]
        outbox_ids = await enqueue(connection, intents, self._context.clock())
        await publishing.save_published(
            connection,
            [(standing, outbox_id) for batch, outbox_id in zip(batches, outbox_ids, strict=True) for standing in batch],
            observed_at,
        )

    def _intent(self, batch: Sequence[Standing], observed_at: int) -> Intent:
        data = _encode(batch, observed_at)
        return self._context.intent(
            METRICS_KIND,
            batch[0].wallet if len(batch) == 1 else f"{len(batch)} creators",
            Call(self._contracts.metrics_manager, data, 0),
            sha256(data.encode()).hexdigest(),
        )


def _batches(chosen: Sequence[Standing], size: int) -> Iterator[Sequence[Standing]]:
    """Cut into transactions; a creator whose last write failed goes alone, so that it takes nobody along again."""
    for standing in chosen:
        if standing.write_failed:
            yield [standing]
    rest = [standing for standing in chosen if not standing.write_failed]
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def _encode(batch: Sequence[Standing], observed_at: int) -> str:
    return encode_updates([(standing.wallet, standing.counted) for standing in batch], observed_at)
