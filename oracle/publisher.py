"""Writes counted figures to the chain: which are worth a transaction, in what batches, by way of the outbox."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog
from eth_utils.address import to_checksum_address
from sqlalchemy.ext.asyncio import AsyncConnection

from encore.chain.outbox import Intent, enqueue
from encore.chain.outbox.reverts import is_revert
from encore.chain.outbox.signer import Call
from encore.db import Row
from encore.errors import RpcError
from oracle.context import Context
from oracle.contracts import LARGEST_BATCH, encode_updates
from oracle.errors import NotAuthorisedError
from oracle.metrics import Metrics
from oracle.milestones import MILESTONES, crosses_milestone
from oracle.quorum import Moment
from oracle.repository import publishing
from oracle.repository.publishing import Published, Requirements, Standing
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


def is_worth_writing(standing: Standing, requirements: Requirements, moment: Moment, *, everything: bool) -> bool:
    """Decide whether a creator's figures are worth a transaction now.

    Creators below the first milestone whom the chain does not know, and figures that the chain has, never are, nor
    are figures that newer ones have overtaken. With `everything` (the hourly job) all others are; else those that
    reach a milestone, that make a launch possible, or whose last write failed in company: alone it may succeed.

    Where oracles must agree, nothing is while this epoch is published or reported already, nor what was reported and
    outvoted; and everything reported is that is still not published in the next epoch.
    """
    if moment.needs_agreement:
        published = standing.mirrored
        if _is_overruled(standing, moment):
            return False
        is_left_over = standing.write_failed or standing.reported is not None
        retries = is_left_over and not _is_answered(standing)
    else:
        published = standing.expected
        if published is not None and published.observed_at > moment.observed_at:
            return False
        retries = standing.write_failed and not standing.write_failed_alone
    if published is None and standing.counted.monthly_streams < MILESTONES[0]:
        return False
    opens_launch = _opens_launch(standing, published, requirements, moment.chain_time)
    if not opens_launch and standing.counted in _said(standing, published, moment):
        return False
    if everything or retries or standing.write_failed:
        return everything or retries
    before = published.metrics.monthly_streams if published else 0
    return opens_launch or crosses_milestone(before, standing.counted.monthly_streams)


def _is_overruled(standing: Standing, moment: Moment) -> bool:
    """Whether this epoch is over for the creator: published, or reported by this oracle."""
    words = (standing.mirrored, standing.reported)
    return any(word is not None and word.observed_at >= moment.observed_at for word in words)


def _is_answered(standing: Standing) -> bool:
    """Whether the epoch of this oracle's last report was published, or a later one."""
    mirrored, reported = standing.mirrored, standing.reported
    return mirrored is not None and reported is not None and mirrored.observed_at >= reported.observed_at


def _said(standing: Standing, published: Published | None, moment: Moment) -> list[Metrics]:
    """Return the figures that need not be said again: the chain's, and those for which there was no majority."""
    words = [published, standing.reported if moment.needs_agreement and _is_answered(standing) else None]
    return [word.metrics for word in words if word is not None]


def _opens_launch(standing: Standing, published: Published | None, requirements: Requirements, chain_time: int) -> bool:
    """Whether writing lets a creator launch who cannot as things stand: too low on chain, or too long ago."""
    if standing.has_coin or not _suffice(standing.counted, requirements):
        return False
    return (
        published is None
        or not _suffice(published.metrics, requirements)
        or published.observed_at + requirements.maximum_age_seconds < chain_time
    )


def _suffice(metrics: Metrics, requirements: Requirements) -> bool:
    return metrics.monthly_streams >= requirements.monthly_streams and metrics.followers >= requirements.followers


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which creators are worth a transaction at a moment, by `is_worth_writing`."""

    requirements: Requirements
    moment: Moment
    everything: bool

    def among(self, rows: Sequence[Row]) -> list[Standing]:
        """Return those worth one among the rows of `standings_of`."""
        standings = map(publishing.standing, rows)
        return [
            standing
            for standing in standings
            if is_worth_writing(standing, self.requirements, self.moment, everything=self.everything)
        ]


class Publisher:
    """Queues metrics updates."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._contracts = context.contracts

    async def publish(self, creator_ids: CreatorIds, requirements: Requirements, *, everything: bool) -> Written:
        """Queue what is worth writing of the counted figures of these creators; returns how much that was.

        Raises `NotAuthorisedError` where the chain would refuse all of it.
        """
        choice = _Choice(requirements, await self._contracts.moment(), everything)
        moment = choice.moment
        statement = publishing.standings_of(creator_ids)
        async with self._context.database.read() as session:
            chosen = choice.among(await session.all(statement))
        if not chosen:
            return Written()
        await self.check_authorised()
        chosen = await self._welcome(chosen, moment)
        welcome = {standing.creator_id for standing in chosen}
        size = await self._batch_size(chosen, moment.observed_at)
        async with self._context.database.transaction() as connection:
            await publishing.lock_published(connection)
            # Once more under the lock: another process may have queued some of it in the meantime.
            rows = (await connection.execute(statement)).all()
            chosen = [standing for standing in choice.among(rows) if standing.creator_id in welcome]
            batches = list(_batches(chosen, size, moment))
            await self._queue(connection, batches, moment.observed_at)
        _log.info("queued metrics", creators=len(chosen), transactions=len(batches))
        return Written(len(chosen), len(batches))

    async def due(self, creator_ids: CreatorIds, requirements: Requirements) -> list[Intent]:
        """Return what `publish` would queue now of everything."""
        choice = _Choice(requirements, await self._contracts.moment(), everything=True)
        moment = choice.moment
        async with self._context.database.read() as session:
            chosen = choice.among(await session.all(publishing.standings_of(creator_ids)))
        chosen = await self._welcome(chosen, moment)
        size = await self._batch_size(chosen, moment.observed_at)
        return [self._intent(batch, moment.observed_at) for batch in _batches(chosen, size, moment)]

    async def _welcome(self, chosen: list[Standing], moment: Moment) -> list[Standing]:
        """Return those whose report the chain would take now, where oracles must agree.

        One creator whom others have settled since, or whom this oracle reported before its database was restored,
        would take down the whole batch.
        """
        if not moment.needs_agreement:
            return chosen
        calls = [
            Call(self._contracts.metrics_manager, _encode([standing], moment.observed_at), 0) for standing in chosen
        ]
        taken = await self._contracts.would_succeed(self._context.sender, calls, "pending")
        welcome = [standing for standing, is_taken in zip(chosen, taken, strict=True) if is_taken]
        if len(welcome) < len(chosen):
            _log.info("the chain takes no report of some creators in this epoch", creators=len(chosen) - len(welcome))
        return welcome

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
        size = max(min(LARGEST_BATCH, len(chosen)), 1)
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


def _batches(chosen: Sequence[Standing], size: int, moment: Moment) -> Iterator[Sequence[Standing]]:
    """Cut into as few transactions as `size` allows, of about as many creators each.

    A creator whose last write failed goes alone, so that it takes nobody along again; where oracles must agree, the
    chain was asked about each of them, and a report that failed came too late.
    """
    rest = []
    for standing in chosen:
        if standing.write_failed and not moment.needs_agreement:
            yield [standing]
        else:
            rest.append(standing)
    count = -(-len(rest) // size)
    for number in range(count):
        yield rest[len(rest) * number // count : len(rest) * (number + 1) // count]


def _encode(batch: Sequence[Standing], observed_at: int) -> str:
    return encode_updates([(standing.wallet, standing.counted) for standing in batch], observed_at)
