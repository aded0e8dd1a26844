"""Launches a creator's coin once the chain says that its requirements are met."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime

import structlog
from eth_utils.address import to_checksum_address

from encore.chain.outbox import Intent, enqueue
from encore.db import Database
from oracle.contracts import (
    DESCRIPTION_BYTES,
    IMAGE_URL_BYTES,
    NAME_BYTES,
    SYMBOL_BYTES,
    Coin,
    Contracts,
    encode_launch,
)
from oracle.repository.launching import LAUNCH_KIND, LaunchCandidate, launch_candidates

_log = structlog.get_logger(__name__)


def coin_for(candidate: LaunchCandidate) -> Coin:
    """Name a creator's coin, within what the contract takes.

    The symbol is made of the name's ASCII letters and digits, accents taken off, upper case, at most 10 of them:
    "Sigur Rós" gives SIGURROS. A name without any gives C and the creator's id. Symbols need not be unique on chain.
    """
    name = _cut(candidate.name, NAME_BYTES) or f"Creator {candidate.creator_id}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    symbol = re.sub(r"[^A-Z0-9]", "", plain.upper())[:SYMBOL_BYTES] or f"C{candidate.creator_id}"[:SYMBOL_BYTES]
    return Coin(
        name=name,
        symbol=symbol,
        description=_cut(candidate.description, DESCRIPTION_BYTES),
        # Half of a URL leads nowhere, or elsewhere.
        image_url=candidate.image_url if len(candidate.image_url.encode()) <= IMAGE_URL_BYTES else "",
    )


def _cut(value: str, most_bytes: int) -> str:
    """Cut to whole characters within `most_bytes` of UTF-8, without control characters and outer blanks."""
    printable = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in value)
    return printable.strip().encode()[:most_bytes].decode(errors="ignore").strip()


class Launcher:
    """Queues launches of one oracle on one chain."""

    def __init__(
        self, database: Database, contracts: Contracts, chain_id: int, sender: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._contracts = contracts
        self._chain_id = chain_id
        self._sender = sender
        self._clock = clock
        self._lacks_role = False

    async def launch_due(self) -> int:
        """Queue a launch for everyone who may have one and has none; returns how many."""
        async with self._database.read() as session:
            candidates = await launch_candidates(session, self._contracts.factory, self._chain_id)
        now = self._clock()
        due = [
            candidate
            for candidate in candidates
            if candidate.attempts.are_over(now) and await self._contracts.meets_launch_requirements(candidate.wallet)
        ]
        if not due or not await self._may_launch():
            return 0
        seed = await self._contracts.minimum_seed()
        async with self._database.transaction() as connection:
            await enqueue(connection, [self._intent(candidate, seed) for candidate in due], now)
        for candidate in due:
            _log.info("queued a launch", creator=candidate.name, wallet=candidate.wallet, seed_wei=seed)
        return len(due)

    async def _may_launch(self) -> bool:
        lacks_role = not await self._contracts.is_launcher(self._sender)
        if lacks_role and not self._lacks_role:
            _log.error(
                "coins are due but this key may not launch them; the owner of the factory allows it with setLauncher",
                key=to_checksum_address(self._sender),
                factory=to_checksum_address(self._contracts.factory),
            )
        self._lacks_role = lacks_role
        return not lacks_role

    def _intent(self, candidate: LaunchCandidate, seed: int) -> Intent:
        # The count of failures is part of the key: a launch that failed for good may be tried anew, once.
        return Intent(
            idempotency_key=(
                f"{LAUNCH_KIND}:{self._chain_id}:{self._contracts.factory}:{candidate.wallet}:{candidate.attempts.failures}"
            ),
            kind=LAUNCH_KIND,
            subject=candidate.wallet,
            chain_id=self._chain_id,
            sender=self._sender,
            to=self._contracts.factory,
            data=encode_launch(candidate.wallet, coin_for(candidate)),
            value=seed,
        )
