"""Small helpers that several suites share."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.02


def wait_until_listening(port: int, deadline_seconds: float = DEADLINE_SECONDS) -> None:
    """Return once something accepts connections on 127.0.0.1:`port`."""
    deadline = time.monotonic() + deadline_seconds
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


async def eventually(probe: Callable[[], Awaitable[T]], deadline_seconds: float = DEADLINE_SECONDS) -> T:
    """Return the first truthy answer of `probe`; fails with its last answer when none came in time."""
    deadline = time.monotonic() + deadline_seconds
    while not (answer := await probe()):
        assert time.monotonic() < deadline, f"still {answer!r} after {deadline_seconds} s"
        await asyncio.sleep(POLL_SECONDS)
    return answer


def stop_process(process: subprocess.Popen[bytes], timeout_seconds: float = 10) -> None:
    """Terminate a process and wait for its end; one that does not end in time is killed."""
    process.terminate()
    try:
        process.wait(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
