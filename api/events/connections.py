"""Uvicorn's connections, which also take what was encoded once for many of them."""

from abc import abstractmethod
from asyncio import Protocol, Transport
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

EXTENSION: Final = "encore.connection"
"""Under this name the connection itself is among the extensions of its ASGI scope."""


def text_frame(text: str) -> bytes:
    """Encode a message of a WebSocket from a server: one unmasked frame (RFC 6455)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def http_chunk(content: bytes) -> bytes:
    """Encode a piece of an answer whose length is not known beforehand (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(content), content)


class Writer(Protocol):
    """A connection that takes whole frames or chunks, and sends together what comes in one turn of the event loop."""

    transport: Transport

    @property
    @abstractmethod
    def is_gone(self) -> bool:
        """Whether the connection ends or has ended."""

    @property
    @abstractmethod
    def is_full(self) -> bool:
        """Whether the client leaves too much unread."""

    @abstractmethod
    async def drain(self) -> None:
        """Wait until the client has read enough, or is gone."""

    def write_now(self, encoded: bytes) -> bool:
        """Write; returns False, and writes nothing, where the client is gone or leaves too much unread."""
        if self.is_gone or self.is_full:
            return False
        self.transport.write(encoded)
        return True

    async def write(self, encoded: bytes) -> bool:
        """Write once the client has read enough; returns False where it is gone."""
        while not self.write_now(encoded):
            if self.is_gone:
                return False
            await self.drain()
        return True


class HttpConnection(HttpToolsProtocol, Writer):
    """A connection of HTTP/1.1; chunks are for an answer that has begun, and not ended."""

    def on_message_begin(self) -> None:
        """Let the application find this connection in the scope of a request."""
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {EXTENSION: self}

    @property
    def is_gone(self) -> bool:
        """Whether the connection ends or has ended."""
        return self.transport.is_closing()

    @property
    def is_full(self) -> bool:
        """Whether the client leaves too much unread."""
        return self.flow.write_paused

    async def drain(self) -> None:
        """Wait until the client has read enough, or is gone."""
        await self.flow.drain()


class WebSocketConnection(WebSocketsSansIOProtocol, Writer):
    """A connection that was upgraded."""

    async def run_asgi(self) -> None:
        """Run the application, which finds this connection in its scope."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[EXTENSION] = self
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Take a message of the application; one that ends the connection does not wait for who does not read."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    @property
    def is_gone(self) -> bool:
        """Whether the connection ends or has ended."""
        return self.close_sent or self.transport.is_closing()

    @property
    def is_full(self) -> bool:
        """Whether the client leaves too much unread."""
        return not self.writable.is_set()

    async def drain(self) -> None:
        """Wait until the client has read enough, or is gone."""
        await self.writable.wait()
