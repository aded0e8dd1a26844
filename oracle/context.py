"""Whose transactions on which chain: what every part that queues transactions works with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from encore.chain.outbox import Intent, enqueue
from encore.chain.outbox.signer import Call
from encore.db import Database
from oracle.contracts import Contracts

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Context:
    """One oracle on one chain; `sender` is its key's address, lower case."""

    database: Database
    contracts: Contracts
    chain_id: int
    sender: str
    clock: Callable[[], datetime]

    def intent(self, kind: str, subject: str, call: Call, attempt: int | str) -> Intent:
        """Return the intention to send `call` once per `attempt`, which is how often it failed for good before."""
        return Intent(
            idempotency_key=f"{kind}:{self.chain_id}:{call.to}:{subject}:{attempt}",
            kind=kind,
            subject=subject,
            chain_id=self.chain_id,
            sender=self.sender,
            to=call.to,
            data=call.data,
            value=call.value,
        )

    async def queue(self, intents: Sequence[Intent]) -> int:
        """Queue intentions in one transaction; returns how many."""
        if intents:
            async with self.database.transaction() as connection:
                await enqueue(connection, intents, self.clock())
            for intent in intents:
                _log.info("queued", kind=intent.kind, subject=intent.subject, wei=intent.value)
        return len(intents)
