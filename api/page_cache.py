"""Pure ASGI middleware of pages from the mirror: ETags for clients, and a micro-cache of ready bytes for hot pages."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from os import urandom
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware import SECURITY_HEADERS
from api.mirror.follower import TipFollower

LIFETIME_SECONDS: Final = 1.0
"""What is not from the chain (a creator's name) may be that old; what is from the chain goes with its block."""
MAXIMUM_PAGE_BYTES: Final = 1_000_000
CACHE_CONTROL: Final = b"public, no-cache"
"""Anybody may keep it, and asks with its ETag whether it still stands."""
PRIVATE_CACHE_CONTROL: Final = b"private, no-cache"
"""What was asked for with credentials is for its asker alone to keep."""

_BLOCK_HASH: Final = b"x-indexed-block-hash"
_KEPT: Final = frozenset(
    {b"content-type", b"content-length", b"vary", b"x-indexed-block", _BLOCK_HASH, b"etag", b"cache-control"}
    | {name for name, _ in SECURITY_HEADERS}
)
_PRIVATE: Final = frozenset({b"authorization", b"cookie"})

Headers = list[tuple[bytes, bytes]]
Key = tuple[str, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Page:
    """A complete answer, but for the headers that are of one request."""

    headers: Headers
    etag: bytes
    body: bytes
    kept_until: float


class PageCache:
    """Gives every page from the mirror an ETag, answers 304 where the client has it, and keeps pages of one block.

    A kept page is served as long as its block is the newest indexed one, at most `LIFETIME_SECONDS`. Requests with
    credentials pass by. A page that many ask for at once is made once: the others wait for it. `capacity_bytes` of 0
    keeps nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        follower: TipFollower,
        capacity_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._follower = follower
        self._capacity_bytes = capacity_bytes
        self._clock = clock
        self._pages: dict[Key, _Page] = {}
        self._coming: dict[Key, asyncio.Event] = {}
        self._block_hash = ""
        self._free_bytes = capacity_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        origin, known, request_id, is_private = b"", b"", b"", False
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
            elif name == b"if-none-match":
                known = value
            elif name == b"x-request-id":
                request_id = value
            elif name in _PRIVATE:
                is_private = True
        key = None if is_private else (scope["path"], scope["query_string"], origin)
        page = self._find(key)
        if page is None and key is not None and not request_id and (coming := self._coming.get(key)):
            await coming.wait()
            page = self._find(key)
        # A client's own request id must be checked, and is worth a line in the log: the application does both.
        if page is not None and not request_id:
            headers = [*page.headers, (b"x-request-id", urandom(16).hex().encode())]
            await _answer(send, headers, page, known)
        else:
            recorder = _Recorder(self, key, known, send, self._announce(key))
            try:
                await self._app(scope, receive, recorder)
            finally:
                recorder.release()

    def _announce(self, key: Key | None) -> asyncio.Event | None:
        """Let others wait for the page that is made now; returns what ends their wait."""
        if key is None or key in self._coming or not self._capacity_bytes:
            return None
        coming = self._coming[key] = asyncio.Event()
        return coming

    def arrived(self, key: Key, coming: asyncio.Event) -> None:
        """Wake who waits: the page is kept, or is none to keep."""
        coming.set()
        del self._coming[key]

    def _find(self, key: Key | None) -> _Page | None:
        tip = self._follower.tip
        if key is None or tip is None or tip.hash != self._block_hash:
            return None
        page = self._pages.get(key)
        return page if page is not None and page.kept_until > self._clock() else None

    def keep(self, key: Key, block_hash: str, headers: Headers, etag: bytes, body: bytes) -> None:
        """Keep an answer, if it is of the newest block and there is room."""
        tip = self._follower.tip
        if tip is None or tip.hash != block_hash:
            return
        if block_hash != self._block_hash:
            self._pages, self._block_hash, self._free_bytes = {}, block_hash, self._capacity_bytes
        replaced = self._pages.get(key)
        free = self._free_bytes + (len(replaced.body) if replaced else 0) - len(body)
        if free >= 0:
            kept = [(name, value) for name, value in headers if name in _KEPT or name.startswith(b"access-control-")]
            self._pages[key] = _Page(kept, etag, body, self._clock() + LIFETIME_SECONDS)
            self._free_bytes = free


class _Recorder:
    """Sends an answer on; one page of the mirror in one piece goes with its ETag, and is kept."""

    def __init__(
        self, cache: PageCache, key: Key | None, known: bytes, send: Send, coming: asyncio.Event | None
    ) -> None:
        self._cache = cache
        self._key = key
        self._known = known
        self._send = send
        self._coming = coming
        self._start: Message | None = None
        self._block_hash = ""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004 - OK
            block = next((value for name, value in message["headers"] if name == _BLOCK_HASH), None)
            if block is not None:
                self._start, self._block_hash = message, block.decode()
                return
        elif self._start is not None:
            start, self._start = self._start, None
            if not message.get("more_body", False):
                await self._finish(start, message.get("body", b""))
                return
            self.release()  # a stream may last: nobody waits for its end
            await self._send(start)
        self.release()
        await self._send(message)

    def release(self) -> None:
        """Let those who wait for this answer look for themselves."""
        if self._coming is not None and self._key is not None:
            self._cache.arrived(self._key, self._coming)
            self._coming = None

    async def _finish(self, start: Message, body: bytes) -> None:
        etag = b'"' + hashlib.blake2b(body, digest_size=16).hexdigest().encode() + b'"'
        control = PRIVATE_CACHE_CONTROL if self._key is None else CACHE_CONTROL
        headers: Headers = [*start["headers"], (b"etag", etag), (b"cache-control", control)]
        if self._key is not None and len(body) <= MAXIMUM_PAGE_BYTES:
            self._cache.keep(self._key, self._block_hash, headers, etag, body)
        self.release()
        await _answer(self._send, headers, _Page(headers, etag, body, 0), self._known)


async def _answer(send: Send, headers: Headers, page: _Page, known: bytes) -> None:
    if known and _is_known(page.etag, known):
        headers = [(name, value) for name, value in headers if name not in {b"content-length", b"content-type"}]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": page.body})


def _is_known(etag: bytes, known: bytes) -> bool:
    """Whether If-None-Match names the tag, weakly compared (RFC 9110, section 13.1.2)."""
    return known.strip() == b"*" or etag in {tag.strip().removeprefix(b"W/") for tag in known.split(b",")}
