"""Launches a creator's coin once the chain says that its requirements are met."""

import re
import unicodedata

import structlog
from eth_utils.address import to_checksum_address

from encore.chain.outbox import Intent
from encore.chain.outbox.signer import Call
from oracle.context import Context
from oracle.contracts import DESCRIPTION_BYTES, IMAGE_URL_BYTES, NAME_BYTES, SYMBOL_BYTES, Coin, encode_launch
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
    """Queues launches."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lacks_role = False

    async def launch_due(self) -> int:
        """Queue a launch for everyone who may have one and has none; returns how many."""
        return await self._context.queue(await self.due())

    async def due(self) -> list[Intent]:
        """Return the launches that the chain would grant now; none where this key may not launch."""
        contracts, now = self._context.contracts, self._context.clock()
        async with self._context.database.read() as session:
            candidates = await launch_candidates(session, contracts.factory, self._context.chain_id)
        granted = [
            candidate
            for candidate in candidates
            if candidate.attempts.are_over(now) and await contracts.meets_launch_requirements(candidate.wallet)
        ]
        if not granted or not await self._may_launch():
            return []
        seed = await contracts.minimum_seed()
        return [self._intent(candidate, seed) for candidate in granted]

    async def _may_launch(self) -> bool:
        contracts, sender = self._context.contracts, self._context.sender
        lacks_role = not await contracts.is_launcher(sender)
        if lacks_role and not self._lacks_role:
            _log.error(
                "coins are due but this key may not launch them; the owner of the factory allows it with setLauncher",
                key=to_checksum_address(sender),
                factory=to_checksum_address(contracts.factory),
            )
        self._lacks_role = lacks_role
        return not lacks_role

    def _intent(self, candidate: LaunchCandidate, seed: int) -> Intent:
        call = Call(self._context.contracts.factory, encode_launch(candidate.wallet, coin_for(candidate)), seed)
        return self._context.intent(LAUNCH_KIND, candidate.wallet, call, candidate.attempts.failures)
