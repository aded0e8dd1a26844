"""Carries outbox entries to the chain: sign, store, broadcast, and watch until final.

Every step can be repeated: a crash between any two leaves rows from which the next round goes on. What was signed is
stored before it is broadcast and only ever broadcast again, so the chain's own nonce makes each entry happen once.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from encore.chain.outbox.budget import Spending
from encore.chain.outbox.fees import FeePolicy, Fees
from encore.chain.outbox.node import Head, Node, Receipt
from encore.chain.outbox.queue import Status
from encore.chain.outbox.reverts import is_revert, revert_reason
from encore.chain.outbox.signer import SignedTransaction, Signer
from encore.chain.outbox.store import OutboxStore, Travelling, Waiting
from encore.db import Database
from encore.errors import RpcError

# Nodes keep at least this many waiting transactions of one account (geth's txpool.accountslots).
MAX_IN_FLIGHT: Final = 16
REBROADCAST_SECONDS: Final = 5.0
SHORTEST_STUCK_SECONDS: Final = 30.0
STUCK_BLOCKS: Final = 10
FIRST_HOLD_SECONDS: Final = 1.0
LONGEST_HOLD_SECONDS: Final = 30.0

_TOO_CHEAP: Final = ("underpriced", "less than block base fee", "fee too low")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a round left open, and whether it changed anything."""

    pending: int
    sent: int
    changed: bool

    @property
    def is_idle(self) -> bool:
        """Whether every entry was decided."""
        return self.pending == 0 and self.sent == 0


class _RefusedError(Exception):
    """An entry can never be sent, for this reason."""


class _ObstacleError(Exception):
    """Nothing can be sent now, for this reason."""


class OutboxSender:
    """Sends the outbox of one key on one network. One process at a time: the caller holds the leader's lock.

    Without a `signer`, for a key that is lost or given up, it only sees through what was signed.
    """

    def __init__(
        self,
        database: Database,
        node: Node,
        signer: Signer | None,
        fee_policy: FeePolicy,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        network = node.network
        self._node = node
        self._store = OutboxStore(database, network.chain_id, node.sender, clock)
        self._signer = signer
        self._fee_policy = fee_policy
        self._clock = clock
        self._stuck_seconds = max(SHORTEST_STUCK_SECONDS, STUCK_BLOCKS * network.block_seconds)
        self._checked_head = ""
        self._broadcast_at: dict[int, float] = {}
        self._too_cheap: set[int] = set()
        self._displaced_in: dict[int, Head] = {}
        self._held_until = -math.inf
        self._hold_seconds = FIRST_HOLD_SECONDS

    async def run_once(self, *, sends: bool = True) -> Progress:
        """Do one round; raises `RpcUnavailableError` while no node answers.

        Without `sends` pending entries stay where they are, and only what was signed already is seen through.
        """
        head = await self._node.head()
        changed = await self._watch_mined(head)
        changed |= await self._settle(head)
        await self._push(head)
        if sends and self._signer is not None:
            changed |= await self._send_waiting(head, self._signer)
        return await self.progress(changed=changed)

    async def progress(self, *, changed: bool = False) -> Progress:
        """Tell what is open, without doing anything."""
        counts = await self._store.counts()
        return Progress(counts.get(Status.PENDING, 0), counts.get(Status.SENT, 0), changed)

    async def unsettled(self) -> int:
        """Return how many entries were signed and are not known to be final."""
        return await self._store.unsettled()

    async def hand_over(self, sender: str) -> int:
        """Let another key (its address in lower case) send what waits; returns how many entries."""
        return await self._store.hand_over(sender)

    async def spending(self) -> Spending:
        """Sum up the gas of this day (UTC)."""
        return await self._store.spending()

    async def _watch_mined(self, head: Head) -> bool:
        """Compare the blocks of mined entries with the chain, whenever it moved."""
        if head.hash == self._checked_head:
            return False
        changed = False
        if lost := await self._store.record_lost(await self._node.nonces_used()):
            _log.warning("the chain forgot mined transactions, sending them again", transactions=lost)
            changed = True
        mined = await self._store.mined()
        canonical = await self._node.canonical_hashes({entry.block_number for entry in mined})
        undone = [entry.id for entry in mined if canonical[entry.block_number] != entry.block_hash]
        if undone:
            _log.warning("a reorg undid mined transactions, sending them again", transactions=len(undone))
            await self._store.record_undone(undone)
            changed = True
        final = [entry.id for entry in mined if entry.block_number <= head.finalized and entry.id not in undone]
        if final:
            await self._store.record_final(final)
        self._checked_head = head.hash
        return changed

    async def _settle(self, head: Head) -> bool:
        """Look for the receipts of everything that is on its way."""
        entries = await self._store.travelling()
        if not entries:
            return False
        settlement = await self._node.settlement([attempt.hash for entry in entries for attempt in entry.attempts])
        outcomes: list[tuple[int, Receipt, str | None]] = []
        released = False
        for entry in entries:
            mined = (settlement.receipts.get(attempt.hash) for attempt in entry.attempts)
            receipt = next(filter(None, mined), None)
            if receipt is not None:
                outcomes.append((entry.id, receipt, await self._verdict(entry, receipt)))
                self._forget(entry.id)
            elif entry.nonce < settlement.nonces_used:
                released |= await self._release_displaced(entry, head)
        if outcomes:
            await self._store.record_mined(outcomes)
            self._checked_head = ""  # they may be final already, and a development chain may stand still
        return released or bool(outcomes)

    async def _release_displaced(self, entry: Travelling, head: Head) -> bool:
        """Give an entry another nonce once it is final that a transaction which is not ours used its own.

        Its nonce was used by the block in which that was first seen: when this very block is final, so is the loss.
        """
        seen_in = self._displaced_in.setdefault(entry.id, head)
        if seen_in.number > head.finalized:
            return False
        if (await self._node.canonical_hashes({seen_in.number}))[seen_in.number] != seen_in.hash:
            del self._displaced_in[entry.id]
            return False
        reason = f"nonce {entry.nonce} was used by a transaction that is not ours"
        _log.warning("choosing another nonce", outbox_id=entry.id, reason=reason)
        await self._store.release_nonce(entry.id, reason)
        self._forget(entry.id)
        return True

    async def _verdict(self, entry: Travelling, receipt: Receipt) -> str | None:
        if receipt.succeeded:
            _log.info("confirmed", outbox_id=entry.id, kind=entry.kind, subject=entry.subject, nonce=entry.nonce)
            return None
        reason = await self._node.why_reverted(entry.call, receipt.block_number)
        _log.error("reverted", outbox_id=entry.id, kind=entry.kind, subject=entry.subject, reason=reason)
        return reason

    async def _push(self, head: Head) -> None:
        """Broadcast again what has no receipt after a while, and outbid what is stuck."""
        for position, entry in enumerate(await self._store.travelling()):
            if time.monotonic() - self._broadcast_at.get(entry.id, -math.inf) < REBROADCAST_SECONDS:
                continue
            if self._is_stuck(entry, is_next=position == 0):
                await self._replace(entry, head)
            else:
                await self._broadcast(entry.id, entry.attempts[-1].raw)

    def _is_stuck(self, entry: Travelling, *, is_next: bool) -> bool:
        if entry.id in self._too_cheap:
            return True
        age = (self._clock() - entry.attempts[-1].signed_at).total_seconds()
        return is_next and age > self._stuck_seconds

    async def _replace(self, entry: Travelling, head: Head) -> None:
        last = entry.attempts[-1]
        if self._signer is None:
            await self._broadcast(entry.id, last.raw)
            return
        fees = self._fee_policy.replacement(last.fees, head.base_fee, head.tip)
        if fees is None:
            _log.warning("a stuck transaction already offers as much as the cap allows", outbox_id=entry.id)
            await self._broadcast(entry.id, last.raw)
            return
        more = max(last.gas_limit * fees.max_fee_per_gas - entry.most, 0)
        objection = self._fee_policy.budget.objection(await self._store.spending(), more, entry.kind)
        if objection is not None:
            _log.warning("a stuck transaction cannot be outbid", outbox_id=entry.id, reason=objection)
            await self._broadcast(entry.id, last.raw)
            return
        _log.info("replacing a stuck transaction", outbox_id=entry.id, nonce=entry.nonce, fees=fees)
        signed = self._signer.sign(entry.call, nonce=entry.nonce, gas_limit=last.gas_limit, fees=fees)
        await self._store_and_broadcast(entry.id, entry.nonce, signed, last.gas_limit, fees)

    async def _send_waiting(self, head: Head, signer: Signer) -> bool:
        """Give nonces to pending entries, in order, as many as may be on their way at a time."""
        if time.monotonic() < self._held_until:
            return False
        in_flight = (await self._store.counts()).get(Status.SENT, 0)
        waiting = await self._store.waiting(max(MAX_IN_FLIGHT - in_flight, 0), self._fee_policy.budget.urgent)
        if not waiting:
            return False
        fees = self._fee_policy.first(head.base_fee, head.tip)
        if fees is None:
            await self._hold(waiting[0], f"the base fee, {head.base_fee} wei, is above the cap on fees")
            return False
        nonce = await self._store.next_nonce(await self._node.nonces_used())
        spending = await self._store.spending()
        for entry in waiting:
            try:
                gas_limit = await self._affordable_gas(entry, head, fees, spending)
            except _RefusedError as refusal:
                await self._refuse(entry, str(refusal))
            except _ObstacleError as obstacle:
                await self._hold(entry, str(obstacle))
                break
            else:
                signed = signer.sign(entry.call, nonce=nonce, gas_limit=gas_limit, fees=fees)
                await self._store_and_broadcast(entry.id, nonce, signed, gas_limit, fees)
                spending = spending.changed(gas_limit * fees.max_fee_per_gas)
                nonce += 1
        else:
            self._hold_seconds = FIRST_HOLD_SECONDS
        return True

    async def _affordable_gas(self, entry: Waiting, head: Head, fees: Fees, spending: Spending) -> int:
        """Return the gas to send an entry with.

        Raises `_RefusedError` where it can never be sent, `_ObstacleError` where it must wait, and what is behind it.
        """
        value = entry.call.value
        if value and (missing := await self._missing_funds(value)) is not None:
            raise _RefusedError(missing)  # before the estimate, in which nodes call it their own error
        try:
            gas_limit = await self._gas_limit(entry, head)
        except RpcError as error:
            if is_revert(error):
                raise _RefusedError(revert_reason(error)) from None
            raise _ObstacleError(error.message) from None
        cost = gas_limit * fees.max_fee_per_gas
        # Urgent kinds come first: whatever stands behind one that must wait keeps its order, and waits with it.
        if (objection := self._fee_policy.budget.objection(spending, cost, entry.kind)) is not None:
            raise _ObstacleError(objection)
        if (missing := await self._missing_funds(value + cost)) is not None:
            # A value may be too much for the key while what is behind it is not; gas alone is missing for all.
            raise (_RefusedError if value else _ObstacleError)(missing)
        return gas_limit

    async def _hold(self, entry: Waiting, reason: str) -> None:
        """Keep everything that waits in its order, and look again after a growing while."""
        await self._store.record_obstacle(entry.id, reason)
        _log.warning("cannot send yet", outbox_id=entry.id, kind=entry.kind, reason=reason)
        self._held_until = time.monotonic() + self._hold_seconds
        self._hold_seconds = min(2 * self._hold_seconds, LONGEST_HOLD_SECONDS)

    async def _gas_limit(self, entry: Waiting, head: Head) -> int:
        estimate = await self._node.estimate_gas(entry.call)
        return min(self._fee_policy.gas_limit(entry.kind, estimate), head.gas_limit)

    async def _missing_funds(self, needed: int) -> str | None:
        balance = await self._node.balance()
        if balance >= needed:
            return None
        return f"insufficient funds: {self._node.sender} has {balance} wei and needs {needed}; fund it"

    async def _refuse(self, entry: Waiting, reason: str) -> None:
        _log.error("not sent", outbox_id=entry.id, kind=entry.kind, subject=entry.subject, reason=reason)
        await self._store.record_refused(entry.id, reason)

    async def _store_and_broadcast(
        self, entry_id: int, nonce: int, signed: SignedTransaction, gas_limit: int, fees: Fees
    ) -> None:
        await self._store.record_signed(entry_id, nonce, signed, gas_limit, fees)
        await self._broadcast(entry_id, signed.raw)

    async def _broadcast(self, entry_id: int, raw: str) -> None:
        refusal = await self._node.broadcast(raw)
        self._broadcast_at[entry_id] = time.monotonic()
        if refusal is not None and any(words in refusal.lower() for words in _TOO_CHEAP):
            self._too_cheap.add(entry_id)
        else:
            self._too_cheap.discard(entry_id)
        await self._store.record_broadcast(entry_id, refusal)

    def _forget(self, entry_id: int) -> None:
        self._broadcast_at.pop(entry_id, None)
        self._displaced_in.pop(entry_id, None)
        self._too_cheap.discard(entry_id)
