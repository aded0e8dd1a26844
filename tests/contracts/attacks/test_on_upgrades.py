"""Attacks on SPARK's proxy and its upgrades, each named for what it tries; every one fails."""

from typing import Any

import ape
import pytest
from eth_utils.crypto import keccak

from encore import PROJECT_ROOT
from scripts._storage import STORAGE_DIR, StorageLayout, compiled_layout, storage_clashes
from tests.contracts.conftest import Actors
from tests.contracts.voting import deploy_spark

NOT_A_PROXY = "uups: not called through a proxy"


@pytest.fixture(scope="session")
def spark(contracts: Any, actors: Actors) -> Any:
    """SPARK; the owner upgrades it."""
    return deploy_spark(contracts, actors.owner, admin=actors.owner, upgrader=actors.owner, holder=actors.creator)


@pytest.fixture(scope="session")
def implementation(contracts: Any, actors: Actors) -> Any:
    """An implementation by itself."""
    return actors.owner.deploy(contracts.SparkToken)


@pytest.fixture(scope="session")
def second(contracts: Any, actors: Actors) -> Any:
    """The implementation of the next version."""
    return actors.owner.deploy(contracts.SparkTokenV2)


def test_proxy_initialisation_front_run(contracts: Any, implementation: Any, actors: Actors) -> None:
    with ape.reverts("proxy: initialisation is missing"):
        actors.owner.deploy(contracts.ERC1967Proxy, implementation, b"")


def test_reinitialisation_of_the_proxy(spark: Any, actors: Actors) -> None:
    with ape.reverts("uups: already initialised"):
        spark.initialize(*[actors.stranger] * 3, sender=actors.stranger)
    with ape.reverts("uups: already initialised"):
        spark.upgradeToAndCall(
            spark.provider.network.ecosystem.get_proxy_info(spark.address).target,
            spark.initialize.encode_input(*[actors.owner] * 3),
            sender=actors.owner,
        )


def test_initialisation_of_the_implementation(implementation: Any, second: Any, actors: Actors) -> None:
    for locked in (implementation, second):
        with ape.reverts("uups: already initialised"):
            locked.initialize(*[actors.stranger] * 3, sender=actors.stranger)
    with ape.reverts("uups: already initialised"):
        second.initializeV2("Mine", sender=actors.stranger)
    assert implementation.totalSupply() == 0
    assert not implementation.hasRole(bytes(32), actors.owner)


def test_second_migration(contracts: Any, spark: Any, second: Any, actors: Actors) -> None:
    spark.upgradeToAndCall(second, second.initializeV2.encode_input("Ours"), sender=actors.owner)

    with ape.reverts("uups: already initialised"):
        contracts.SparkTokenV2.at(spark.address).initializeV2("Mine", sender=actors.stranger)


def test_upgrade_by_a_stranger(spark: Any, second: Any, actors: Actors) -> None:
    with ape.reverts("access_control: account is missing role"):
        spark.upgradeToAndCall(second, b"", sender=actors.stranger)


def test_direct_call_of_the_implementation(implementation: Any, second: Any, actors: Actors) -> None:
    for account in (actors.owner, actors.stranger):
        with ape.reverts(NOT_A_PROXY):
            implementation.upgradeToAndCall(second, b"", sender=account)


def test_upgrade_from_storage_that_is_no_proxys(
    contracts: Any, implementation: Any, second: Any, actors: Actors
) -> None:
    wallet = actors.stranger.deploy(contracts.SmartWallet)
    run = {"sender": actors.stranger}
    # Its own storage makes the attacker upgrader, but names no implementation.
    wallet.executeAsOwn(implementation, implementation.initialize.encode_input(*[actors.stranger] * 3), **run)

    with ape.reverts(NOT_A_PROXY):
        wallet.executeAsOwn(implementation, implementation.upgradeToAndCall.encode_input(second, b""), **run)


def test_upgrade_to_what_is_not_uups(contracts: Any, spark: Any, actors: Actors) -> None:
    for target in (
        actors.stranger,
        spark,
        actors.owner.deploy(contracts.SmartWallet),
        actors.owner.deploy(contracts.ProxiableStub, keccak(text="eip1967.proxy.implementation")),
    ):
        with ape.reverts("uups: implementation is not UUPS"):
            spark.upgradeToAndCall(target, b"", sender=actors.owner)


def test_storage_clash_on_upgrade(contracts: Any, spark: Any, actors: Actors) -> None:
    """What a clashing version would do, and that the comparison which stands before every upgrade refuses it."""
    clashing = actors.owner.deploy(contracts.SparkTokenClashing)
    supply = spark.totalSupply()
    spark.upgradeToAndCall(clashing, b"", sender=actors.owner)
    assert spark.totalSupply() != supply
    assert spark.balanceOf(actors.creator) == 0

    recorded = StorageLayout.model_validate_json((STORAGE_DIR / "SparkToken.json").read_bytes())
    proposed = compiled_layout(PROJECT_ROOT / "contracts" / "mocks" / "SparkTokenClashing.vy")
    assert storage_clashes(recorded, proposed)


def test_taking_the_upgraders_role_as_administrator(spark: Any, actors: Actors) -> None:
    spark.grantRole(bytes(32), actors.trader, sender=actors.owner)

    with ape.reverts("access_control: account is missing role"):
        spark.grantRole(spark.UPGRADER_ROLE(), actors.trader, sender=actors.trader)
