"""Waiting for a server of this machine."""

import asyncio
from typing import Final

POLL_SECONDS: Final = 0.05


async def wait_until_listening(port: int) -> None:
    """Return once something accepts connections on 127.0.0.1:`port`."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(POLL_SECONDS)
        else:
            writer.close()
            return
