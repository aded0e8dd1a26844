"""CreatorTokenFactory: creating tokens, and launching a creator's coin together with its pool."""

from typing import Any

import ape
import pytest

from tests.contracts.conftest import COIN, MIN_FOLLOWERS, MIN_STREAMS, MINIMUM_SEED, ZERO_ADDRESS, Actors

TEXTS = ("A Coin", "COIN", "About it", "https://img.example/2")
SUPPLY = 20_000_000 * COIN
SEED = 3 * COIN


@pytest.fixture
def ready(factory: Any, metrics: Any, actors: Actors) -> Any:
    """The factory, for a creator whose figures allow a launch."""
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)
    return factory


def test_a_creator_creates_a_token_for_itself(contracts: Any, factory: Any, deployer: Any, actors: Actors) -> None:
    receipt = factory.createCreatorToken(*TEXTS, 7 * COIN, actors.creator, actors.fee_recipient, sender=actors.creator)

    (deployed,) = deployer.CreatorTokenDeployed.from_receipt(receipt)
    assert factory.CreatorTokenCreated.from_receipt(receipt) == [
        factory.CreatorTokenCreated(creator=actors.creator, token=deployed.token, initialSupply=7 * COIN)
    ]
    token = contracts.CreatorToken.at(deployed.token)
    assert token.owner() == actors.creator
    assert token.balanceOf(actors.creator) == 7 * COIN
    assert deployed.factory == factory


def test_a_launcher_creates_a_token_for_a_creator(factory: Any, deployer: Any, actors: Actors) -> None:
    receipt = factory.createCreatorToken(*TEXTS, 7 * COIN, actors.creator, actors.fee_recipient, sender=actors.oracle)

    assert deployer.CreatorTokenDeployed.from_receipt(receipt)[0].creator == actors.creator


def test_a_launch_makes_the_coin_and_its_pool_in_one_transaction(
    contracts: Any, ready: Any, deployer: Any, dex: Any, actors: Actors
) -> None:
    receipt = ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.creator)

    token = contracts.CreatorToken.at(ready.coinOf(actors.creator))
    assert ready.CreatorCoinLaunched.from_receipt(receipt) == [
        ready.CreatorCoinLaunched(
            creator=actors.creator, token=token, launcher=actors.creator, nativeSeed=SEED, tokenSeed=SUPPLY // 2
        )
    ]
    assert deployer.CreatorTokenDeployed.from_receipt(receipt)[0].creator == actors.creator
    assert token.owner() == actors.creator
    assert token.totalSupply() == SUPPLY
    assert token.maximumSupply() == 2 * SUPPLY
    assert token.balanceOf(actors.creator) == SUPPLY // 2
    assert token.platformFeeRecipient() == ready.launchFeeRecipient() == actors.fee_recipient
    assert tuple(dex.reserves(token)) == (SEED, SUPPLY // 2)
    assert token.balanceOf(ready) == ready.balance == 0


def test_the_seed_is_locked_for_ever(ready: Any, dex: Any, actors: Actors) -> None:
    ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)

    token = ready.coinOf(actors.creator)
    assert dex.sharesOf(token, ZERO_ADDRESS) == dex.totalShares(token)
    for account in (actors.creator, actors.oracle, actors.owner):
        assert dex.sharesOf(token, account) == 0


def test_a_launched_coin_trades_at_once(ready: Any, dex: Any, actors: Actors) -> None:
    ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)
    token = ready.coinOf(actors.creator)

    receipt = dex.buyTokens(token, 1, value=COIN // 10, sender=actors.trader)

    assert dex.TokensPurchased.from_receipt(receipt)[0].buyer == actors.trader


def test_a_creator_launches_once(ready: Any, actors: Actors) -> None:
    ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.creator)
    with ape.reverts("factory: coin already launched"):
        ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)


def test_figures_that_do_not_suffice_allow_no_launch(factory: Any, metrics: Any, actors: Actors) -> None:
    with ape.reverts("factory: launch requirements not met"):
        factory.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS - 1, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)
    with ape.reverts("factory: launch requirements not met"):
        factory.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)


def test_a_launch_brings_at_least_the_minimum_seed(ready: Any, actors: Actors) -> None:
    with ape.reverts("factory: seed below minimum"):
        ready.launchCreatorCoin(actors.creator, *TEXTS, value=MINIMUM_SEED - 1, sender=actors.creator)


def test_a_stranger_launches_and_creates_nothing(ready: Any, actors: Actors) -> None:
    for account in (actors.stranger, actors.owner):
        with ape.reverts("factory: caller may not launch"):
            ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=account)
        with ape.reverts("factory: caller may not launch"):
            ready.createCreatorToken(*TEXTS, COIN, actors.creator, actors.fee_recipient, sender=account)


def test_the_owner_authorises_and_withdraws_launchers(ready: Any, actors: Actors) -> None:
    receipt = ready.setLauncher(actors.oracle, False, sender=actors.owner)

    assert receipt.events == [ready.LauncherAuthorisationChanged(launcher=actors.oracle, authorised=False)]
    assert not ready.isLauncher(actors.oracle)
    with ape.reverts("factory: caller may not launch"):
        ready.launchCreatorCoin(actors.creator, *TEXTS, value=SEED, sender=actors.oracle)
    with ape.reverts("ownable: caller is not the owner"):
        ready.setLauncher(actors.stranger, True, sender=actors.stranger)
    with ape.reverts("factory: launcher is the zero address"):
        ready.setLauncher(ZERO_ADDRESS, True, sender=actors.owner)


def test_the_owner_changes_the_minimum_seed(factory: Any, actors: Actors) -> None:
    receipt = factory.setMinimumSeed(5, sender=actors.owner)

    assert receipt.events == [factory.MinimumSeedUpdated(previousSeed=MINIMUM_SEED, newSeed=5)]
    assert factory.minimumSeed() == 5
    with ape.reverts("ownable: caller is not the owner"):
        factory.setMinimumSeed(5, sender=actors.oracle)


@pytest.mark.parametrize("seed", [0, 1_000_000 * COIN + 1])
def test_the_minimum_seed_has_bounds(factory: Any, actors: Actors, seed: int) -> None:
    with ape.reverts("factory: minimum seed out of range"):
        factory.setMinimumSeed(seed, sender=actors.owner)


def test_the_parts_are_readable(factory: Any, deployer: Any, metrics: Any, dex: Any) -> None:
    assert (factory.deployer(), factory.metricsManager(), factory.exchange()) == (deployer, metrics, dex)


def test_a_fee_recipient_is_required(contracts: Any, deployer: Any, metrics: Any, dex: Any, actors: Actors) -> None:
    with ape.reverts("factory: fee recipient is the zero address"):
        actors.owner.deploy(contracts.CreatorTokenFactory, deployer, metrics, dex, ZERO_ADDRESS, MINIMUM_SEED)


def test_the_owner_hands_the_factory_over(factory: Any, actors: Actors) -> None:
    receipt = factory.transferOwnership(actors.stranger, sender=actors.owner)

    assert receipt.events == [factory.OwnershipTransferred(previous_owner=actors.owner, new_owner=actors.stranger)]
