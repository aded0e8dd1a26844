"""`encore import listens` as a person runs it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text

from api.listening.cli import BAD_ROWS_SHOWN, import_
from api.listening.importer import BadRowsError
from api.listening.wallets import CreatorWallets
from encore.chain.networks import LOCAL_MNEMONIC
from encore.db.engine import sync_url
from encore.errors import DatabaseError, EncoreError
from tests.api.listening.support import listen, write_lastfm, write_lines


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("ENCORE_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "120")
    return CliRunner()


def listens(run: CliRunner, path: Path, format_name: str) -> Result:
    return run.invoke(import_, ["listens", str(path), "--format", format_name])


def test_a_summary_tells_what_is_new_and_how_fast_it_went(run: CliRunner, tmp_path: Path) -> None:
    folder = write_lastfm(tmp_path / "fm", ("1|Nova|u|", "2|Lux|u|"), ("7|1|5", "8|2|1", "8|1|1"), ("7|8",))

    result = listens(run, folder, "lastfm")

    assert result.exit_code == 0, result.output
    rows = [line.replace("│", " ").split() for line in result.stdout.splitlines()]
    assert ["plays", "3", "3", "0"] in rows
    assert ["creators", "2", "2", "0"] in rows
    assert "6 rows in" in result.stdout
    assert "import: tracks and plays" in result.output


def test_on_the_local_chain_creators_get_wallets_and_elsewhere_not(
    run: CliRunner, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listens(run, write_lines(tmp_path / "1.jsonl", [listen(artist="Nova")]), "listenbrainz")
    monkeypatch.setenv("ENCORE_NETWORK", "sepolia")
    listens(run, write_lines(tmp_path / "2.jsonl", [listen(artist="Lux")]), "listenbrainz")

    engine = create_engine(sync_url(database_url))
    with engine.connect() as connection:
        wallets = connection.execute(text("SELECT wallet FROM creators ORDER BY id")).scalars().all()
    engine.dispose()
    assert wallets == [CreatorWallets(LOCAL_MNEMONIC).address(1), None]


def test_bad_rows_are_shown_in_a_table_and_end_the_command(run: CliRunner, tmp_path: Path) -> None:
    result = listens(run, write_lines(tmp_path / "a.jsonl", [listen(), *["{"] * 30]), "listenbrainz")

    assert isinstance(result.exception, BadRowsError)
    assert str(result.exception) == "30 bad rows; nothing was imported"
    assert f"the first {BAD_ROWS_SHOWN} of 30" in result.output
    assert result.output.count("not JSON") == BAD_ROWS_SHOWN
    assert "a.jsonl" in result.output


def test_a_path_without_a_log_is_one_clear_error(run: CliRunner, tmp_path: Path) -> None:
    for format_name in ("lastfm", "listenbrainz", "csv"):
        result = listens(run, tmp_path / "nowhere", format_name)
        assert isinstance(result.exception, EncoreError)
        assert "nowhere" in str(result.exception)


def test_a_database_without_the_schema_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORE_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")

    result = listens(CliRunner(), write_lines(tmp_path / "a.jsonl", [listen()]), "listenbrainz")

    assert isinstance(result.exception, DatabaseError)
