"""When to look at the chain: at once on a WebSocket's newHeads where the node has it, else every polling interval."""

import asyncio
from types import TracebackType
from typing import Final, Self

import orjson
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

FIRST_RECONNECT_SECONDS: Final = 0.5
LONGEST_RECONNECT_SECONDS: Final = 30.0
SUBSCRIBE_TIMEOUT_SECONDS: Final = 5.0
SHORTEST_POLL_SECONDS: Final = 0.2
LONGEST_POLL_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


def websocket_url(http_url: str) -> str:
    """Return where a node that serves `http_url` usually serves WebSocket: the same place (as anvil and geth do)."""
    return "ws" + http_url.removeprefix("http")


def poll_seconds(block_seconds: float) -> float:
    """Return how often to poll a chain with this block time: four times a block, within bounds that nodes bear."""
    return min(max(block_seconds / 4, SHORTEST_POLL_SECONDS), LONGEST_POLL_SECONDS)


class HeadSignal:
    """Says when the chain may have a new head.

    The WebSocket only makes it sooner: polling never stops, so a subscription that dies or falls silent costs at most
    one interval, and it is taken up again by itself.
    """

    def __init__(self, http_url: str, *, poll_seconds: float) -> None:
        self._url = websocket_url(http_url)
        self._poll_seconds = poll_seconds
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_subscribed = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def wait(self) -> None:
        """Return when a header has arrived since the last call, or after the polling interval."""
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._arrived.wait()
        except TimeoutError:
            return
        finally:
            self._arrived.clear()

    async def _listen(self) -> None:
        delay = FIRST_RECONNECT_SECONDS
        while True:
            try:
                async with connect(self._url, open_timeout=SUBSCRIBE_TIMEOUT_SECONDS) as connection:
                    await self._subscribe(connection)
                    delay = FIRST_RECONNECT_SECONDS
                    async for _header in connection:
                        self._arrived.set()
                reason = "closed by the node"
            except (OSError, WebSocketException, TimeoutError, ValueError) as error:
                reason = str(error) or type(error).__name__
            if self.is_subscribed or delay == FIRST_RECONNECT_SECONDS:
                _log.info(
                    "no new heads by WebSocket, polling", url=self._url, every_seconds=self._poll_seconds, reason=reason
                )
            self.is_subscribed = False
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_RECONNECT_SECONDS)

    async def _subscribe(self, connection: ClientConnection) -> None:
        """Ask for newHeads; raises `ValueError` where the node refuses."""
        await connection.send(
            orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
        )
        async with asyncio.timeout(SUBSCRIBE_TIMEOUT_SECONDS):
            reply = orjson.loads(await connection.recv())
        if "result" not in reply:
            raise ValueError(f"the node does not give newHeads: {reply.get('error')}")
        self.is_subscribed = True
        self._arrived.set()  # whatever was mined while nobody listened
        _log.info("new heads by WebSocket", url=self._url)
