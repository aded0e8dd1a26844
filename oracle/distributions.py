"""Shares out creators' revenue once a month, and says beforehand what that will take."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from encore.chain.outbox import Intent, enqueue
from encore.db import Database
from oracle.contracts import Contracts, encode_distribution
from oracle.repository.distributing import DISTRIBUTION_KIND, OwedRevenue, owed_revenue

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the next distribution would share out as things stand; `amount` in wei."""

    due_at: datetime
    creators: int
    amount: int


def month_of(moment: datetime) -> datetime:
    """Return when the month of `moment` began (UTC)."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(moment: datetime) -> datetime:
    """Return when the month after that of `moment` begins (UTC)."""
    first = month_of(moment)
    return first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)  # noqa: PLR2004


class Distributor:
    """Queues distributions by one oracle on one chain: the key pays what was earned, `distributeRevenue` shares it."""

    def __init__(
        self, database: Database, contracts: Contracts, chain_id: int, sender: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._contracts = contracts
        self._chain_id = chain_id
        self._sender = sender
        self._clock = clock

    async def distribute_due(self) -> int:
        """Queue what is owed of the months that are over, once per creator and month; returns how many."""
        now = self._clock()
        due = [each for each in await self._owed(month_of(now)) if each.attempts.are_over(now)]
        if not due:
            return 0
        async with self._database.transaction() as connection:
            await enqueue(connection, [self._intent(each) for each in due], now)
        for each in due:
            _log.info("queued a distribution of revenue", creator=each.wallet, wei=each.amount)
        return len(due)

    async def outlook(self) -> Outlook:
        """Return what the turn of the month will take, as far as it was earned by now."""
        due_at = next_month(self._clock())
        owed = await self._owed(due_at)
        return Outlook(due_at, len(owed), sum(each.amount for each in owed))

    async def _owed(self, before: datetime) -> list[OwedRevenue]:
        async with self._database.read() as session:
            return await owed_revenue(session, self._contracts.factory, self._chain_id, before)

    def _intent(self, owed: OwedRevenue) -> Intent:
        return Intent(
            idempotency_key=(
                f"{DISTRIBUTION_KIND}:{self._chain_id}:{self._contracts.factory}:{owed.subject}:{owed.attempts.failures}"
            ),
            kind=DISTRIBUTION_KIND,
            subject=owed.subject,
            chain_id=self._chain_id,
            sender=self._sender,
            to=self._contracts.factory,
            data=encode_distribution(owed.wallet),
            value=owed.amount,
        )
