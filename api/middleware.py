"""Pure ASGI middleware: a request id on everything, one access line each, and no traceback for the client."""

import re
import time
import uuid
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import BodyTooLargeError, respond, respond_internal_error

_GIVEN_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),  # browsers heed it over https alone
)
LARGEST_BODY_BYTES: Final = 65_536
"""Of a request; nothing that is JSON here comes near."""

_log = structlog.get_logger(__name__)


_TOO_LARGE: Final = f"a request's body may have {LARGEST_BODY_BYTES} bytes at most"


class RequestLog:
    """Gives each request an id (the client's `X-Request-ID` where it is well formed) and logs how it ended.

    It also puts the headers on every answer that tell browsers to be careful.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id
        status = 0
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                operation = getattr(scope.get("route"), "operation_id", None)
                _log.exception("request failed", method=scope["method"], path=scope["path"], operation=operation)
                if status:
                    raise  # too late for another answer: break off, so that the client does not take half for all
                await respond_internal_error(Request(scope))(scope, receive, send_with_id)
            finally:
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                _log.info("request", method=scope["method"], path=scope["path"], status=status, ms=milliseconds)


class BodyLimit:
    """Refuses bodies above `LARGEST_BODY_BYTES`, by what they say of themselves and by what arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        received = 0
        stated = Headers(scope=scope).get("content-length", "")

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
            return message

        if stated.isdecimal() and int(stated) > LARGEST_BODY_BYTES:
            await respond(Request(scope), BodyTooLargeError(_TOO_LARGE))(scope, receive, send)
        else:
            await self._app(scope, receive_some, send)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _GIVEN_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
