"""Encore's contracts: what is deployed in which order, with what, and how it is wired; each step once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ape.api import AccountAPI

from encore.chain.deployments import Deployment
from encore.errors import DeploymentError
from encore.settings import Settings
from scripts._common import EXPORTED_CONTRACTS, contract_at, instance
from scripts._compile import compile_contracts
from scripts._governance import deploy_governor, deploy_timelock, governance_terms, hand_over
from scripts._registry import Registry
from scripts._wiring import Wiring

MAX_METRICS_AGE_SECONDS: Final = 7 * 86_400
MARKETPLACE_FEE_BPS: Final = 250
COLLECTABLES: Final = ("Spark Collectables", "SPARKS")
COLLECTABLES_ROYALTY_BPS: Final = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: the registry, the contracts that it deployed, the calls that it sent."""

    deployment: Deployment
    deployed: tuple[str, ...]
    calls: tuple[str, ...]


def deploy(settings: Settings, signer: AccountAPI, oracles: Sequence[str], guardian: str | None = None) -> Outcome:
    """Deploy what is missing on the connected chain, and wire it.

    The signer becomes owner, recipient of the platform's fees and holder of SPARK; the `oracles` report and launch, the
    first of them also opens paid content; `guardian`, beside the signer, pauses pools and cancels what waits in the
    timelock. All contracts come before all calls, so that their addresses follow from the signer's nonces alone,
    whenever a run was interrupted. Raises `DeploymentError` where the signer may not do what is missing.
    """
    compile_contracts(*EXPORTED_CONTRACTS)
    registry = Registry(settings, signer)
    _check_quorum(settings, registry.deployment, oracles)
    _deploy_coin_economy(settings, registry)
    _deploy_spark(settings, registry)
    _deploy_nfts(settings, registry)
    wiring = Wiring(registry)
    _wire_coin_economy(settings, wiring, oracles)
    _wire_nfts(settings, wiring, oracles[0])
    if guardian is not None:
        exchange = contract_at(registry.deployment, "IntegratedCreatorDEX")
        wiring.ensure(exchange.isGuardian(guardian), exchange, "setGuardian", guardian, True)
        # Who can stop a proposer that was stolen: the governor's votes take longer than the delay. It must not be a
        # PAUSER of SPARK, too: a key that stops transfers and its own dismissal would freeze SPARK for good.
        wiring.grant(contract_at(registry.deployment, "CreatorTimelock"), "CANCELLER_ROLE", guardian)
    _hand_spark_over(wiring)
    hand_over(wiring)
    return Outcome(registry.deployment, tuple(registry.deployed_now), tuple(wiring.calls))


def _check_quorum(settings: Settings, deployment: Deployment, oracles: Sequence[str]) -> None:
    """Raise before anything is sent if the chain would refuse the quorum in the end."""
    count = len(set(oracles))
    if "CreatorMetricsManager" in deployment.contracts:
        metrics = contract_at(deployment, "CreatorMetricsManager")
        count = metrics.oracleCount() + sum(not metrics.isOracle(oracle) for oracle in set(oracles))
    if settings.required_oracles > count:
        raise DeploymentError(
            f"a quorum of {settings.required_oracles} needs as many oracles, and there are {count}: name them with "
            "--oracle, or set ENCORE_ORACLE_QUORUM"
        )


def _deploy_coin_economy(settings: Settings, registry: Registry) -> None:
    blueprints = [
        registry.ensure_blueprint(f"{name}Blueprint", of_contract=name)
        for name in ("CreatorToken", "BalancedCreatorToken")
    ]
    deployer = registry.ensure_contract("TokenDeploymentFactory", *blueprints)
    metrics = registry.ensure_contract(
        "CreatorMetricsManager", settings.launch_min_streams, settings.launch_min_followers, MAX_METRICS_AGE_SECONDS
    )
    exchange = registry.ensure_contract("IntegratedCreatorDEX", deployer)
    registry.ensure_contract(
        "CreatorTokenFactory", deployer, metrics, exchange, registry.account.address, settings.launch_seed_wei
    )


def _deploy_spark(settings: Settings, registry: Registry) -> None:
    signer = registry.account.address
    terms = governance_terms(settings)
    timelock = deploy_timelock(registry, terms, proposers=[signer])
    implementation = registry.ensure_contract("SparkTokenImplementation", source="SparkToken")
    initialisation = instance("SparkToken", implementation).initialize.encode_input(signer, timelock, signer)
    spark = registry.ensure_contract("SparkToken", implementation, initialisation, source="ERC1967Proxy")
    deploy_governor(registry, terms, name="Spark Governor", token=spark, timelock=timelock)


def _deploy_nfts(settings: Settings, registry: Registry) -> None:
    signer = registry.account.address
    deployer, factory, spark = (
        registry.deployment.address(name) for name in ("TokenDeploymentFactory", "CreatorTokenFactory", "SparkToken")
    )
    music = registry.ensure_contract("MusicNFT", deployer, factory, settings.media_base_url)
    registry.ensure_contract("ContentAccess", factory, music)
    registry.ensure_contract(
        "SparkNFT", *COLLECTABLES, settings.collectables_base_url, signer, COLLECTABLES_ROYALTY_BPS
    )
    registry.ensure_contract("SparkMarketplace", spark, signer, MARKETPLACE_FEE_BPS)


def _wire_coin_economy(settings: Settings, wiring: Wiring, oracles: Sequence[str]) -> None:
    deployer, metrics, factory = (
        contract_at(wiring.registry.deployment, name)
        for name in ("TokenDeploymentFactory", "CreatorMetricsManager", "CreatorTokenFactory")
    )
    wiring.ensure(deployer.isFactory(factory), deployer, "setFactory", factory.address, True)
    for oracle in oracles:
        wiring.ensure(metrics.isOracle(oracle), metrics, "setOracle", oracle, True)
        wiring.ensure(factory.isLauncher(oracle), factory, "setLauncher", oracle, True)
    quorum = settings.required_oracles
    wiring.ensure(metrics.quorum() == quorum, metrics, "setQuorum", quorum)
    required = metrics.launchRequirements()
    wanted = (settings.launch_min_streams, settings.launch_min_followers)
    wiring.ensure(
        (required.minMonthlyStreams, required.minFollowers) == wanted,
        *(metrics, "setLaunchRequirements", *wanted, required.maxMetricsAge),
    )
    seed = settings.launch_seed_wei
    wiring.ensure(factory.minimumSeed() == seed, factory, "setMinimumSeed", seed)


def _wire_nfts(settings: Settings, wiring: Wiring, access_manager: str) -> None:
    music, access, collectables = (
        contract_at(wiring.registry.deployment, name) for name in ("MusicNFT", "ContentAccess", "SparkNFT")
    )
    wiring.grant(access, "ACCESS_ROLE", access_manager)
    for contract, current, method, wanted in (
        (music, music.mediaBaseUri(), "setMediaBaseUri", settings.media_base_url),
        (collectables, collectables.baseUri(), "setBaseUri", settings.collectables_base_url),
    ):
        wiring.ensure_by_role(current == wanted, contract, "DEFAULT_ADMIN_ROLE", method, wanted)


def _hand_spark_over(wiring: Wiring) -> None:
    """Let the timelock administer and mint SPARK, which the signer then cannot; the signer keeps PAUSER."""
    spark = contract_at(wiring.registry.deployment, "SparkToken")
    timelock = wiring.registry.deployment.address("CreatorTimelock")
    # The administration goes last: while the signer has it, an interrupted run can be finished.
    if wiring.signer_has(spark, "DEFAULT_ADMIN_ROLE"):
        wiring.grant(spark, "DEFAULT_ADMIN_ROLE", timelock)
        wiring.grant(spark, "MINTER_ROLE", timelock)
        wiring.renounce(spark, "MINTER_ROLE")
        wiring.renounce(spark, "DEFAULT_ADMIN_ROLE")
