import socket
from pathlib import Path

import pytest

from encore.chain.local_node import free_port
from encore.settings import Settings, load_settings
from encore.stack.preflight import PreflightError, check_compiler, check_ports, only_one


def settings_for(tmp_path: Path, **ports: int) -> Settings:
    return load_settings(data_dir=tmp_path, **{"api_port": free_port(), "chain_port": free_port()} | ports)


@pytest.mark.parametrize("name", ["api_port", "chain_port"])
def test_a_port_that_is_taken_is_told_with_the_variable_that_chooses_another(tmp_path: Path, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = settings_for(tmp_path, **{name: port})
        with pytest.raises(PreflightError, match=f"port {port} is taken .* ENCORE_{name.upper()}"):
            check_ports(settings)


def test_free_ports_pass(tmp_path: Path) -> None:
    check_ports(settings_for(tmp_path))


def test_a_second_stack_on_the_same_data_folder_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path / "data"):
        second = only_one(tmp_path / "data")
        with pytest.raises(PreflightError, match=r"already running on .* \(process \d+\)"):
            second.__enter__()
    with only_one(tmp_path / "data"):
        pass


def test_a_missing_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    check_compiler()
    monkeypatch.setattr("encore.stack.preflight.tool_path", lambda: "/nowhere")
    with pytest.raises(PreflightError, match="the Vyper compiler is missing"):
        check_compiler()
