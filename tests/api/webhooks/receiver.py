"""Somebody else's server: a real one that keeps what it was sent and checks signatures by a few lines of its own."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Self

import orjson
from aiohttp import web

TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Received:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        loaded: dict[str, Any] = orjson.loads(self.body)
        return loaded

    def is_authentic(self, secret: str, now: float) -> bool:
        """Verify as Standard Webhooks tells receivers to."""
        identity, sent_at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        if abs(now - int(sent_at)) > TOLERANCE_SECONDS:
            return False
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = hmac.new(key, b".".join([identity.encode(), sent_at.encode(), self.body]), hashlib.sha256)
        version, _, signature = self.headers["webhook-signature"].partition(",")
        return version == "v1" and hmac.compare_digest(base64.b64decode(signature), expected.digest())


class Receiver:
    """Answers with `answers` in turn, then with 204."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: list[web.Response] = []
        self.port = 0
        app = web.Application()
        app.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Received(headers, await request.read()))
        return self.answers.pop(0) if self.answers else web.Response(status=204)
