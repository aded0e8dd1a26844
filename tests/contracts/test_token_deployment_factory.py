"""C9, TokenDeploymentFactory: who deploys, where a token lands, and what the registry knows."""

from collections.abc import Callable
from typing import Any

import ape
import pytest

from tests.contracts.conftest import COIN, INITIAL_SUPPLY, ZERO_ADDRESS, Actors


def arguments(actors: Actors, name: str = "Predicted") -> tuple[Any, ...]:
    return (name, "PRD", "About", "https://img.example", 5 * COIN, actors.creator, actors.fee_recipient)


def test_an_authorised_factory_deploys_and_registers_a_token(contracts: Any, deployer: Any, actors: Actors) -> None:
    receipt = deployer.deployCreatorToken(*arguments(actors), sender=actors.owner)

    (event,) = deployer.CreatorTokenDeployed.from_receipt(receipt)
    token = contracts.CreatorToken.at(event.token)
    assert event == deployer.CreatorTokenDeployed(
        token=token,
        creator=actors.creator,
        factory=actors.owner,
        name="Predicted",
        symbol="PRD",
        description="About",
        imageUrl="https://img.example",
        initialSupply=5 * COIN,
        maximumSupply=10 * COIN,
        platformFeeRate=250,
        platformFeeRecipient=actors.fee_recipient,
    )
    assert deployer.isCreatorToken(token)
    assert token.owner() == actors.creator
    assert token.balanceOf(actors.creator) == 5 * COIN


def test_the_initial_supply_may_go_to_another_holder(contracts: Any, deployer: Any, actors: Actors) -> None:
    receipt = deployer.deployCreatorToken(*arguments(actors), actors.stranger, sender=actors.owner)

    token = contracts.CreatorToken.at(deployer.CreatorTokenDeployed.from_receipt(receipt)[0].token)
    assert token.owner() == actors.creator
    assert token.balanceOf(actors.stranger) == 5 * COIN


@pytest.mark.parametrize("name", ["Predicted", "P", "é" * 25])
def test_the_address_is_known_beforehand(deployer: Any, actors: Actors, name: str) -> None:
    predicted = deployer.predictTokenAddress(*arguments(actors, name))
    to_another = deployer.predictTokenAddress(*arguments(actors, name), actors.stranger)
    assert not deployer.isCreatorToken(predicted)

    receipt = deployer.deployCreatorToken(*arguments(actors, name), sender=actors.owner)
    other = deployer.deployCreatorToken(*arguments(actors, name), actors.stranger, sender=actors.owner)

    assert deployer.CreatorTokenDeployed.from_receipt(receipt)[0].token == predicted
    assert deployer.CreatorTokenDeployed.from_receipt(other)[0].token == to_another


def test_the_same_token_is_not_deployed_twice(deployer: Any, actors: Actors) -> None:
    deployer.deployCreatorToken(*arguments(actors), sender=actors.owner)

    with ape.reverts():
        deployer.deployCreatorToken(*arguments(actors), sender=actors.owner)


def test_a_tokens_reason_for_refusing_comes_through(deployer: Any, actors: Actors) -> None:
    with ape.reverts("token: name is empty"):
        deployer.deployCreatorToken(*arguments(actors, name=""), sender=actors.owner)


def test_nobody_else_deploys(deployer: Any, actors: Actors) -> None:
    for account in (actors.creator, actors.stranger):
        with ape.reverts("deployer: caller is not a factory"):
            deployer.deployCreatorToken(*arguments(actors), sender=account)


def test_foreign_tokens_are_not_registered(contracts: Any, deployer: Any, actors: Actors) -> None:
    foreign = actors.stranger.deploy(
        contracts.CreatorToken,
        *("Fake", "FAKE", "", "", INITIAL_SUPPLY, actors.stranger, actors.stranger, actors.stranger),
    )

    assert not deployer.isCreatorToken(foreign)


def test_the_owner_authorises_and_withdraws_factories(deployer: Any, actors: Actors) -> None:
    granted = deployer.setFactory(actors.stranger, True, sender=actors.owner)
    withdrawn = deployer.setFactory(actors.stranger, False, sender=actors.owner)

    assert granted.events == [deployer.FactoryAuthorisationChanged(factory=actors.stranger, authorised=True)]
    assert withdrawn.events == [deployer.FactoryAuthorisationChanged(factory=actors.stranger, authorised=False)]
    assert not deployer.isFactory(actors.stranger)
    with ape.reverts("ownable: caller is not the owner"):
        deployer.setFactory(actors.stranger, True, sender=actors.stranger)
    with ape.reverts("deployer: factory is the zero address"):
        deployer.setFactory(ZERO_ADDRESS, True, sender=actors.owner)


def test_the_owner_hands_the_registry_over(deployer: Any, actors: Actors) -> None:
    receipt = deployer.transferOwnership(actors.stranger, sender=actors.owner)

    assert receipt.events == [deployer.OwnershipTransferred(previous_owner=actors.owner, new_owner=actors.stranger)]


def test_only_a_blueprint_is_taken_as_one(
    *,
    contracts: Any,
    blueprint: str,
    balanced_blueprint: str,
    deployer: Any,
    create_token: Callable[..., Any],
    actors: Actors,
) -> None:
    for not_a_blueprint in (actors.stranger, create_token("NOT")):
        for blueprints in ((not_a_blueprint, balanced_blueprint), (blueprint, not_a_blueprint)):
            with ape.reverts("deployer: not a blueprint"):
                actors.owner.deploy(contracts.TokenDeploymentFactory, *blueprints)

    assert deployer.creatorTokenBlueprint() == blueprint
    assert deployer.balancedCreatorTokenBlueprint() == balanced_blueprint


# balanced tokens


@pytest.fixture
def balanced_arguments(actors: Actors, metrics: Any, dex: Any) -> tuple[Any, ...]:
    texts = ("Predicted", "PRD", "About", "https://img.example")
    return (*texts, actors.creator, actors.fee_recipient, actors.provider, metrics, dex)


def test_an_authorised_factory_deploys_and_registers_a_balanced_token(
    *, contracts: Any, deployer: Any, metrics: Any, dex: Any, balanced_arguments: tuple[Any, ...], actors: Actors
) -> None:
    receipt = deployer.deployBalancedCreatorToken(*balanced_arguments, sender=actors.owner)

    announced, balanced = receipt.events[-2:]
    token = contracts.BalancedCreatorToken.at(announced.token)
    assert announced == deployer.CreatorTokenDeployed(
        token=token,
        creator=actors.creator,
        factory=actors.owner,
        name="Predicted",
        symbol="PRD",
        description="About",
        imageUrl="https://img.example",
        initialSupply=10_000_000 * COIN,
        maximumSupply=100_000_000 * COIN,
        platformFeeRate=250,
        platformFeeRecipient=actors.fee_recipient,
    )
    assert balanced == deployer.BalancedCreatorTokenDeployed(
        token=token, creator=actors.creator, metricsManager=metrics, exchange=dex
    )
    assert deployer.isCreatorToken(token)
    assert token.balanceOf(actors.provider) == token.totalSupply() == 10_000_000 * COIN


@pytest.mark.parametrize("name", ["Predicted", "P", "é" * 25])
def test_a_balanced_tokens_address_is_known_beforehand(
    deployer: Any, balanced_arguments: tuple[Any, ...], actors: Actors, name: str
) -> None:
    named = (name, *balanced_arguments[1:])
    predicted = deployer.predictBalancedTokenAddress(*named)
    assert not deployer.isCreatorToken(predicted)

    deployer.deployBalancedCreatorToken(*named, sender=actors.owner)

    assert deployer.isCreatorToken(predicted)
    with ape.reverts():
        deployer.deployBalancedCreatorToken(*named, sender=actors.owner)


def test_a_balanced_tokens_reason_for_refusing_comes_through(
    deployer: Any, balanced_arguments: tuple[Any, ...], actors: Actors
) -> None:
    with ape.reverts("token: name is empty"):
        deployer.deployBalancedCreatorToken("", *balanced_arguments[1:], sender=actors.owner)


def test_nobody_else_deploys_balanced_tokens(
    deployer: Any, balanced_arguments: tuple[Any, ...], actors: Actors
) -> None:
    for account in (actors.creator, actors.stranger):
        with ape.reverts("deployer: caller is not a factory"):
            deployer.deployBalancedCreatorToken(*balanced_arguments, sender=account)
