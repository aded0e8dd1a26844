"""How fast one endpoint may be asked: a limit from the settings, and less than that while it answers 429."""

import asyncio
from time import monotonic
from typing import Final

FIRST_INTERVAL_SECONDS: Final = 0.001
LONGEST_INTERVAL_SECONDS: Final = 0.1
"""However often an endpoint says 429, it is asked ten calls a second: less would not be an endpoint to work with."""
LONGEST_PAUSE_SECONDS: Final = 60.0
RECOVERY: Final = 0.9


class Pace:
    """Spaces the calls to one endpoint, each call of a batch by itself, as providers count them.

    A 429 doubles the interval and honours Retry-After; each answer shortens it again, down to the limit
    `calls_per_second` (0: none).
    """

    def __init__(self, calls_per_second: float = 0) -> None:
        self._shortest = 1 / calls_per_second if calls_per_second else 0.0
        self._interval = self._shortest
        self._free_at = 0.0

    async def turn(self, calls: int = 1) -> None:
        """Wait until `calls` more may be sent; callers get their turns in the order in which they came."""
        now = monotonic()
        starts_at = max(now, self._free_at)
        self._free_at = starts_at + calls * self._interval
        if starts_at > now:
            await asyncio.sleep(starts_at - now)

    def slow_down(self, retry_after_seconds: float = 0) -> None:
        """The endpoint said 429."""
        longest = max(LONGEST_INTERVAL_SECONDS, self._shortest)
        self._interval = min(max(2 * self._interval, FIRST_INTERVAL_SECONDS), longest)
        self._free_at = max(self._free_at, monotonic() + min(retry_after_seconds, LONGEST_PAUSE_SECONDS))

    def recover(self) -> None:
        """The endpoint answered."""
        faster = self._interval * RECOVERY
        self._interval = max(faster if faster >= FIRST_INTERVAL_SECONDS else 0.0, self._shortest)
