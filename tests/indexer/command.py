"""The real `encore indexer`, as processes."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from encore.db import Database
from encore.db.models.chain import Checkpoint
from encore.settings import Settings, load_settings
from tests.support import eventually


class Command:
    """Runs `encore indexer` commands with one set of settings."""

    def __init__(self, log: Path, **settings: str) -> None:
        self.log = log
        self.environment = os.environ | {f"ENCORE_{name.upper()}": value for name, value in settings.items()}
        self.settings: Settings = load_settings(**settings)
        self.started: list[subprocess.Popen[bytes]] = []

    @property
    def tail(self) -> str:
        """The end of what it logged."""
        return self.log.read_text()[-2_000:]

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "encore", "indexer", "run"], env=self.environment, stdout=log, stderr=log
            )
        self.started.append(process)
        return process

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run one command to its end; returns its exit code and all that it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "encore", "indexer", *arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def has_logged(self, text: str) -> None:
        async def found() -> bool:
            return text in self.log.read_text()

        await eventually(found)


async def indexed_hash(database: Database) -> str:
    async with database.read() as session:
        return str(await session.scalar(select(Checkpoint.block_hash)) or "")
