"""How something went through the outbox before: whether it is under way, how often it failed, when to try again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, case, func, select

from encore.chain.outbox import Status
from encore.db.models.outbox import OutboxEntry

FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What failed so far of one intention; none of it is under way."""

    failures: int = 0
    last_failure: datetime | None = None

    def are_over(self, now: datetime) -> bool:
        """Whether it may be tried (again): 1, 2, 4 … minutes after the last failure, at most an hour."""
        if self.last_failure is None:
            return True
        doublings = min(self.failures - 1, 10)
        return now - self.last_failure >= min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def attempts_at(kind: str, chain_id: int) -> CTE:
    """Sum up the outbox entries of a kind by `subject`."""
    return (
        select(
            OutboxEntry.subject,
            OutboxEntry.to_address,
            func.count().label("failures"),
            func.max(OutboxEntry.updated_at).label("last_failure"),
            func.sum(case((OutboxEntry.status != Status.FAILED, 1), else_=0)).label("under_way"),
        )
        .where(OutboxEntry.kind == kind, OutboxEntry.chain_id == chain_id)
        .group_by(OutboxEntry.subject, OutboxEntry.to_address)
        .cte(f"{kind}s_sent")
    )


def attempts_columns(attempts: CTE) -> list[ColumnElement[Any]]:
    """Select what `attempts_in` reads back, from an outer join with `attempts_at`."""
    return [func.coalesce(attempts.c.failures, 0).label("failures"), attempts.c.last_failure]


def attempts_in(row: Any) -> Attempts:
    """Read what `attempts_columns` selected."""
    return Attempts(row.failures, row.last_failure)


def none_under_way(attempts: CTE) -> ColumnElement[bool]:
    """Return the condition that nothing of it is on its way or done."""
    return func.coalesce(attempts.c.under_way, 0) == 0
