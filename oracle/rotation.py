"""Hands the oracle's work from one key to another: roles on chain, what waits, and what was signed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eth_utils.address import to_checksum_address

from encore.chain.outbox import FeePolicy, Intent, Node, OutboxSender, Signer
from encore.chain.outbox.fees import GWEI
from encore.chain.outbox.signer import Call
from oracle.assembly import Oracle
from oracle.contracts import encode_role
from oracle.errors import NotOwnerError, RotationError
from oracle.repository.overview import last_failures

ROLE_KIND: Final = "role"
POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that `account` (lower case) has to get or to lose, by one call of the owner's."""

    contract: str
    function: str
    account: str
    authorised: bool

    @property
    def call(self) -> Call:
        """The transaction."""
        return Call(self.contract, encode_role(self.function, self.account, authorised=self.authorised), 0)


class Rotation:
    """From the key at `old` (an address, lower case) to the key of `oracle`. Every step looks first whether it is done.

    The caller holds the leader's lock. `owner` signs for the contracts' owner, where that is a key at all.
    """

    def __init__(self, oracle: Oracle, old: str, owner: Signer | None, tell: Callable[[str], None]) -> None:
        if old == oracle.signer.address:
            raise RotationError(f"{to_checksum_address(old)} is the configured key: configure the new one first")
        self._oracle = oracle
        self._old = old
        self._new = oracle.signer.address
        self._owner = owner
        self._tell = tell
        self._old_outbox = self._outbox(old, None)

    async def run(self, *, revoke_first: bool) -> None:
        """Authorise the new key, see through what was signed, take over what waits, and revoke the old key.

        With `revoke_first`, for a key that leaked, the old one loses its roles before all else. Raises `NotOwnerError`
        where roles are missing that the given owner cannot change.
        """
        if revoke_first:
            await self._set_roles(self._old, authorised=False)
        await self._set_roles(self._new, authorised=True)
        await self._see_through()
        handed_over = await self._old_outbox.hand_over(self._new)
        self._tell(f"{handed_over} waiting transactions will be sent by {to_checksum_address(self._new)}")
        await self._set_roles(self._old, authorised=False)

    async def _missing(self, account: str, *, authorised: bool) -> list[Grant]:
        """Return what the chain does not show yet."""
        contracts = self._oracle.contracts
        found = []
        if await contracts.is_oracle(account) is not authorised:
            found.append(Grant(contracts.metrics_manager, "setOracle", account, authorised))
        if await contracts.is_launcher(account) is not authorised:
            found.append(Grant(contracts.factory, "setLauncher", account, authorised))
        return found

    async def _set_roles(self, account: str, *, authorised: bool) -> None:
        missing = await self._missing(account, authorised=authorised)
        done = "may report and launch" if authorised else "may no longer report and launch"
        if missing:
            owner = await self._checked_owner(missing)
            await self._oracle.context.queue([self._intent(grant, owner.address) for grant in missing])
            outbox = self._outbox(owner.address, owner)
            while not (await outbox.run_once()).is_idle:  # noqa: ASYNC110 - it is the chain that is waited for
                await asyncio.sleep(POLL_SECONDS)
            if await self._missing(account, authorised=authorised):
                raise RotationError(await self._why_failed(owner.address))
        self._tell(f"{to_checksum_address(account)} {done}")

    def _intent(self, grant: Grant, sender: str) -> Intent:
        network = self._oracle.settings.chain
        call = grant.call
        # The time is part of the key: a role may be given, taken and given again.
        return Intent(
            idempotency_key=f"{ROLE_KIND}:{network.chain_id}:{call.to}:{grant.account}:{self._oracle.context.clock().isoformat()}",
            kind=ROLE_KIND,
            subject=grant.account,
            chain_id=network.chain_id,
            sender=sender,
            to=call.to,
            data=call.data,
        )

    async def _checked_owner(self, missing: list[Grant]) -> Signer:
        owners = {await self._oracle.contracts.owner(grant.contract) for grant in missing}
        if self._owner is not None and owners == {self._owner.address}:
            return self._owner
        named = ", ".join(to_checksum_address(owner) for owner in sorted(owners))
        calls = "\n".join(f"  to {to_checksum_address(grant.contract)} data {grant.call.data}" for grant in missing)
        raise NotOwnerError(
            f"the contracts' owner, {named}, has to make these calls: name its key with --owner, or have them made "
            f"(by governance, where that owns the contracts) and run this again\n{calls}"
        )

    async def _see_through(self) -> None:
        """Wait until what the old key signed is final; on the local chain, which has no reorgs, until it is mined."""
        is_local = self._oracle.settings.chain.is_local
        told = False
        while True:
            progress = await self._old_outbox.run_once()
            if progress.sent == 0 and (is_local or not await self._old_outbox.unsettled()):
                return
            if not told:
                self._tell("waiting until what the old key signed is final")
                told = True
            await asyncio.sleep(POLL_SECONDS if is_local else self._oracle.settings.chain.block_seconds)

    async def _why_failed(self, sender: str) -> str:
        async with self._oracle.database.read() as session:
            failures = await last_failures(session, self._oracle.settings.chain.chain_id, sender, 1)
        return f"the owner's call failed: {failures[0].reason if failures else 'the chain does not show it'}"

    def _outbox(self, sender: str, signer: Signer | None) -> OutboxSender:
        settings = self._oracle.settings
        return OutboxSender(
            self._oracle.database,
            Node(self._oracle.rpc, settings.chain, sender),
            signer,
            FeePolicy(settings.oracle_max_fee_gwei * GWEI),
        )
