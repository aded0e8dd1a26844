"""C16, upgrades of SPARK: the ERC-1967 proxy, UUPS, and what an upgrade keeps."""

from typing import Any

import ape
import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.contracts.conftest import COIN, FOREVER, ZERO_ADDRESS, Actors
from tests.contracts.signing import sign_permit
from tests.contracts.voting import IMPLEMENTATION_SLOT, delegate, deploy_spark, pass_time

DAY = 86_400
STAKER_INDEX = 3
HELD = 10_000 * COIN
UPGRADER = keccak(text="UPGRADER_ROLE")
MIGRATION = "Sound for everybody"


@pytest.fixture(scope="session")
def timelock(contracts: Any, actors: Actors) -> Any:
    """A timelock of a day, to which the owner proposes and which anybody executes."""
    return actors.owner.deploy(contracts.CreatorTimelock, DAY, [actors.owner], [ZERO_ADDRESS], ZERO_ADDRESS)


@pytest.fixture(scope="session")
def spark(contracts: Any, actors: Actors, timelock: Any) -> Any:
    """SPARK, upgraded by the timelock; the creator holds it."""
    return deploy_spark(contracts, actors.owner, admin=actors.owner, upgrader=timelock, holder=actors.creator)


@pytest.fixture(scope="session")
def handed_over(contracts: Any, actors: Actors) -> Any:
    """Another SPARK, upgraded by the owner directly."""
    return deploy_spark(contracts, actors.owner, admin=actors.owner, upgrader=actors.owner, holder=actors.creator)


@pytest.fixture(scope="session")
def second(contracts: Any, actors: Actors) -> Any:
    """The implementation of the next version."""
    return actors.owner.deploy(contracts.SparkTokenV2)


def implementation_of(proxy: Any) -> str:
    slot = proxy.provider.get_storage(proxy.address, IMPLEMENTATION_SLOT)
    return to_checksum_address(bytes(slot)[-20:])


def upgrade(spark: Any, implementation: Any, data: bytes = b"", *, sender: Any) -> Any:
    return spark.upgradeToAndCall(implementation, data, sender=sender)


# the proxy


def test_the_implementation_is_where_explorers_look_for_it(spark: Any) -> None:
    assert int.from_bytes(keccak(text="eip1967.proxy.implementation"), "big") - 1 == IMPLEMENTATION_SLOT
    assert implementation_of(spark) != ZERO_ADDRESS
    assert spark.provider.network.ecosystem.get_proxy_info(spark.address).target == implementation_of(spark)


def test_a_proxy_has_no_function_of_its_own(contracts: Any, actors: Actors) -> None:
    assert {entry.type for entry in contracts.ERC1967Proxy.contract_type.abi} == {"event", "constructor", "fallback"}


def test_a_proxy_of_no_contract_is_refused(contracts: Any, actors: Actors) -> None:
    with ape.reverts("erc1967: implementation is not a contract"):
        actors.owner.deploy(contracts.ERC1967Proxy, actors.stranger, b"\x01")


def test_the_proxy_passes_answers_and_reasons_on(handed_over: Any, contracts: Any, actors: Actors, second: Any) -> None:
    upgrade(handed_over, second, sender=actors.owner)
    spark = contracts.SparkTokenV2.at(handed_over.address)

    for length in (0, 1, 31, 32, 33, 928):
        answer = bytes(range(256)) * 4
        assert spark.echo(answer[:length]) == answer[:length]
    with ape.reverts("proxy: answer too long"):
        spark.echo(bytes(960))
    with ape.reverts("erc20: transfer amount exceeds balance"):
        spark.transfer(actors.owner, 1, sender=actors.stranger)


def test_the_proxy_takes_no_coin_that_spark_does_not_want(spark: Any, actors: Actors) -> None:
    with ape.reverts():
        actors.stranger.transfer(spark, 1)
    with ape.reverts():
        spark.transfer(actors.stranger, 0, sender=actors.creator, value=1)


# who upgrades, and to what


def test_the_timelock_upgrades_after_its_delay(
    chain: Any, spark: Any, contracts: Any, actors: Actors, *, timelock: Any, second: Any
) -> None:
    call = spark.upgradeToAndCall.encode_input(second, second.initializeV2.encode_input(MIGRATION))
    operation = (spark, 0, call, bytes(32), bytes(32))
    timelock.schedule(*operation, DAY, sender=actors.owner)
    with ape.reverts("timelock_controller: operation is not ready"):
        timelock.invoke_transaction("execute", *operation, sender=actors.stranger)
    pass_time(chain, DAY)

    receipt = timelock.invoke_transaction("execute", *operation, sender=actors.stranger)

    upgraded = contracts.SparkTokenV2.at(spark.address)
    assert upgraded.Upgraded(implementation=second) in receipt.events
    assert upgraded.Initialized(version=2) in receipt.events
    assert upgraded.motto() == MIGRATION
    assert implementation_of(spark) == second


def test_nobody_but_the_upgrader_upgrades(spark: Any, actors: Actors, second: Any) -> None:
    for account in (actors.owner, actors.stranger):
        with ape.reverts("access_control: account is missing role"):
            upgrade(spark, second, sender=account)


def test_an_upgrade_without_a_call_changes_the_code_alone(handed_over: Any, actors: Actors, second: Any) -> None:
    receipt = upgrade(handed_over, second, sender=actors.owner)

    assert receipt.events == [handed_over.Upgraded(implementation=second)]


def test_an_upgrade_whose_call_fails_is_none(handed_over: Any, actors: Actors, second: Any) -> None:
    before = implementation_of(handed_over)

    with ape.reverts("erc20: burn amount exceeds balance"):
        upgrade(handed_over, second, second.burn.encode_input(1), sender=actors.owner)

    assert implementation_of(handed_over) == before


def test_what_cannot_upgrade_in_its_turn_is_refused(handed_over: Any, contracts: Any, actors: Actors) -> None:
    wrong_slot = actors.owner.deploy(contracts.ProxiableStub, keccak(text="another slot"))
    for target in (actors.stranger, wrong_slot, actors.owner.deploy(contracts.SmartWallet), handed_over):
        with ape.reverts("uups: implementation is not UUPS"):
            upgrade(handed_over, target, sender=actors.owner)


def test_the_slot_is_told_by_the_implementation_alone(spark: Any, second: Any) -> None:
    assert second.proxiableUUID() == IMPLEMENTATION_SLOT.to_bytes(32, "big")
    assert second.UPGRADE_INTERFACE_VERSION() == "5.0.0"
    with ape.reverts("uups: called through a proxy"):
        spark.proxiableUUID()


def test_an_upgraded_spark_upgrades_again(handed_over: Any, contracts: Any, actors: Actors, second: Any) -> None:
    upgrade(handed_over, second, sender=actors.owner)
    third = actors.owner.deploy(contracts.SparkTokenV2)

    upgrade(handed_over, third, sender=actors.owner)

    assert implementation_of(handed_over) == third


# what stays


def figures(spark: Any, actors: Actors, past: int) -> dict[str, Any]:
    """Everything that SPARK tells, by function and account."""
    people = [actors.owner, actors.creator, actors.staker, actors.trader, spark.address]
    told: dict[str, Any] = {
        view: getattr(spark, view)()
        for view in (
            *("name", "symbol", "decimals", "totalSupply", "DOMAIN_SEPARATOR", "eip712Domain", "paused"),
            *("totalStaked", "rewardRate"),
        )
    }
    told["getPastTotalSupply"] = spark.getPastTotalSupply(past)
    for person in people:
        for view in ("balanceOf", "nonces", "delegates", "getVotes", "stakedBalance"):
            told[f"{view}({person})"] = getattr(spark, view)(person)
        told[f"getPastVotes({person})"] = spark.getPastVotes(person, past)
        for role in ("DEFAULT_ADMIN_ROLE", "MINTER_ROLE", "PAUSER_ROLE", "UPGRADER_ROLE"):
            told[f"hasRole({role}, {person})"] = spark.hasRole(getattr(spark, role)(), person)
        told[f"allowance({person})"] = spark.allowance(person, actors.stranger)
    return told


def test_an_upgrade_keeps_every_figure_of_holders_stakers_and_voters(
    chain: Any, contracts: Any, handed_over: Any, actors: Actors, second: Any
) -> None:
    spark = handed_over
    for holder in (actors.staker, actors.trader):
        spark.transfer(holder, HELD, sender=actors.creator)
        delegate(spark, actors.trader, sender=holder)
    spark.fundRewards(HELD, sender=actors.creator)
    for staker, amount in ((actors.staker, 500 * COIN), (actors.trader, 700 * COIN)):
        spark.stake(amount, sender=staker)
    spark.approve(actors.stranger, 5 * COIN, sender=actors.trader)
    spark.permit(
        *(actors.staker, actors.stranger, COIN, FOREVER),
        *sign_permit(spark, STAKER_INDEX, actors.stranger, COIN, deadline=FOREVER),
        sender=actors.stranger,
    )
    past = pass_time(chain, 1_000)
    spark.transfer(actors.trader, COIN, sender=actors.creator)
    spark.setRewardRate(0, sender=actors.owner)  # so that rewards stand still for the comparison
    before = figures(spark, actors, past)
    due = {staker: spark.pendingRewards(staker) for staker in (actors.staker, actors.trader)}
    remaining = spark.rewardsRemaining()

    upgrade(spark, second, second.initializeV2.encode_input(MIGRATION), sender=actors.owner)
    upgraded = contracts.SparkTokenV2.at(spark.address)

    assert figures(upgraded, actors, past) == before
    assert upgraded.rewardsRemaining() == remaining
    for staker, reward in due.items():
        assert upgraded.pendingRewards(staker) == reward > 0
        paid = upgraded.claimRewards(sender=staker)
        assert [event.reward for event in upgraded.RewardsClaimed.from_receipt(paid)] == [reward]
        upgraded.unstake(upgraded.stakedBalance(staker), sender=staker)
    upgraded.transferFrom(actors.trader, actors.stranger, 5 * COIN, sender=actors.stranger)
    assert upgraded.getVotes(actors.trader) == sum(
        upgraded.balanceOf(holder) for holder in (actors.staker, actors.trader)
    )
    assert upgraded.balanceOf(upgraded) == pytest.approx(remaining, abs=10)
