"""What a fuzzed request needs that is to succeed, where requests use it up or a signature must prove it."""

import itertools
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TypedDict

import httpx2
from eth_account import Account
from fastapi import FastAPI
from sqlalchemy.exc import IntegrityError

from api.accounts.service import authenticate
from api.deps import Resources
from encore.db.models.webhooks import WebhookDelivery
from tests.api.accounts.signing import Signer, bearer
from tests.factories import save

OWNER: Final = 5
"""The account whose sessions and webhooks are asked for."""
UNLINKING: Final = range(60, 90)
SIGNING_IN: Final = range(50, 58)
FIRST_LINKED: Final = 100
URL: Final = "https://shop.example/hook"


class Given(TypedDict, total=False):
    """Parts of a request: the access token, parameters by name, fields of the body."""

    token: str
    path_parameters: dict[str, Any]
    body: dict[str, Any]


class Supply:
    """Makes parts of requests on the application that is fuzzed, by the operation's id."""

    def __init__(self, app: FastAPI) -> None:
        self._held: Resources = app.state.resources
        self._client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://supply")
        self._numbers = itertools.count(FIRST_LINKED)
        self._owner: dict[str, Any] = {}
        self._used_tokens: list[str] = []
        self._makers: dict[str, Callable[[], Awaitable[Given]]] = {
            "createChallenge": self._new_wallet,
            "createLinkChallenge": self._new_wallet,
            "signIn": self._signed_in,
            "refreshTokens": self._refresh_token,
            "signOut": self._session_of_nobody_else,
            "endSession": self._session_to_end,
            "linkWallet": self._signed_link,
            "unlinkWallet": self._linked_wallet,
            "createWebhook": self._room_for_a_webhook,
            "retryDelivery": self._finished_delivery,
            **dict.fromkeys(
                (
                    *("getWebhook", "updateWebhook", "deleteWebhook"),
                    *("rotateWebhookSecret", "listDeliveries", "replayWebhook"),
                ),
                self._webhook_with_deliveries,
            ),
        }

    async def open(self) -> dict[str, str]:
        """Sign the owner in; returns the access token for each operation, "" for any other."""
        self._owner, ending = [await Signer(OWNER).sign_in(self._client) for _ in range(2)]
        return {"": self._owner["access_token"], "signOut": ending["access_token"]}

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def make(self, operation: str) -> Given:
        """Make parts of one request; nothing for an operation that needs none."""
        make = self._makers.get(operation)
        return Given() if make is None else await make()

    async def _new_wallet(self) -> Given:
        wallet = Account.create().address
        domain = random.choice([None, *self._held.settings.domains])
        return Given(body={"wallet": wallet, "domain": domain})

    async def _signed_in(self) -> Given:
        signer = Signer(random.choice(SIGNING_IN))
        return Given(body=signer.sign(await signer.challenge(self._client)))

    async def _refresh_token(self) -> Given:
        """Return a token that is good, and now and then one that was given before: it ends its session."""
        if len(self._used_tokens) > 2:
            return Given(body={"refresh_token": self._used_tokens.pop(0)})
        pair = await Signer(SIGNING_IN[0]).sign_in(self._client)
        self._used_tokens.append(pair["refresh_token"])
        return Given(body={"refresh_token": pair["refresh_token"]})

    async def _session_of_nobody_else(self) -> Given:
        return Given(token=(await Signer(SIGNING_IN[0]).sign_in(self._client))["access_token"])

    async def _session_to_end(self) -> Given:
        signer = Signer(random.choice(SIGNING_IN))
        own, other = [await signer.sign_in(self._client) for _ in range(2)]
        access = await authenticate(self._held, other["access_token"])
        return Given(token=own["access_token"], path_parameters={"session_id": access.session_id})

    async def _signed_link(self) -> Given:
        """Return a wallet of nobody's, or one that has an account."""
        signer = Signer(random.choice([next(self._numbers), random.choice(UNLINKING)]))
        if signer.index in UNLINKING:
            await signer.sign_in(self._client)
        path = "me/wallets/challenges"
        return Given(body=signer.sign(await signer.challenge(self._client, path, headers=bearer(self._owner))))

    async def _linked_wallet(self) -> Given:
        """Return a wallet that can be unlinked, or the account's only one."""
        signer = Signer(random.choice(UNLINKING))
        pair = await signer.sign_in(self._client)
        if random.choice([True, False]):
            signer = Signer(next(self._numbers))
            (await signer.link(self._client, pair)).raise_for_status()
        return Given(token=pair["access_token"], path_parameters={"address": signer.address})

    async def _room_for_a_webhook(self) -> Given:
        """Return where one may lead to; now and then the account has as many as it may have."""
        webhooks = await self._webhooks()
        if len(webhooks) == 20 and random.choice([True, False]):
            for each in webhooks:
                await self._client.delete(f"/api/v1/webhooks/{each['id']}", headers=bearer(self._owner))
        return Given(body={"url": URL})

    async def _webhook_with_deliveries(self) -> Given:
        webhook_id, _ = await self._delivered("pending", "delivered")
        return Given(path_parameters={"webhook_id": webhook_id}, body={"url": URL})

    async def _finished_delivery(self) -> Given:
        webhook_id, delivery_id = await self._delivered("failed")
        return Given(path_parameters={"webhook_id": webhook_id, "delivery_id": delivery_id})

    async def _delivered(self, *statuses: str) -> tuple[int, int]:
        """Give a webhook deliveries; returns its id and that of the last one."""
        while True:
            webhook_id = await self._webhook()
            deliveries = [self._delivery(webhook_id, status) for status in statuses]
            with suppress(IntegrityError):  # another request deleted it in the meantime
                await save(self._held.database, *deliveries)
                return webhook_id, deliveries[-1].id

    async def _webhooks(self) -> list[dict[str, Any]]:
        response = await self._client.get("/api/v1/webhooks", headers=bearer(self._owner))
        found: list[dict[str, Any]] = response.raise_for_status().json()["items"]
        return found

    async def _webhook(self) -> int:
        """Return the owner's newest webhook, made where there is none."""
        if not (found := await self._webhooks()):
            made = await self._client.post("/api/v1/webhooks", json={"url": URL}, headers=bearer(self._owner))
            found = [made.raise_for_status().json()]
        number: int = found[0]["id"]
        return number

    def _delivery(self, webhook_id: int, status: str) -> WebhookDelivery:
        now = datetime.fromtimestamp(self._held.clock(), UTC)
        return WebhookDelivery(
            webhook_id=webhook_id,
            event_id=next(self._numbers),
            payload="{}",
            status=status,
            attempts=1,
            next_attempt_at=now,
            response_status=200 if status == "delivered" else None,
            error="connection refused" if status == "failed" else None,
            created_at=now,
            finished_at=None if status == "pending" else now,
        )
