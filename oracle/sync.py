"""A sync: count what happened, keep it, and queue what is worth writing."""

from dataclasses import dataclass

from encore.chain.outbox import Intent
from oracle.context import Context
from oracle.metrics import metrics_of
from oracle.publisher import Publisher, Written
from oracle.repository import activity, publishing, state
from oracle.repository.publishing import Requirements
from oracle.repository.sql import CreatorIds


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did."""

    counted: int
    written: Written


class Sync:
    """Counts from one database, publishes by one publisher."""

    def __init__(self, context: Context, publisher: Publisher) -> None:
        self._context = context
        self._publisher = publisher

    async def run(self, creator_ids: CreatorIds = None, *, everything: bool) -> Synced:
        """Sync these creators, or all for None; see `is_worth_writing` for `everything`.

        Raises `NotAuthorisedError` where the chain would refuse what is to be written.
        """
        counted, requirements = await self._count(creator_ids)
        if requirements is None:
            return Synced(counted, Written())
        written = await self._publisher.publish(creator_ids, requirements, everything=everything)
        if everything and creator_ids is None:
            async with self._context.database.transaction() as connection:
                await state.save_synced(connection, self._context.chain_id, self._context.clock())
        return Synced(counted, written)

    async def due(self, creator_ids: CreatorIds = None) -> list[Intent]:
        """Count, and return what a sync of everything would queue now."""
        _, requirements = await self._count(creator_ids)
        return [] if requirements is None else await self._publisher.due(creator_ids, requirements)

    async def _count(self, creator_ids: CreatorIds) -> tuple[int, Requirements | None]:
        """Count and keep; without requirements the mirror is not there yet, and nothing is known of the chain."""
        now = self._context.clock()
        async with self._context.database.read() as session:
            counted = await activity.activity(session, now, creator_ids)
            requirements = await publishing.requirements(session)
        async with self._context.database.transaction() as connection:
            await activity.save_counted(
                connection,
                [(creator_id, metrics_of(found), found.unique_listeners) for creator_id, found in counted.items()],
                now,
            )
        return len(counted), requirements
