"""States that last, in the log: said when they begin, hourly while they last, and when they are over."""

import time
from collections.abc import Callable
from typing import Final

import structlog

SECONDS_BETWEEN_REMINDERS: Final = 3_600.0

_log = structlog.get_logger(__name__)


class Notice:
    """One such state: `event` is the warning that it lasts, `over` says that it ended."""

    def __init__(self, event: str, over: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._event = event
        self._over = over
        self._clock = clock
        self._said_at: float | None = None

    def lasts(self, **values: str | int) -> None:
        """Say it, unless it was said within the hour and has not ended since."""
        if self._said_at is None or self._clock() - self._said_at >= SECONDS_BETWEEN_REMINDERS:
            _log.warning(self._event, **values)
            self._said_at = self._clock()

    def ends(self) -> None:
        """Say that it is over, where it was said that it lasts."""
        if self._said_at is not None:
            _log.info(self._over)
            self._said_at = None
