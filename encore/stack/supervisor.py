"""Keeps a set of processes running: starts them, restarts the ones that die, stops them in reverse order."""

import asyncio
import ctypes
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from encore.errors import EncoreError

PR_SET_PDEATHSIG: Final = 1
STOP_TIMEOUT_SECONDS: Final = 20.0
QUICK_DEATH_SECONDS: Final = 10.0
QUICK_DEATHS_ALLOWED: Final = 3
LONGEST_BACKOFF_SECONDS: Final = 5.0
LOG_SIZE_LIMIT_BYTES: Final = 20_000_000


class ServiceFailedError(EncoreError):
    """A process keeps ending by itself right after its start."""


async def _nothing() -> None:
    """Do nothing before a restart."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process. `before_restart` runs once it has died, before it is started again."""

    name: str
    command: list[str]
    stop_signal: signal.Signals = signal.SIGTERM
    before_restart: Callable[[], Awaitable[None]] = _nothing


class Supervisor:
    """Runs services with their output in `log_dir`/<name>.log and tells `say` what happens to them."""

    def __init__(self, log_dir: Path, say: Callable[[str], None]) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self._log_dir = log_dir
        self._say = say
        self._processes: dict[str, Process] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._services: list[Service] = []

    async def start(self, service: Service) -> None:
        """Start `service` and keep it running until `stop`."""
        self._rotate_log(service.name)
        self._services.append(service)
        self._processes[service.name] = await self._spawn(service)
        self._watchers[service.name] = asyncio.create_task(self._watch(service), name=service.name)

    async def wait(self) -> None:
        """Return only by raising `ServiceFailedError`, when some service cannot be kept running."""
        done, _ = await asyncio.wait(self._watchers.values(), return_when=asyncio.FIRST_COMPLETED)
        for watcher in done:
            watcher.result()

    async def first_of(self, ready: Awaitable[None]) -> None:
        """Return when `ready` does; raise at once when a service fails before."""
        task = asyncio.ensure_future(ready)
        failure = asyncio.create_task(self.wait())
        try:
            done, _ = await asyncio.wait({task, failure}, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                finished.result()
        finally:
            task.cancel()
            failure.cancel()

    async def stop(self) -> None:
        """Stop every service, the last started first; one that does not end in time is killed."""
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        for service in reversed(self._services):
            process = self._processes[service.name]
            if process.returncode is None:
                await _end(process, service.stop_signal)

    def log_path(self, name: str) -> Path:
        """Where the output of the service called `name` goes."""
        return self._log_dir / f"{name}.log"

    async def _watch(self, service: Service) -> None:
        quick_deaths = 0
        while True:
            started = time.monotonic()
            code = await self._processes[service.name].wait()
            lived_seconds = time.monotonic() - started
            quick_deaths = quick_deaths + 1 if code >= 0 and lived_seconds < QUICK_DEATH_SECONDS else 0
            if quick_deaths >= QUICK_DEATHS_ALLOWED:
                raise ServiceFailedError(
                    f"the {service.name} keeps ending: {last_line(self.log_path(service.name)) or 'it said nothing'} "
                    f"(all of it: {self.log_path(service.name)})"
                )
            self._say(f"[yellow]{service.name} ended ({_cause(code)}); starting it again[/]")
            await asyncio.sleep(min(LONGEST_BACKOFF_SECONDS, 0.2 * 2**quick_deaths))
            await service.before_restart()
            self._processes[service.name] = await self._spawn(service)

    async def _spawn(self, service: Service) -> Process:
        with self.log_path(service.name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *service.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the others in order
                preexec_fn=_die_with_parent(service.stop_signal) if sys.platform == "linux" else None,
            )

    def _rotate_log(self, name: str) -> None:
        path = self.log_path(name)
        if path.exists() and path.stat().st_size > LOG_SIZE_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))


def last_line(log: Path) -> str:
    """Return the last line of a log, where a command that failed said why; empty when there is none."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("encore: ") if lines else ""


async def _end(process: Process, stop_signal: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(stop_signal)
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """Have Linux signal the child when the supervisor is killed, so that nothing is left behind on the ports."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))

    return prepare


def _cause(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
