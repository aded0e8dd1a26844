"""Background tasks that do not die unseen."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

RESTART_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


async def supervised(work: Callable[[], Awaitable[None]], *, restart_seconds: float = RESTART_SECONDS) -> None:
    """Do `work` to its end; where it fails, log why, with its traceback, and begin again."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever it is, it is told with its traceback
            _log.exception("a background task failed, starting it again", in_seconds=restart_seconds)
            await asyncio.sleep(restart_seconds)
        else:
            return
