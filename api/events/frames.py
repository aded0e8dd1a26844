"""Uvicorn's WebSocket, which also takes frames that were encoded once for many connections."""

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

EXTENSION: Final = "encore.frames"
"""Under this name the connection itself is among the extensions of its ASGI scope."""


def text_frame(text: str) -> bytes:
    """Encode a message from a server: one unmasked frame, the same for every client (RFC 6455)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class FrameProtocol(WebSocketsSansIOProtocol):
    """One connection; the transport gathers what is written in one turn of the event loop, and sends it at once."""

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

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame now; returns False where the client is gone, or leaves too much unread."""
        if self.is_gone or not self.writable.is_set():
            return False
        self.transport.write(frame)
        return True

    async def send_frame(self, frame: bytes) -> bool:
        """Write a whole frame once the client has read enough; returns False where it is gone."""
        while not self.write_frame(frame):
            if self.is_gone:
                return False
            await self.writable.wait()
        return True
