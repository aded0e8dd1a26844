"""C19, `ape run status`, `grant_oracle`, `pause`, `distribute`, `deploy_governor`, `upgrade`: what an operator does."""

import gc
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ape import networks, project
from ape_ethereum.provider import EthereumNodeProvider
from click.testing import CliRunner, Result

from encore.chain.deployments import Deployment, load_deployment
from encore.chain.local_node import chain_command, free_port
from encore.settings import local_account_address
from scripts import deploy, deploy_governor, distribute, grant_oracle, pause, status, upgrade
from scripts._common import contract_at, instance
from tests.contracts.conftest import COIN, Actors
from tests.support import stop_process, wait_until_listening

ORACLE, CREATOR, STRANGER = (local_account_address(index) for index in (1, 2, 7))
SUPPLY = 100_000_000 * COIN
MOTTO = "Sound for everybody"

# Ape leaves sockets open when it disconnects from a node; a script's process ends there.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)


class KilledError(Exception):
    """Stands for a kill -9 at a chosen moment."""


@dataclass(frozen=True)
class Operator:
    """Somebody at a terminal of a checkout, connected to a chain with everything deployed."""

    url: str
    data_dir: Path

    @property
    def deployment(self) -> Deployment:
        return load_deployment(self.data_dir / "deployments" / "local.json")

    def run(self, script: Any, *arguments: str) -> Result:
        env = {"ENCORE_DATA_DIR": str(self.data_dir), "ENCORE_RPC_URLS": self.url}
        return CliRunner(env=env, mix_stderr=False).invoke(script.cli, arguments)

    def done(self, script: Any, *arguments: str) -> str:
        result = self.run(script, *arguments)
        assert result.exit_code == 0, result.output + result.stderr
        return result.output

    def refusal(self, script: Any, *arguments: str) -> str:
        """The one line on which a script that may not go on ends."""
        result = self.run(script, *arguments)
        assert result.exit_code == 1, result.output
        (line,) = (line for line in result.stderr.splitlines() if line.startswith("Error: "))
        assert result.stderr.endswith(f"{line}\n")
        return line.removeprefix("Error: ")

    @contextmanager
    def connected(self) -> Iterator[Deployment]:
        with networks.parse_network_choice(self.url):
            yield self.deployment

    def rpc(self, method: str, *parameters: Any) -> Any:
        with self.connected():
            return networks.provider.make_request(method, list(parameters))

    def launch(self, oracle: Any) -> str:
        """Launch the creator's coin, with a monthly revenue that may be shared; return its address."""
        with self.connected() as deployment:
            metrics, factory = (
                contract_at(deployment, f"Creator{name}") for name in ("MetricsManager", "TokenFactory")
            )
            metrics.updateCreatorMetrics(CREATOR, 60_000, 6_000, 2 * COIN, 5_000, sender=oracle)
            factory.launchCreatorCoin(CREATOR, "Ada", "ADA", "", "", sender=oracle, value=100 * COIN)
            return str(factory.coinOf(CREATOR))


@pytest.fixture(scope="module")
def deployed(contracts: Any, actors: Actors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """A chain of this module's own, everything deployed by the command."""
    port = free_port()
    process = subprocess.Popen(chain_command(port, None))
    try:
        wait_until_listening(port)
        operator = Operator(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("operator"))
        operator.done(deploy)
        yield operator
        gc.collect()
    finally:
        stop_process(process)


@pytest.fixture
def operator(deployed: Operator, tmp_path: Path) -> Iterator[Operator]:
    """The same for one test, which leaves no trace."""
    snapshot = deployed.rpc("evm_snapshot")
    shutil.copytree(deployed.data_dir, tmp_path, dirs_exist_ok=True)
    yield Operator(deployed.url, tmp_path)
    deployed.rpc("evm_revert", snapshot)


# deploy


def test_the_command_deploys_and_says_what_it_did(deployed: Operator) -> None:
    output = deployed.done(deploy)

    for name, contract in deployed.deployment.contracts.items():
        assert f"{name} " in output
        assert contract.address in output
    assert "kept" in output
    assert "deployed" not in output
    assert "quorum 1" in output


def test_a_contract_that_the_signer_may_not_wire_is_told(operator: Operator, actors: Actors) -> None:
    assert operator.refusal(deploy, "--guardian", "0x12") == "'0x12' is not an address"
    assert "lacks a role" in operator.refusal(deploy, "--guardian", STRANGER)


# status


def test_status_shows_contracts_requirements_spark_governance_and_coins(operator: Operator, actors: Actors) -> None:
    coin = operator.launch(actors.oracle)

    output = operator.done(status)

    for text in ("SparkMarketplace", "50,000", "100.0000 ETH", "1 of 1", "100,000,000.0000", "Spark Governor", "4 %"):
        assert text in output
    (line,) = (line for line in output.splitlines() if coin in line)
    for text in ("ADA", CREATOR, "100.0000", "open"):
        assert text in line


def test_status_without_a_deployment_says_how_to_get_one(deployed: Operator, tmp_path: Path) -> None:
    assert "no deployment at" in Operator(deployed.url, tmp_path).refusal(status)


# grant_oracle


def test_an_oracle_is_granted_and_withdrawn_once(operator: Operator) -> None:
    assert "done: 2 transaction(s)" in operator.done(grant_oracle, STRANGER)
    assert "nothing to do: " in operator.done(grant_oracle, STRANGER)
    with operator.connected() as deployment:
        assert contract_at(deployment, "CreatorMetricsManager").isOracle(STRANGER)
        assert contract_at(deployment, "CreatorTokenFactory").isLauncher(STRANGER)
    assert "done: 2 transaction(s)" in operator.done(grant_oracle, STRANGER, "--revoke")
    with operator.connected() as deployment:
        assert not contract_at(deployment, "CreatorMetricsManager").isOracle(STRANGER)
        assert not contract_at(deployment, "CreatorTokenFactory").isLauncher(STRANGER)


def test_a_transaction_that_a_killed_run_left_in_the_pool_is_waited_for_and_not_sent_again(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_and_die(provider: Any, transaction: Any) -> None:
        provider.web3.eth.send_raw_transaction(transaction.serialize_transaction())
        raise KilledError

    owner = local_account_address(0)
    nonce = int(operator.rpc("eth_getTransactionCount", owner, "latest"), 16)
    operator.rpc("evm_setAutomine", False)
    try:
        with monkeypatch.context() as killing:
            killing.setattr(EthereumNodeProvider, "send_transaction", send_and_die)
            assert isinstance(operator.run(grant_oracle, STRANGER).exception, KilledError)
        assert int(operator.rpc("eth_getTransactionCount", owner, "pending"), 16) == nonce + 1
        operator.rpc("evm_setIntervalMining", 1)
        output = operator.done(grant_oracle, STRANGER)
    finally:
        operator.rpc("evm_setIntervalMining", 0)
        operator.rpc("evm_setAutomine", True)

    assert "done: 1 transaction(s)" in output
    assert int(operator.rpc("eth_getTransactionCount", owner, "latest"), 16) == nonce + 2
    assert not (operator.data_dir / "deployments" / "local.pending.json").exists()


def test_withdrawing_an_oracle_that_the_quorum_needs_warns(operator: Operator) -> None:
    assert "nothing is published until another is granted" in operator.done(grant_oracle, ORACLE, "--revoke")


def test_granting_takes_an_address_and_the_owner(operator: Operator, actors: Actors) -> None:
    assert operator.refusal(grant_oracle, "bob") == "'bob' is not an address"
    with operator.connected() as deployment:
        contract_at(deployment, "CreatorMetricsManager").transferOwnership(CREATOR, sender=actors.owner)
    assert f"is owned by {CREATOR}: setOracle is for that account" in operator.refusal(grant_oracle, STRANGER)


# pause


def test_spark_is_paused_and_opened_again(operator: Operator) -> None:
    assert "done: SPARK is paused" in operator.done(pause, "spark")
    assert "paused" in operator.done(status)
    assert "nothing to do: SPARK is paused" in operator.done(pause, "SPARK")
    assert "done: SPARK is open again" in operator.done(pause, "SPARK", "--lift")
    assert "nothing to do: SPARK is not paused" in operator.done(pause, "SPARK", "--lift")


def test_a_pool_is_paused_and_opened_again(operator: Operator, actors: Actors) -> None:
    coin = operator.launch(actors.oracle)

    assert f"done: the pool of {coin} is paused" in operator.done(pause, coin)
    assert "dex: pool paused" in operator.done(status)
    assert f"done: the pool of {coin} is open again" in operator.done(pause, coin, "--lift")
    assert "dex: pool paused" not in operator.done(status)


def test_a_pause_takes_a_pool_and_a_guardian(operator: Operator, actors: Actors) -> None:
    coin = operator.launch(actors.oracle)
    with operator.connected() as deployment:
        exchange, spark = contract_at(deployment, "IntegratedCreatorDEX"), contract_at(deployment, "SparkToken")
        exchange.setGuardian(actors.owner, False, sender=actors.owner)
        spark.renounceRole(spark.PAUSER_ROLE(), actors.owner, sender=actors.owner)

    assert operator.refusal(pause, STRANGER) == f"there is no pool of {STRANGER}"
    assert operator.refusal(pause, "ADA") == "'ADA' is not an address"
    assert operator.refusal(pause, coin).endswith("may not do that: it is for guardians of the exchange")
    assert operator.refusal(pause, "SPARK").endswith("may not do that: it is for PAUSER")


# distribute


def test_revenue_goes_to_holders_and_creator(operator: Operator, actors: Actors) -> None:
    coin = operator.launch(actors.oracle)
    with operator.connected() as deployment:
        contract_at(deployment, "IntegratedCreatorDEX").buyTokens(coin, 0, sender=actors.trader, value=COIN)

    output = operator.done(distribute, CREATOR, "2.5")

    assert "0.2500 ETH" in output
    assert "2.2500 ETH" in output
    with operator.connected() as deployment:
        assert contract_at(deployment, "CreatorTokenFactory").creatorRevenueDue(CREATOR) == 225 * COIN // 100
        assert instance("BalancedCreatorToken", coin).balance == COIN // 4


@pytest.mark.parametrize("amount", ["0", "-1", "much", "NaN", "Infinity", "0.0000000000000000001"])
def test_what_is_no_amount_is_refused(tmp_path: Path, amount: str) -> None:
    nowhere = Operator("http://127.0.0.1:1", tmp_path)

    assert f"{amount!r} is not an amount" in nowhere.refusal(distribute, "--", CREATOR, amount)


def test_revenue_takes_a_coin_and_reported_revenue_and_the_money(operator: Operator, actors: Actors) -> None:
    assert operator.refusal(distribute, CREATOR, "1") == f"{CREATOR} has launched no coin"
    operator.launch(actors.oracle)
    assert "has 9" in operator.refusal(distribute, CREATOR, "1000000000")
    assert "the holders' share of 0.001 ETH is below 0.0010" in operator.refusal(distribute, CREATOR, "0.001")
    with operator.connected() as deployment:
        metrics = contract_at(deployment, "CreatorMetricsManager")
        metrics.updateCreatorMetrics(CREATOR, 60_000, 6_000, COIN // 2, 5_000, sender=actors.oracle)
    assert "Revenue backing not enabled" in operator.refusal(distribute, CREATOR, "1")


# deploy_governor


def test_a_coin_gets_a_governor_of_its_own_once(operator: Operator, actors: Actors) -> None:
    coin = operator.launch(actors.oracle)

    first = operator.done(deploy_governor, coin)
    second = operator.done(deploy_governor, coin)

    assert first.splitlines()[-2:] == second.splitlines()[-2:]
    assert "ADA Governor" in operator.done(status)
    with operator.connected() as deployment:
        governor, timelock = (contract_at(deployment, f"Creator{name}:{coin}") for name in ("Governor", "Timelock"))
        assert (governor.token(), governor.timelock(), governor.name()) == (coin, timelock, "ADA Governor")
        assert governor.proposalThreshold() == instance("CreatorToken", coin).totalSupply() // 100_000
        for role in (timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE(), timelock.DEFAULT_ADMIN_ROLE()):
            assert not timelock.hasRole(role, actors.owner)
        assert timelock.hasRole(timelock.PROPOSER_ROLE(), governor)
        assert timelock.hasRole(timelock.CANCELLER_ROLE(), governor)
    # The platform's governance and a later deployment do not mind it.
    assert "kept" in operator.done(deploy)


def test_only_a_coin_gets_a_governor(operator: Operator) -> None:
    assert operator.refusal(deploy_governor, STRANGER) == f"{STRANGER} is not a creator token"


# upgrade


def migration() -> str:
    with_motto = project.SparkTokenV2.contract_type.mutable_methods["initializeV2"]
    encoded = networks.ethereum.encode_calldata(with_motto, MOTTO)
    return "0x" + (bytes(networks.ethereum.get_method_selector(with_motto)) + bytes(encoded)).hex()


def test_spark_is_upgraded_in_two_runs_with_the_delay_between_them(operator: Operator) -> None:
    command = ("SparkTokenV2", "--data", migration())

    assert "scheduled; run the same command again from" in operator.done(upgrade, *command)
    assert "scheduled; run the same command again from" in operator.done(upgrade, *command)
    operator.rpc("evm_increaseTime", 3_600)
    operator.rpc("evm_mine")
    assert "done: SPARK runs SparkTokenV2" in operator.done(upgrade, *command)
    assert "done: SPARK runs SparkTokenV2" in operator.done(upgrade, *command)
    with operator.connected() as deployment:
        spark = instance("SparkTokenV2", deployment.address("SparkToken"))
        assert (spark.motto(), spark.totalSupply()) == (MOTTO, SUPPLY)
        assert sum(name.startswith("SparkTokenImplementation") for name in deployment.contracts) == 2
    # Not back to a version without the new variable, and deploying again leaves the upgrade alone.
    assert "the storage of SparkToken would clash: " in operator.refusal(upgrade, "SparkToken")
    assert "kept" in operator.done(deploy)


def test_a_version_whose_storage_clashes_is_refused_before_anything_is_sent(operator: Operator) -> None:
    with operator.connected():
        nonce = networks.provider.get_nonce(local_account_address(0))

    assert "the storage of SparkTokenClashing would clash: erc1967._implementation" in operator.refusal(
        upgrade, "SparkTokenClashing"
    )
    with operator.connected():
        assert networks.provider.get_nonce(local_account_address(0)) == nonce


def test_an_upgrade_takes_another_version_that_exists_and_calldata(operator: Operator) -> None:
    assert "SPARK runs SparkToken as it is in contracts/ already" in operator.refusal(upgrade)
    assert operator.refusal(upgrade, "SparkTokenV3") == "there is no contract 'SparkTokenV3' in contracts/"
    assert operator.refusal(upgrade, "SparkTokenV2", "--data", "0xzz") == "--data '0xzz' is not hexadecimal"
    assert "--data takes at most 896 bytes, not 897" in operator.refusal(upgrade, "SparkTokenV2", "--data", "00" * 897)


def test_who_may_not_schedule_gets_the_call_for_the_governor(operator: Operator, actors: Actors) -> None:
    with operator.connected() as deployment:
        timelock = contract_at(deployment, "CreatorTimelock")
        timelock.renounceRole(timelock.PROPOSER_ROLE(), actors.owner, sender=actors.owner)

    output = operator.done(upgrade, "SparkTokenV2")

    with operator.connected() as deployment:
        assert f"put to the vote with the governor: {deployment.address('SparkToken')}, calldata 0x" in output


# all of them


@pytest.mark.parametrize("script", [deploy, status, grant_oracle, pause, distribute, deploy_governor, upgrade])
def test_help_teaches_with_an_example(script: Any) -> None:
    result = CliRunner().invoke(script.cli, ["--help"])

    assert result.exit_code == 0
    name = script.__name__.removeprefix("scripts.")
    assert f"  ape run {name}" in result.output
    assert "--network" in result.output
