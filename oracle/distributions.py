"""Shares out creators' revenue once a month, and says beforehand what that will take."""

from dataclasses import dataclass
from datetime import datetime

from encore.chain.outbox import Intent
from encore.chain.outbox.signer import Call
from oracle.context import Context
from oracle.contracts import encode_distribution
from oracle.repository.distributing import DISTRIBUTION_KIND, OwedRevenue, owed_revenue


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
    """Queues distributions: the key pays what was earned, `distributeRevenue` shares it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def distribute_due(self) -> int:
        """Queue what is owed of the months that are over, once per creator and month; returns how many."""
        return await self._context.queue(await self.due())

    async def due(self) -> list[Intent]:
        """Return the distributions of the months that are over; none where this key is no launcher.

        Of several oracles, each with an outbox of its own, one alone may pay: the one that also launches.
        """
        now = self._context.clock()
        factory = self._context.contracts.factory
        if not await self._context.contracts.is_launcher(self._context.sender):
            return []
        return [
            self._context.intent(
                DISTRIBUTION_KIND,
                owed.subject,
                Call(factory, encode_distribution(owed.wallet), owed.amount),
                owed.attempts.failures,
            )
            for owed in await self._owed(month_of(now))
            if owed.attempts.are_over(now)
        ]

    async def outlook(self) -> Outlook:
        """Return what the turn of the month will take, as far as it was earned by now."""
        due_at = next_month(self._context.clock())
        owed = await self._owed(due_at)
        return Outlook(due_at, len(owed), sum(each.amount for each in owed))

    async def _owed(self, before: datetime) -> list[OwedRevenue]:
        async with self._context.database.read() as session:
            return await owed_revenue(session, self._context.contracts.factory, self._context.chain_id, before)
