"""Releases a coin's held supply once its creator has grown enough."""

from collections.abc import Callable
from datetime import datetime

import structlog

from encore.chain.outbox import Intent, enqueue
from encore.chain.outbox.signer import Call
from encore.db import Database
from oracle.contracts import Contracts, encode_release
from oracle.repository.releasing import RELEASE_KIND, ReleaseCandidate, release_candidates

_log = structlog.get_logger(__name__)


class Releaser:
    """Queues releases by one oracle on one chain. The coin itself decides: it is asked before gas is spent."""

    def __init__(
        self, database: Database, contracts: Contracts, chain_id: int, sender: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._contracts = contracts
        self._chain_id = chain_id
        self._sender = sender
        self._clock = clock
        self._refused: dict[str, int] = {}

    async def release_due(self) -> int:
        """Queue a release for every coin that would grant one; returns how many."""
        chain_time = await self._contracts.chain_time()
        async with self._database.read() as session:
            candidates = await release_candidates(session, self._chain_id, chain_time)
        now = self._clock()
        asked = [
            candidate
            for candidate in candidates
            if candidate.attempts.are_over(now) and self._refused.get(candidate.subject) != candidate.metrics_block
        ]
        if not asked:
            return 0
        granted = await self._contracts.would_succeed(
            self._sender, [Call(candidate.token, encode_release(), 0) for candidate in asked]
        )
        due = []
        for candidate, would_release in zip(asked, granted, strict=True):
            if would_release:
                due.append(candidate)
            else:
                self._refused[candidate.subject] = candidate.metrics_block
        async with self._database.transaction() as connection:
            await enqueue(connection, [self._intent(candidate) for candidate in due], now)
        for candidate in due:
            _log.info("queued a release of supply", token=candidate.token)
        return len(due)

    def _intent(self, candidate: ReleaseCandidate) -> Intent:
        return Intent(
            idempotency_key=f"{RELEASE_KIND}:{self._chain_id}:{candidate.subject}:{candidate.attempts.failures}",
            kind=RELEASE_KIND,
            subject=candidate.subject,
            chain_id=self._chain_id,
            sender=self._sender,
            to=candidate.token,
            data=encode_release(),
        )
