"""Runs `encore oracle …` as an operator does: real processes."""

import asyncio
import os
import sys
from dataclasses import dataclass


@dataclass
class Finished:
    code: int
    output: str


@dataclass
class Shell:
    """Runs `encore oracle …` with settings of a test's own."""

    environment: dict[str, str]

    async def start(self, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "encore", "oracle", *arguments),
            env={**os.environ, **self.environment, **settings, "COLUMNS": "200"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, *arguments: str, **settings: str) -> Finished:
        process = await self.start(*arguments, **settings)
        output, _ = await process.communicate()
        assert process.returncode is not None
        return Finished(process.returncode, output.decode())


async def line_with(process: asyncio.subprocess.Process, words: str) -> str:
    """Return the next line of a process that has `words`."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}")
