"""C20: the networks that Encore runs on, and what a public one is protected from."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ape import accounts, networks
from click.testing import CliRunner
from eth_account import Account

from encore.chain.local_node import chain_command, free_port
from encore.chain.networks import NETWORKS
from encore.errors import DeploymentError
from encore.settings import load_settings, local_account_address, local_account_key
from scripts import deploy
from scripts._common import connected, refuse_development_account, signing_account
from tests.contracts.conftest import ZERO_ADDRESS, Actors
from tests.support import stop_process, wait_until_listening

CHAIN_IDS = {
    "local": 31337,
    "filecoin-calibration": 314159,
    "filecoin": 314,
    "polygon-amoy": 80002,
    "polygon": 137,
    "sepolia": 11155111,
    "ethereum": 1,
}
PUBLIC = [name for name in CHAIN_IDS if name != "local"]

# Ape leaves sockets open when it disconnects from a node; a script's process ends there.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)


def test_encore_knows_these_networks_by_these_chain_ids() -> None:
    assert {name: network.chain_id for name, network in NETWORKS.items()} == CHAIN_IDS


@pytest.mark.parametrize("name", PUBLIC)
def test_the_configuration_of_ape_means_the_same_chain_and_waits_long_enough(name: str) -> None:
    known = NETWORKS[name]

    provider = networks.get_provider_from_choice(known.ape_network, provider_settings={"uri": "http://127.0.0.1:1"})

    assert provider.network.chain_id == known.chain_id
    assert provider.network.block_time == known.block_seconds
    assert provider.network.transaction_acceptance_timeout >= 20 * known.block_seconds
    assert provider.network.required_confirmations >= 1
    assert provider.network.gas_limit.multiplier == 1.25


@pytest.mark.parametrize("name", PUBLIC)
def test_a_node_of_another_chain_is_refused(name: str, anvil: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORE_RPC_URLS", anvil.url)

    for choice in (name, NETWORKS[name].ape_network):
        with pytest.raises(DeploymentError, match=r"31337"), connected(choice):
            pytest.fail("connected to the wrong chain")


def test_a_node_that_does_not_answer_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORE_RPC_URLS", "http://127.0.0.1:1")

    result = CliRunner(mix_stderr=False).invoke(deploy.cli, ["--network", "sepolia"])

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: cannot connect to ethereum:sepolia:node")


# keys


@pytest.fixture
def keyfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], str]:
    """Imports a key under an alias, into a folder of the test's own instead of the home of who runs it."""
    container = accounts.containers["accounts"]
    monkeypatch.setitem(container.__dict__, "data_folder", tmp_path)
    assert container.data_folder == tmp_path

    def write(key: bytes) -> str:
        alias = tmp_path.name
        (tmp_path / f"{alias}.json").write_text(json.dumps(Account.encrypt(key, "secret", kdf="pbkdf2", iterations=1)))
        return alias

    return write


def test_a_development_key_is_refused_on_a_public_network_also_from_a_keyfile(
    actors: Actors, keyfile: Callable[[bytes], str]
) -> None:
    public = load_settings(network="sepolia", rpc_urls=("http://127.0.0.1:1",))

    with pytest.raises(DeploymentError, match="is a development account whose key is public"):
        signing_account(public, keyfile(bytes.fromhex(local_account_key(3)[2:])))
    with pytest.raises(DeploymentError, match="whose key is public"):
        refuse_development_account(public, actors.owner.address)
    with pytest.raises(DeploymentError, match="--account ALIAS"):
        signing_account(public, None)
    with pytest.raises(DeploymentError, match="no account 'TEST::0'"):
        signing_account(public, "TEST::0")
    refuse_development_account(public, ZERO_ADDRESS)


def test_a_key_of_ones_own_signs_on_a_public_network(keyfile: Callable[[bytes], str]) -> None:
    public = load_settings(network="sepolia", rpc_urls=("http://127.0.0.1:1",))
    own = Account.create()

    assert signing_account(public, keyfile(own.key)).address == own.address


def test_locally_the_first_development_account_signs() -> None:
    assert signing_account(load_settings(), None).address == local_account_address(0)


def test_a_public_network_is_signed_on_only_after_a_yes(
    keyfile: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port, own = free_port(), Account.create()
    command = chain_command(port, None)
    command[command.index("--chain-id") + 1] = str(CHAIN_IDS["sepolia"])
    monkeypatch.setenv("ENCORE_RPC_URLS", f"http://127.0.0.1:{port}")
    monkeypatch.setattr("encore.settings.PROJECT_ROOT", tmp_path)
    oracles = [argument for _ in range(5) for argument in ("--oracle", Account.create().address)]
    chain = subprocess.Popen(command)
    try:
        wait_until_listening(port)
        result = CliRunner(mix_stderr=False).invoke(
            deploy.cli, ["--network", "sepolia", "--account", keyfile(own.key), *oracles], input="n\n"
        )
        with connected("sepolia"):
            nonce = networks.provider.get_nonce(own.address)
    finally:
        stop_process(chain)

    assert f"on sepolia (chain 11155111), signed by {own.address}" in result.output
    assert "quorum 5" in result.output
    assert "1.0000 ETH" in result.output
    assert "Go on? [y/N]: n" in result.output
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "Aborted!")
    assert nonce == 0
    assert not (tmp_path / "deployments").exists()
