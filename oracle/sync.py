"""A sync: count what happened, keep it, and queue what is worth writing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from encore.db import Database
from oracle.metrics import metrics_of
from oracle.publisher import Publisher, Written
from oracle.repository import activity, publishing
from oracle.repository.sql import CreatorIds


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did."""

    counted: int
    written: Written


class Sync:
    """Counts from one database, publishes by one publisher."""

    def __init__(self, database: Database, publisher: Publisher, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._publisher = publisher
        self._clock = clock

    async def run(self, creator_ids: CreatorIds = None, *, everything: bool) -> Synced:
        """Sync these creators, or all for None; see `is_worth_writing` for `everything`.

        Raises `NotAuthorisedError` where the chain would refuse what is to be written.
        """
        now = self._clock()
        async with self._database.read() as session:
            counted = await activity.activity(session, now, creator_ids)
            requirements = await publishing.requirements(session)
        async with self._database.transaction() as connection:
            await activity.save_counted(
                connection,
                [(creator_id, metrics_of(found), found.unique_listeners) for creator_id, found in counted.items()],
                now,
            )
        if requirements is None:  # the mirror is not there yet, so nothing is known of the chain
            return Synced(len(counted), Written())
        return Synced(len(counted), await self._publisher.publish(creator_ids, requirements, everything=everything))
