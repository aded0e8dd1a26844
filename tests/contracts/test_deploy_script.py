"""`ape run deploy`: everything once, wired, and finished by a second run wherever the first one stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from encore.chain.deployments import load_deployment
from encore.chain.local_node import free_port
from encore.errors import DeploymentError
from encore.settings import Settings, load_settings
from scripts import _registry
from scripts._common import contract_at, refuse_development_account, signing_account
from scripts.deploy import MAX_METRICS_AGE_SECONDS, deploy
from tests.contracts.conftest import COIN, ZERO_ADDRESS, Actors

NAMES = [
    "CreatorTokenBlueprint",
    "BalancedCreatorTokenBlueprint",
    "TokenDeploymentFactory",
    "CreatorMetricsManager",
    "IntegratedCreatorDEX",
    "CreatorTokenFactory",
]
WIRING = 3
DEADLINE_SECONDS = 120


class KilledError(Exception):
    """Stands for a kill -9 at a chosen moment."""


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, launch_min_streams=500, launch_min_followers=40)


def test_a_first_run_deploys_and_wires_everything(contracts: Any, actors: Actors, local: Settings) -> None:
    nonce = actors.owner.nonce

    outcome = deploy(local, actors.owner, actors.oracle.address)

    assert list(outcome.deployed) == list(outcome.deployment.contracts) == NAMES
    assert actors.owner.nonce == nonce + len(NAMES) + WIRING
    registry = load_deployment(local.deployment_path)
    assert registry == outcome.deployment
    assert (registry.network, registry.chain_id, registry.deployer) == ("local", 31337, actors.owner.address)
    assert registry.block_number == registry.contracts["CreatorTokenBlueprint"].block_number
    deployer, metrics, factory, dex = (contract_at(registry, NAMES[index]) for index in (2, 3, 5, 4))
    assert deployer.isFactory(factory)
    assert deployer.creatorTokenBlueprint() == registry.address("CreatorTokenBlueprint")
    assert deployer.balancedCreatorTokenBlueprint() == registry.address("BalancedCreatorTokenBlueprint")
    assert metrics.isOracle(actors.oracle)
    assert tuple(metrics.launchRequirements()) == (500, 40, MAX_METRICS_AGE_SECONDS)
    assert factory.isLauncher(actors.oracle)
    assert factory.minimumSeed() == 100 * COIN
    assert factory.launchFeeRecipient() == actors.owner
    assert (factory.deployer(), factory.metricsManager(), factory.exchange()) == (deployer, metrics, dex)
    assert dex.registry() == deployer


def test_a_second_run_sends_nothing(contracts: Any, actors: Actors, local: Settings) -> None:
    first = deploy(local, actors.owner, actors.oracle.address)
    nonce = actors.owner.nonce

    second = deploy(local, actors.owner, actors.oracle.address)

    assert second.deployment == first.deployment
    assert (second.deployed, second.calls) == ((), ())
    assert actors.owner.nonce == nonce


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        *((name, "after it was sent") for name in NAMES),
        *((name, moment) for name in NAMES[::2] for moment in ("before it was sent", "after it was recorded")),
    ],
)
def test_a_killed_run_is_finished_without_deploying_twice(
    contracts: Any, actors: Actors, local: Settings, monkeypatch: pytest.MonkeyPatch, *, name: str, moment: str
) -> None:
    first_nonce = actors.owner.nonce
    write, record = _registry._replace, _registry.Registry._record

    def kill_before_sending(path: Path, content: Any) -> None:
        write(path, content)
        if getattr(content, "contract", None) == name:
            raise KilledError

    def kill_before_recording(registry: Any, pending: Any, receipt: Any) -> str:
        if pending.contract == name:
            raise KilledError
        return record(registry, pending, receipt)

    def kill_after_recording(registry: Any, pending: Any, receipt: Any) -> str:
        address = record(registry, pending, receipt)
        if pending.contract == name:
            raise KilledError
        return address

    with monkeypatch.context() as killing:
        if moment == "before it was sent":
            killing.setattr(_registry, "_replace", kill_before_sending)
        elif moment == "after it was sent":
            killing.setattr(_registry.Registry, "_record", kill_before_recording)
        else:
            killing.setattr(_registry.Registry, "_record", kill_after_recording)
        with pytest.raises(KilledError):
            deploy(local, actors.owner, actors.oracle.address)

    outcome = deploy(local, actors.owner, actors.oracle.address)

    assert list(outcome.deployment.contracts) == NAMES
    assert actors.owner.nonce == first_nonce + len(NAMES) + WIRING
    assert not local.deployment_path.with_suffix(".pending.json").exists()


def test_changed_requirements_are_written_on_chain(contracts: Any, actors: Actors, local: Settings) -> None:
    deploy(local, actors.owner, actors.oracle.address)
    changed = load_settings(data_dir=local.data_dir, launch_min_streams=7, launch_min_followers=3, launch_seed="0.25")

    outcome = deploy(changed, actors.owner, actors.oracle.address)

    assert outcome.calls == (
        f"setLaunchRequirements(7, 3, {MAX_METRICS_AGE_SECONDS})",
        f"setMinimumSeed({COIN // 4})",
    )
    metrics = contract_at(outcome.deployment, "CreatorMetricsManager")
    assert tuple(metrics.launchRequirements()) == (7, 3, MAX_METRICS_AGE_SECONDS)
    assert contract_at(outcome.deployment, "CreatorTokenFactory").minimumSeed() == COIN // 4


def test_wiring_is_left_to_the_owner(contracts: Any, actors: Actors, local: Settings) -> None:
    outcome = deploy(local, actors.owner, actors.oracle.address)
    metrics = contract_at(outcome.deployment, "CreatorMetricsManager")
    metrics.transferOwnership(actors.stranger, sender=actors.owner)

    deploy(local, actors.owner, actors.oracle.address)
    with pytest.raises(DeploymentError, match=f"owned by {actors.stranger.address}: setOracle is for that account"):
        deploy(local, actors.owner, actors.trader.address)


def test_a_registry_of_contracts_that_the_chain_lost_is_refused(
    contracts: Any, actors: Actors, local: Settings
) -> None:
    deploy(local, actors.owner, actors.oracle.address)
    registry = json.loads(local.deployment_path.read_text())
    registry["contracts"]["IntegratedCreatorDEX"]["address"] = actors.stranger.address
    local.deployment_path.write_text(json.dumps(registry))

    with pytest.raises(DeploymentError, match=r"IntegratedCreatorDEX.*does not have.*make reset"):
        deploy(local, actors.owner, actors.oracle.address)


def test_a_registry_of_another_chain_is_refused(contracts: Any, actors: Actors, local: Settings) -> None:
    deploy(local, actors.owner, actors.oracle.address)
    registry = json.loads(local.deployment_path.read_text())
    local.deployment_path.write_text(json.dumps(registry | {"chain_id": 1}))

    with pytest.raises(DeploymentError, match="is of chain 1, not 31337"):
        deploy(local, actors.owner, actors.oracle.address)


def test_development_accounts_are_refused_on_public_networks(actors: Actors, tmp_path: Path) -> None:
    public = load_settings(network="sepolia", data_dir=tmp_path, rpc_urls=("http://127.0.0.1:1",))

    with pytest.raises(DeploymentError, match="whose key is public"):
        refuse_development_account(public, actors.owner.address)
    with pytest.raises(DeploymentError, match="--account ALIAS"):
        signing_account(public, None)
    with pytest.raises(DeploymentError, match="no account 'nobody'"):
        signing_account(public, "nobody")
    refuse_development_account(public, ZERO_ADDRESS)


# the command itself, against a chain of its own


@pytest.fixture
def start(root: Path, tmp_path: Path, start_chain: Callable[..., Any]) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts `ape run deploy` on a chain of the test's own, with a data folder of its own."""
    chain_port = start_chain().port

    def start_deploy(**variables: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [Path(sys.executable).with_name("ape"), "run", "deploy"],
            cwd=root,
            env=os.environ
            | {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "ENCORE_DATA_DIR": str(tmp_path),
                "ENCORE_CHAIN_PORT": str(chain_port),
            }
            | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start_deploy


def test_the_command_survives_kill_9(
    contracts: Any, start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    registry = tmp_path / "deployments" / "local.json"
    with start() as killed:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not registry.exists() and killed.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        with suppress(ProcessLookupError):
            killed.send_signal(signal.SIGKILL)
        killed.communicate()
    already = load_deployment(registry)

    with start() as resumed:
        output, _ = resumed.communicate(timeout=DEADLINE_SECONDS)

    assert resumed.returncode == 0, output
    finished = load_deployment(registry)
    assert list(finished.contracts) == NAMES
    assert finished.contracts.items() >= already.contracts.items()
    # The n-th contract of a deployer that deployed nothing twice has nonce n: addresses follow from the nonces alone.
    assert len({contract.block_number for contract in finished.contracts.values()}) == len(NAMES)
    assert max(contract.block_number for contract in finished.contracts.values()) == len(NAMES)


def test_the_command_tells_what_is_wrong_in_one_line(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    with start(ENCORE_CHAIN_PORT=str(free_port())) as process:
        output, _ = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == 1
    assert output.splitlines()[-1].startswith("Error: cannot connect to http://127.0.0.1")
