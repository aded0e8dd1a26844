"""Releases a coin's held supply once its creator has grown enough."""

from encore.chain.outbox import Intent
from encore.chain.outbox.signer import Call
from oracle.context import Context
from oracle.contracts import encode_release
from oracle.repository.releasing import RELEASE_KIND, release_candidates


class Releaser:
    """Queues releases. The coin itself decides: it is asked before gas is spent."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refused: dict[str, int] = {}

    async def release_due(self) -> int:
        """Queue a release for every coin that would grant one; returns how many."""
        return await self._context.queue(await self.due())

    async def due(self) -> list[Intent]:
        """Return the releases that their coins would grant now."""
        async with self._context.database.read() as session:
            candidates = await release_candidates(session, self._context.chain_id)
        now = self._context.clock()
        asked = [
            candidate
            for candidate in candidates
            if candidate.attempts.are_over(now) and self._refused.get(candidate.subject) != candidate.metrics_block
        ]
        calls = [Call(candidate.token, encode_release(), 0) for candidate in asked]
        granted = await self._context.contracts.would_succeed(self._context.sender, calls)
        due = []
        for candidate, call, would_release in zip(asked, calls, granted, strict=True):
            if would_release:
                due.append(self._context.intent(RELEASE_KIND, candidate.subject, call, candidate.attempts.failures))
            else:
                self._refused[candidate.subject] = candidate.metrics_block
        return due
