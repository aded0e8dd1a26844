"""What a person sees on the command line when something is wrong: one clear message, exit code 1, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from encore.db import migrate
from encore.db.engine import sync_url


def encore(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENCORE_")}
    return subprocess.run(
        [sys.executable, "-m", "encore", *arguments],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_refused(result: subprocess.CompletedProcess[str], message: str) -> None:
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert message in result.stderr
    assert result.stderr.splitlines()[-1].startswith("encore:") or "\n  ENCORE_" in result.stderr


@pytest.mark.parametrize("command", [["up"], ["indexer", "run"], ["oracle", "run"], ["api", "run"], ["db", "upgrade"]])
def test_an_unknown_network_is_refused_by_every_command(command: list[str]) -> None:
    result = encore(*command, ENCORE_NETWORK="atlantis")
    assert_refused(result, "ENCORE_NETWORK: unknown network 'atlantis'; known networks: local")


def test_a_wrong_key_is_refused_without_being_shown() -> None:
    result = encore("oracle", "run", ENCORE_ORACLE_PRIVATE_KEY="0xdeadbeef")
    assert_refused(result, "ENCORE_ORACLE_PRIVATE_KEY: not a private key")
    assert "deadbeef" not in result.stderr


@pytest.mark.parametrize("command", [["indexer", "run"], ["oracle", "run"], ["api", "run"], ["up"]])
def test_a_database_from_a_newer_version_is_refused_by_every_process(
    command: list[str], sqlite_url: str, tmp_path: Path
) -> None:
    engine = create_engine(sync_url(sqlite_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    result = encore(*command, ENCORE_DATABASE_URL=sqlite_url, ENCORE_DATA_DIR=str(tmp_path))
    assert_refused(result, "a newer Encore made it")


def test_a_malformed_listening_log_names_each_bad_row_and_imports_nothing(sqlite_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("listener,creator,played_at\nann,Muse,2026-11-01T10:00:00Z\nann,Muse,yesterday\n")
    result = encore("import", "listens", str(log), "--format", "csv", ENCORE_DATABASE_URL=sqlite_url)
    assert_refused(result, "log.csv")
    assert "3" in result.stderr
    assert "yesterday" in result.stderr
    engine = create_engine(sync_url(sqlite_url))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM plays")).scalar() == 0
    engine.dispose()


def test_reset_is_for_the_local_network_alone() -> None:
    result = encore("reset", "--yes", ENCORE_NETWORK="sepolia", ENCORE_RPC_URLS="https://rpc.example")
    assert_refused(result, "`encore reset` is for the local network; ENCORE_NETWORK is sepolia")


def test_reset_empties_the_data_folder_and_nothing_else(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path}/encore.db")
    (tmp_path / "chain").mkdir()
    (tmp_path / "chain" / "anvil.json").write_text("{}")
    (tmp_path / "mine.txt").write_text("keep")
    result = encore("reset", "--yes", ENCORE_DATA_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "chain").exists()
    assert not (tmp_path / "encore.db").exists()
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_reset_empties_a_postgresql_database_too(postgres_url: str, tmp_path: Path) -> None:
    result = encore("reset", "--yes", ENCORE_DATA_DIR=str(tmp_path), ENCORE_DATABASE_URL=postgres_url)
    assert result.returncode == 0, result.stderr
    migrate.upgrade(postgres_url)


@pytest.mark.parametrize(
    "command", [[], ["up"], ["db"], ["indexer"], ["oracle"], ["api"], ["import", "listens"], ["demo"]]
)
def test_help_teaches_every_command(command: list[str]) -> None:
    result = encore(*command, "--help")
    assert result.returncode == 0
    assert "Usage: encore" in result.stdout or "Usage: python -m encore" in result.stdout
    assert len(result.stdout.splitlines()) > 3
