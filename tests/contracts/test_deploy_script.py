"""C18, `ape run deploy`: everything once, wired, and finished by a second run wherever the first one stopped."""

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
from encore.settings import Settings, load_settings, local_account_address
from scripts import _registry
from scripts._common import contract_at
from scripts._system import MARKETPLACE_FEE_BPS, MAX_METRICS_AGE_SECONDS, Outcome, deploy
from tests.contracts.conftest import COIN, ZERO_ADDRESS, Actors
from tests.contracts.voting import IMPLEMENTATION_SLOT

NAMES = [
    "CreatorTokenBlueprint",
    "BalancedCreatorTokenBlueprint",
    "TokenDeploymentFactory",
    "CreatorMetricsManager",
    "IntegratedCreatorDEX",
    "CreatorTokenFactory",
    "CreatorTimelock",
    "SparkTokenImplementation",
    "SparkToken",
    "CreatorGovernor",
    "MusicNFT",
    "ContentAccess",
    "SparkNFT",
    "SparkMarketplace",
]
WIRING = 11
DEADLINE_SECONDS = 120


class KilledError(Exception):
    """Stands for a kill -9 at a chosen moment."""


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, launch_min_streams=500, launch_min_followers=40)


def run(settings: Settings, actors: Actors, *oracles: Any, guardian: str | None = None) -> Outcome:
    """Deploy as the owner, by default with one oracle."""
    addresses = [oracle.address for oracle in oracles or (actors.oracle,)]
    return deploy(settings, actors.owner, addresses, guardian)


def test_a_first_run_deploys_and_wires_the_coin_economy(contracts: Any, actors: Actors, local: Settings) -> None:
    nonce = actors.owner.nonce

    outcome = run(local, actors)

    assert list(outcome.deployed) == list(outcome.deployment.contracts) == NAMES
    assert len(outcome.calls) == WIRING
    assert actors.owner.nonce == nonce + len(NAMES) + WIRING
    registry = load_deployment(local.deployment_path)
    assert registry == outcome.deployment
    assert (registry.network, registry.chain_id, registry.deployer) == ("local", 31337, actors.owner.address)
    assert registry.block_number == registry.contracts["CreatorTokenBlueprint"].block_number
    deployer, metrics, factory, dex = (contract_at(registry, NAMES[index]) for index in (2, 3, 5, 4))
    assert deployer.isFactory(factory)
    assert deployer.creatorTokenBlueprint() == registry.address("CreatorTokenBlueprint")
    assert deployer.balancedCreatorTokenBlueprint() == registry.address("BalancedCreatorTokenBlueprint")
    assert (metrics.isOracle(actors.oracle), metrics.quorum()) == (True, 1)
    assert tuple(metrics.launchRequirements()) == (500, 40, MAX_METRICS_AGE_SECONDS)
    assert factory.isLauncher(actors.oracle)
    assert factory.minimumSeed() == 100 * COIN
    assert factory.launchFeeRecipient() == actors.owner
    assert (factory.deployer(), factory.metricsManager(), factory.exchange()) == (deployer, metrics, dex)
    assert dex.registry() == deployer
    assert dex.isGuardian(actors.owner)


def test_a_first_run_puts_spark_under_its_timelock(contracts: Any, actors: Actors, local: Settings) -> None:
    registry = run(local, actors).deployment

    spark, timelock, governor = (
        contract_at(registry, name) for name in ("SparkToken", "CreatorTimelock", "CreatorGovernor")
    )
    implementation = bytes(spark.provider.get_storage(spark.address, IMPLEMENTATION_SLOT))[-20:]
    assert implementation == bytes.fromhex(registry.address("SparkTokenImplementation")[2:])
    assert spark.balanceOf(actors.owner) == spark.totalSupply() == 100_000_000 * COIN
    for role in (spark.UPGRADER_ROLE(), spark.DEFAULT_ADMIN_ROLE(), spark.MINTER_ROLE()):
        assert (spark.hasRole(role, timelock), spark.hasRole(role, actors.owner)) == (True, False)
    assert spark.hasRole(spark.PAUSER_ROLE(), actors.owner)
    assert (governor.token(), governor.timelock()) == (spark, timelock)
    assert governor.proposalThreshold() == 1_000 * COIN
    for role in (timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE()):
        assert timelock.hasRole(role, governor)
        assert timelock.hasRole(role, actors.owner)
    assert timelock.hasRole(timelock.EXECUTOR_ROLE(), ZERO_ADDRESS)
    assert not timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), actors.owner)


def test_a_first_run_wires_nfts_access_and_marketplace(contracts: Any, actors: Actors, local: Settings) -> None:
    registry = run(local, actors).deployment

    factory, spark = registry.address("CreatorTokenFactory"), registry.address("SparkToken")
    music, access, collectables, market = (contract_at(registry, name) for name in NAMES[10:])
    assert (music.registry(), music.factory()) == (registry.address("TokenDeploymentFactory"), factory)
    assert (access.factory(), access.musicNft()) == (factory, music)
    assert access.hasRole(access.ACCESS_ROLE(), actors.oracle)
    assert collectables.hasRole(collectables.MINTER_ROLE(), actors.owner)
    assert (market.spark(), market.feeRecipient(), market.feeBps()) == (spark, actors.owner, MARKETPLACE_FEE_BPS)


def test_the_registry_says_how_each_contract_was_made(contracts: Any, actors: Actors, local: Settings) -> None:
    registry = run(local, actors).deployment

    made = registry.contracts["SparkToken"]
    assert made.source == "ERC1967Proxy"
    implementation, initialisation = made.constructor_arguments
    assert implementation == registry.address("SparkTokenImplementation")
    assert registry.address("CreatorTimelock")[2:].lower() in initialisation
    assert registry.contracts["SparkTokenImplementation"].source == "SparkToken"
    assert registry.contracts["CreatorTokenBlueprint"].source is None
    assert all(contract.code_hash.startswith("0x") for contract in registry.contracts.values())


def test_a_second_run_sends_nothing(contracts: Any, actors: Actors, local: Settings) -> None:
    first = run(local, actors)
    nonce = actors.owner.nonce

    second = run(local, actors)

    assert second.deployment == first.deployment
    assert (second.deployed, second.calls) == ((), ())
    assert actors.owner.nonce == nonce


BEFORE_SENDING, SENT, RECORDED = range(3)


class Killer:
    """Kills a run at each of some moments of each transaction, once."""

    def __init__(self, account: Any, *moments: int) -> None:
        self._account = account
        self._moments = moments
        self._replace, self._send = _registry.replace_file, _registry.Registry._send
        self.killed: set[tuple[int, int]] = set()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_registry, "replace_file", self._killed_writing)

        def send(*arguments: Any) -> Any:  # a function, which becomes a method of the registry
            return self._killed_sending(*arguments)

        monkeypatch.setattr(_registry.Registry, "_send", send)

    def _killed_writing(self, path: Path, content: Any) -> None:
        self._replace(path, content)
        if path.name.endswith(".pending.json"):
            self._strike(BEFORE_SENDING, self._account.nonce)
        else:
            self._strike(RECORDED, self._account.nonce)

    def _killed_sending(self, *arguments: Any) -> Any:
        nonce = self._account.nonce
        receipt = self._send(*arguments)
        self._strike(SENT, nonce)
        return receipt

    def _strike(self, moment: int, nonce: int) -> None:
        if moment in self._moments and (moment, nonce) not in self.killed:
            self.killed.add((moment, nonce))
            raise KilledError


@pytest.mark.parametrize(
    ("moments", "kills"),
    [
        pytest.param((SENT,), len(NAMES) + WIRING, id="after it was sent"),
        pytest.param(
            (BEFORE_SENDING, RECORDED), 2 * len(NAMES) + WIRING, id="before it is sent and as soon as it is recorded"
        ),
    ],
)
def test_a_run_killed_at_every_single_transaction_ends_with_the_same_addresses_and_no_duplicate(
    contracts: Any,
    actors: Actors,
    local: Settings,
    chain: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    moments: tuple[int, ...],
    kills: int,
) -> None:
    chain.mine()
    before, first_nonce = chain.snapshot(), actors.owner.nonce
    uninterrupted = run(local, actors).deployment
    local.deployment_path.unlink()
    chain.restore(before)
    killer, outcome = Killer(actors.owner, *moments), None
    with monkeypatch.context() as killing:
        killer.install(killing)
        while outcome is None:
            with suppress(KilledError):
                outcome = run(local, actors)

    assert len(killer.killed) == kills
    assert actors.owner.nonce == first_nonce + len(NAMES) + WIRING
    addresses = {name: contract.address for name, contract in outcome.deployment.contracts.items()}
    assert addresses == {name: contract.address for name, contract in uninterrupted.contracts.items()}
    assert not local.deployment_path.with_suffix(".pending.json").exists()


def test_a_quorum_takes_as_many_oracles(contracts: Any, actors: Actors, local: Settings) -> None:
    production = load_settings(data_dir=local.data_dir, oracle_quorum=5)
    nonce = actors.owner.nonce

    with pytest.raises(DeploymentError, match=r"a quorum of 5 needs as many oracles, and there are 1: name them"):
        run(production, actors)
    assert actors.owner.nonce == nonce
    seven = [local_account_address(index) for index in range(1, 8)]
    metrics = contract_at(deploy(production, actors.owner, seven).deployment, "CreatorMetricsManager")

    assert (metrics.quorum(), metrics.oracleCount()) == (5, 7)
    with pytest.raises(DeploymentError, match="there are 8"):
        run(load_settings(data_dir=local.data_dir, oracle_quorum=9), actors, actors.owner)


def test_a_guardian_may_pause_pools_and_cancel_upgrades_but_not_pause_spark(
    contracts: Any, actors: Actors, local: Settings
) -> None:
    registry = run(local, actors, guardian=actors.staker.address).deployment

    spark = contract_at(registry, "SparkToken")
    assert contract_at(registry, "IntegratedCreatorDEX").isGuardian(actors.staker)
    timelock = contract_at(registry, "CreatorTimelock")
    assert not spark.hasRole(spark.PAUSER_ROLE(), actors.staker)
    assert timelock.hasRole(timelock.CANCELLER_ROLE(), actors.staker)
    with pytest.raises(DeploymentError, match=r"granting CANCELLER_ROLE to .* is for its admin"):
        run(local, actors, guardian=actors.stranger.address)


def test_changed_addresses_of_metadata_are_written_on_chain(contracts: Any, actors: Actors, local: Settings) -> None:
    run(local, actors)
    changed = load_settings(
        data_dir=local.data_dir,
        launch_min_streams=500,
        launch_min_followers=40,
        media_base_url="https://media.example/",
        collectables_base_url="https://nft.example/",
    )

    outcome = run(changed, actors)

    assert outcome.calls == (
        "MusicNFT.setMediaBaseUri(https://media.example/)",
        "SparkNFT.setBaseUri(https://nft.example/)",
    )
    music = contract_at(outcome.deployment, "MusicNFT")
    music.renounceRole(music.DEFAULT_ADMIN_ROLE(), actors.owner, sender=actors.owner)
    with pytest.raises(DeploymentError, match="setMediaBaseUri is for DEFAULT_ADMIN_ROLE"):
        run(local, actors)


def test_changed_requirements_are_written_on_chain(contracts: Any, actors: Actors, local: Settings) -> None:
    run(local, actors)
    changed = load_settings(data_dir=local.data_dir, launch_min_streams=7, launch_min_followers=3, launch_seed="0.25")

    outcome = run(changed, actors)

    assert outcome.calls == (
        f"CreatorMetricsManager.setLaunchRequirements(7, 3, {MAX_METRICS_AGE_SECONDS})",
        f"CreatorTokenFactory.setMinimumSeed({COIN // 4})",
    )
    metrics = contract_at(outcome.deployment, "CreatorMetricsManager")
    assert tuple(metrics.launchRequirements()) == (7, 3, MAX_METRICS_AGE_SECONDS)
    assert contract_at(outcome.deployment, "CreatorTokenFactory").minimumSeed() == COIN // 4


def test_wiring_is_left_to_the_owner(contracts: Any, actors: Actors, local: Settings) -> None:
    outcome = run(local, actors)
    metrics = contract_at(outcome.deployment, "CreatorMetricsManager")
    metrics.transferOwnership(actors.stranger, sender=actors.owner)

    run(local, actors)
    with pytest.raises(DeploymentError, match=f"owned by {actors.stranger.address}: setOracle is for that account"):
        run(local, actors, actors.trader)


def test_a_registry_of_contracts_that_the_chain_lost_is_refused(
    contracts: Any, actors: Actors, local: Settings
) -> None:
    run(local, actors)
    registry = json.loads(local.deployment_path.read_text())
    registry["contracts"]["IntegratedCreatorDEX"]["address"] = actors.stranger.address
    local.deployment_path.write_text(json.dumps(registry))

    with pytest.raises(DeploymentError, match=r"IntegratedCreatorDEX.*does not have.*make reset"):
        run(local, actors)


def test_a_registry_of_another_chain_is_refused(contracts: Any, actors: Actors, local: Settings) -> None:
    run(local, actors)
    registry = json.loads(local.deployment_path.read_text())
    local.deployment_path.write_text(json.dumps(registry | {"chain_id": 1}))

    with pytest.raises(DeploymentError, match="is of chain 1, not 31337"):
        run(local, actors)


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
