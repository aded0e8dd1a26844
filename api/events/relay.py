"""Through Redis, the process that hears first of new entries of the feed wakes the others."""

import asyncio
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.realtime import Hub

CHANNEL: Final = "encore:feed"
RETRY_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class Relay:
    """Carries how far the feed is, never what is in it: a lost message costs a poll's interval, not an event."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)
        self._told = 0
        self._position = 0
        self._grown = asyncio.Event()

    def announce(self, position: int) -> None:
        """Tell the others that the feed has got to an id, unless they told it."""
        if position > self._told:
            self._position = position
            self._grown.set()

    async def run(self, hub: Hub, woken: asyncio.Event) -> None:
        """Set `woken` whenever the feed is farther than `hub`; while Redis is away, say so and try again."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._tell())
                    tasks.create_task(self._listen(hub, woken))
            except* (RedisError, OSError) as errors:
                _log.warning("redis cannot be reached, the feed is polled", reason=str(errors.exceptions[0]))
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _tell(self) -> None:
        while True:
            await self._grown.wait()
            self._grown.clear()
            await self._redis.publish(CHANNEL, self._position)

    async def _listen(self, hub: Hub, woken: asyncio.Event) -> None:
        async with self._redis.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            async for message in subscription.listen():
                if message["type"] == "message":
                    self._told = int(message["data"])
                    if self._told > hub.position:
                        woken.set()
