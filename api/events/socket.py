"""The WebSocket: a connection's channels and account, one task that reads requests and one that sends."""

import asyncio
from contextlib import suppress
from typing import Final

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from api.accounts import service as accounts
from api.accounts.service import Access
from api.accounts.tokens import UnauthenticatedError
from api.deps import Resources
from api.events import protocol
from api.events.connections import EXTENSION, Writer, text_frame
from api.events.messages import wallet_channel
from api.events.service import Feed, Sockets, Stream, deliver
from api.problems import InvalidRequestError, ProblemError
from api.wire import Wire

GOING_AWAY: Final = 1001
TRY_AGAIN_LATER: Final = 1013
TOKEN_EXPIRED: Final = 4401
"""Close codes: of RFC 6455 and IANA's registry, and one of ours for what HTTP answers with 401."""

router = APIRouter()


@router.websocket("/ws")
async def connect(websocket: WebSocket) -> None:
    """Serve one connection until either side ends it."""
    held: Resources = websocket.app.state.resources
    await websocket.accept()
    await Connection(websocket, held).serve()


class Connection:
    """One client. What it is sent is a JSON array of messages a frame."""

    def __init__(self, websocket: WebSocket, held: Resources) -> None:
        self._websocket = websocket
        self._writer: Writer = websocket.scope["extensions"][EXTENSION]
        self._held = held
        self._channels: frozenset[str] = frozenset()
        self._access: Access | None = None
        self._stream: Stream | None = None
        self._sender: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    async def serve(self) -> None:
        """Read requests and send what was subscribed to; a client that does not take it is dropped."""
        reader = asyncio.create_task(self._read())
        ended = asyncio.create_task(self._ended.wait())
        closed = asyncio.create_task(self._held.hub.closed.wait())
        try:
            await asyncio.wait({reader, ended, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, ended, closed):
                task.cancel()
            outcome, *_ = await asyncio.gather(reader, ended, closed, return_exceptions=True)
            await self._stop_sending()
        if isinstance(outcome, Exception):
            raise outcome
        with suppress(RuntimeError, WebSocketDisconnect):  # the client may have gone first
            await self._websocket.close(*self._ending())

    async def _read(self) -> None:
        with suppress(WebSocketDisconnect):
            while (message := await self._websocket.receive())["type"] == "websocket.receive":
                try:
                    await self._handle(
                        protocol.Request.validate_json(message.get("text") or message.get("bytes") or "")
                    )
                except ValidationError as error:
                    first = error.errors()[0]
                    where = ".".join(map(str, first["loc"]))
                    await self._refuse(InvalidRequestError(f"{where}: {first['msg']}" if where else first["msg"]))
                except ProblemError as problem:
                    await self._refuse(problem)

    async def _handle(self, request: protocol.Subscribe | protocol.Authenticate | protocol.Ping) -> None:
        match request:
            case protocol.Subscribe():
                await self._subscribe(request)
            case protocol.Authenticate():
                self._access = await accounts.authenticate(self._held, request.token)
                remaining = int(self._access.expires_at - self._held.clock())
                await self._say(protocol.Authenticated(account_id=self._access.account_id, expires_in=remaining))
                if protocol.ACCOUNT in self._channels:
                    await self._send_from(await self._stop_sending())
            case protocol.Ping():
                await self._say(protocol.Pong())

    async def _subscribe(self, request: protocol.Subscribe) -> None:
        channels = frozenset(request.channels)
        if protocol.ACCOUNT in channels and self._access is None:
            raise UnauthenticatedError("authenticate before subscribing to the channel of an account")
        position = await self._stop_sending()
        self._channels = channels
        await self._held.hub.ready.wait()
        known = self._held.hub.position if position is None else position
        after = known if request.after is None else request.after
        await self._say(protocol.Subscribed(channels=sorted(channels), after=after))
        await self._send_from(after)

    async def _send_from(self, position: int | None) -> None:
        """Send what the channels bring after the id `position`; None: from now on."""
        channels = self._channels
        lifetime: float | None = None
        if protocol.ACCOUNT in channels and self._access is not None:
            wallets = await accounts.wallets_of(self._held, self._access.account_id)
            channels = (channels - {protocol.ACCOUNT}) | {wallet_channel(wallet) for wallet in wallets}
            lifetime = self._access.expires_at - self._held.clock()
        self._stream = Stream(
            Feed(self._held.database, self._held.hub),
            Sockets(channels),
            position,
            write=self._writer.write_now,
            dropped=self._ended,
            lifetime_seconds=lifetime,
        )
        self._sender = asyncio.create_task(self._send(self._stream))

    async def _send(self, stream: Stream) -> None:
        await deliver(stream, self._writer, lambda gap: _frame(gap.wire()))
        self._ended.set()

    async def _stop_sending(self) -> int | None:
        """Stop sending; returns the id after which it can go on, None where nothing was begun."""
        if self._sender is None or self._stream is None:
            return None
        position = self._stream.position
        self._sender.cancel()
        with suppress(asyncio.CancelledError):
            await self._sender
        self._sender = None
        return position

    async def _say(self, message: Wire) -> None:
        if not await self._writer.write(_frame(message)):
            raise WebSocketDisconnect

    async def _refuse(self, problem: ProblemError) -> None:
        await self._say(protocol.Refused(slug=problem.slug, detail=problem.detail))

    def _ending(self) -> tuple[int, str]:
        """Return the close code, and what the client may do."""
        if self._held.hub.closed.is_set():
            return GOING_AWAY, "the server stops: connect again and resume"
        if self._access is not None and self._access.expires_at <= self._held.clock():
            return TOKEN_EXPIRED, "the access token ran out: connect again with the next one"
        return TRY_AGAIN_LATER, "too much was left unread: connect again and resume after the last id"


def _frame(message: Wire) -> bytes:
    return text_frame(f"[{message.model_dump_json()}]")
