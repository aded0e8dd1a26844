import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from encore.stack.supervisor import Service, ServiceFailedError, Supervisor, last_line
from tests.support import eventually

WRITES_ITS_PID = (
    "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
)
WRITES_ITS_END = """
import pathlib, signal, sys, time
def end(*_):
    with pathlib.Path(sys.argv[1]).open("a") as ends: ends.write(sys.argv[2] + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path(sys.argv[1] + sys.argv[2]).touch()
time.sleep(600)
"""


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path / "logs", say=lambda _: None)
    yield supervisor
    await supervisor.stop()


async def pid_in(path: Path, other_than: int = 0) -> int:
    async def read() -> int:
        pid = int(path.read_text() or 0) if path.exists() else 0
        return pid if pid != other_than else 0

    return await eventually(read)


async def test_a_process_that_is_killed_is_started_again_after_its_repair(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    repaired = asyncio.Event()

    async def repair() -> None:
        repaired.set()

    pid_file = tmp_path / "pid"
    command = [sys.executable, "-c", WRITES_ITS_PID, str(pid_file)]
    await supervisor.start(Service("worker", command, before_restart=repair))
    first = await pid_in(pid_file)
    os.kill(first, signal.SIGKILL)
    second = await pid_in(pid_file, other_than=first)
    assert second != first
    assert repaired.is_set()


async def test_a_process_that_keeps_ending_by_itself_is_given_up_with_its_last_words(supervisor: Supervisor) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('encore: the key is wrong')"]
    await supervisor.start(Service("oracle", command))
    with pytest.raises(ServiceFailedError, match="the oracle keeps ending: the key is wrong"):
        await supervisor.wait()


async def test_waiting_for_something_ends_at_once_when_a_service_fails(supervisor: Supervisor) -> None:
    await supervisor.start(Service("api", [sys.executable, "-c", "raise SystemExit(1)"]))
    with pytest.raises(ServiceFailedError, match="the api keeps ending"):
        await supervisor.first_of(asyncio.sleep(600))


async def test_services_are_stopped_in_reverse_order(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs", say=lambda _: None)
    ends = tmp_path / "ends"
    for name in ("chain", "indexer", "api"):
        await supervisor.start(Service(name, [sys.executable, "-c", WRITES_ITS_END, str(ends), name]))
        await eventually(partial(_exists, Path(f"{ends}{name}")))
    await supervisor.stop()
    assert ends.read_text().split() == ["api", "indexer", "chain"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_a_killed_supervisor_leaves_no_process_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = f"""
import asyncio, sys
from pathlib import Path
from encore.stack.supervisor import Service, Supervisor
async def main():
    supervisor = Supervisor(Path({str(tmp_path)!r}) / "logs", say=print)
    await supervisor.start(Service("worker", [sys.executable, "-c", {WRITES_ITS_PID!r}, {str(pid_file)!r}]))
    await supervisor.wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    worker = await pid_in(pid_file)
    parent.kill()
    await parent.wait()
    await eventually(lambda: _is_gone(worker))


def test_the_last_line_of_a_log_is_why_a_command_failed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("starting\nencore: no deployment\n")
    assert last_line(log) == "no deployment"
    log.write_text("")
    assert not last_line(log)


async def _exists(path: Path) -> bool:
    return path.exists()


async def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return f"/proc/{pid}" in _zombies()


def _zombies() -> list[str]:
    return [
        str(status.parent)
        for status in Path("/proc").glob("[0-9]*/status")
        if "State:\tZ" in status.read_text(errors="replace")
    ]
