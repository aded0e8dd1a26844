"""Brownie-style fixtures: actors named by role and the system deployed on py-evm, rolled back after each test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.voting import deploy_spark

COIN = 10**18
YEAR = 365 * 86_400
INITIAL_SUPPLY = 1_000_000 * COIN
MIN_STREAMS = 50_000
MIN_FOLLOWERS = 5_000
MAX_METRICS_AGE = 7 * 86_400
MINIMUM_SEED = COIN
FOREVER = 2**256 - 1
ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"
WIDEST_SAFEGUARDS = (10_000, 10_000, 5_000, 0, 10_000, 5_000, 9_000, 300)


def pytest_configure(config: pytest.Config) -> None:
    """Let pass the warnings of Ape's own dependencies, and roll back here instead of in Ape's plugin.

    The plugin's isolation reorders fixtures: one that a test module overrides under a name of another scope is made
    before the snapshot, and what it did leaks into the next test.
    """
    config.option.disable_isolation = True
    for message in ("Field 'import_remapping' has an incomplete definition", "SELFDESTRUCT opcode present"):
        config.addinivalue_line("filterwarnings", f"ignore:{message}")


@dataclass(frozen=True)
class Actors:
    """Accounts of the local chain by what they do here."""

    owner: Any
    oracle: Any
    creator: Any
    staker: Any
    trader: Any
    provider: Any
    fee_recipient: Any
    stranger: Any


@pytest.fixture(scope="session")
def actors(accounts: Any) -> Actors:
    """The accounts by role."""
    return Actors(*accounts[:8])


@pytest.fixture(autouse=True)
def rolled_back(chain: Any) -> Iterator[None]:
    """Undo on chain whatever a test did; what session fixtures deployed stays, as they are made before."""
    snapshot = chain.snapshot()
    yield
    chain.restore(snapshot)


@pytest.fixture(scope="session")
def contracts(project: Any) -> Any:
    """The compiled project."""
    from scripts._compile import compile_contracts  # noqa: PLC0415 - Ape, and only here

    compile_contracts()
    return project


@pytest.fixture(scope="session")
def blueprint(contracts: Any, actors: Actors) -> Any:
    """The ERC-5202 blueprint of CreatorToken."""
    return actors.owner.declare(contracts.CreatorToken).contract_address


@pytest.fixture(scope="session")
def balanced_blueprint(contracts: Any, actors: Actors) -> Any:
    """The ERC-5202 blueprint of BalancedCreatorToken."""
    return actors.owner.declare(contracts.BalancedCreatorToken).contract_address


@pytest.fixture(scope="session")
def deployer(contracts: Any, actors: Actors, blueprint: str, balanced_blueprint: str) -> Any:
    """The token deployer and registry; the owner may also deploy tokens by itself."""
    deployer = actors.owner.deploy(contracts.TokenDeploymentFactory, blueprint, balanced_blueprint)
    deployer.setFactory(actors.owner, True, sender=actors.owner)
    return deployer


@pytest.fixture(scope="session")
def metrics(contracts: Any, actors: Actors) -> Any:
    """The metrics, with one oracle."""
    metrics = actors.owner.deploy(contracts.CreatorMetricsManager, MIN_STREAMS, MIN_FOLLOWERS, MAX_METRICS_AGE)
    metrics.setOracle(actors.oracle, True, sender=actors.owner)
    return metrics


@pytest.fixture(scope="session")
def dex(contracts: Any, actors: Actors, deployer: Any) -> Any:
    """The exchange, its safeguards as wide as they go: they have a suite of their own."""
    dex = actors.owner.deploy(contracts.IntegratedCreatorDEX, deployer)
    dex.setSafeguards(WIDEST_SAFEGUARDS, sender=actors.owner)
    return dex


@pytest.fixture(scope="session")
def factory(contracts: Any, actors: Actors, deployer: Any, metrics: Any, dex: Any) -> Any:
    """The factory, with the oracle as launcher."""
    factory = actors.owner.deploy(
        contracts.CreatorTokenFactory, deployer, metrics, dex, actors.fee_recipient, MINIMUM_SEED
    )
    deployer.setFactory(factory, True, sender=actors.owner)
    factory.setLauncher(actors.oracle, True, sender=actors.owner)
    return factory


@pytest.fixture(scope="session")
def create_token(contracts: Any, actors: Actors, deployer: Any) -> Callable[..., Any]:
    """Deploys a registered token."""

    def create(symbol: str = "TOK", initial_supply: int = INITIAL_SUPPLY) -> Any:
        receipt = deployer.deployCreatorToken(
            *("A Token", symbol, "About it", "https://img.example/1", initial_supply),
            *(actors.creator, actors.fee_recipient),
            sender=actors.owner,
        )
        (deployed,) = deployer.CreatorTokenDeployed.from_receipt(receipt)
        return contracts.CreatorToken.at(deployed.token)

    return create


@pytest.fixture(scope="session")
def token(create_token: Callable[..., Any]) -> Any:
    """A registered token; the creator holds all of it."""
    return create_token()


@pytest.fixture(scope="session")
def funded_token(create_token: Callable[..., Any], actors: Actors) -> Any:
    """Another token, with a hundred thousand coins each for the staker, the trader and the liquidity provider."""
    token = create_token("FUND")
    for account in (actors.staker, actors.trader, actors.provider):
        token.transfer(account, 100_000 * COIN, sender=actors.creator)
    return token


@pytest.fixture(scope="session")
def pool(dex: Any, funded_token: Any, actors: Actors) -> Any:
    """The exchange with a pool of 10 native coins against 100 000 tokens; everybody approved it."""
    for account in (actors.creator, actors.trader, actors.provider):
        funded_token.approve(dex, FOREVER, sender=account)
    dex.createPool(funded_token, 100_000 * COIN, actors.creator, value=10 * COIN, sender=actors.creator)
    return dex


@pytest.fixture(scope="session")
def hostile(contracts: Any, actors: Actors) -> Any:
    """A contract that refuses the native coin or calls back when it is paid, as it is told."""
    return actors.stranger.deploy(contracts.HostileReceiver)


@pytest.fixture(scope="session")
def music_nft(contracts: Any, actors: Actors, deployer: Any, factory: Any) -> Any:
    """The drops; the creator is registered by role."""
    music_nft = actors.owner.deploy(contracts.MusicNFT, deployer, factory, "https://media.example/")
    music_nft.grantRole(music_nft.CREATOR_ROLE(), actors.creator, sender=actors.owner)
    return music_nft


@pytest.fixture(scope="session")
def spark_nft(contracts: Any, actors: Actors) -> Any:
    """The platform's collectables; the fee recipient also receives 5 % of resales."""
    return actors.owner.deploy(
        contracts.SparkNFT, "Spark Collectables", "SPARKS", "https://nft.example/", actors.fee_recipient, 500
    )


@pytest.fixture(scope="session")
def spark(contracts: Any, actors: Actors) -> Any:
    """SPARK behind its proxy; the owner has every role, the trader, the staker and the provider have some coins."""
    spark = deploy_spark(contracts, actors.owner, admin=actors.owner, upgrader=actors.owner, holder=actors.owner)
    for account in (actors.staker, actors.trader, actors.provider):
        spark.transfer(account, 100_000 * COIN, sender=actors.owner)
    return spark


@pytest.fixture(scope="session")
def marketplace(contracts: Any, actors: Actors, spark: Any) -> Any:
    """The marketplace at its default fee."""
    return actors.owner.deploy(contracts.SparkMarketplace, spark, actors.fee_recipient, 250)


@pytest.fixture(scope="session")
def hostile_trader(contracts: Any, actors: Actors) -> Any:
    """A contract that refuses tokens and coins or calls back when it is given any, as it is told."""
    return actors.stranger.deploy(contracts.HostileTrader)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[2]
