"""C1, C2, C5, C6 and C7: what the modules refuse, every contract that composes them refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ape
import pytest

from tests.contracts.balanced import LAUNCH_STREAMS, deploy_coin, report_streams
from tests.contracts.conftest import COIN, FOREVER, YEAR, ZERO_ADDRESS, Actors
from tests.contracts.governance import STAKER_INDEX
from tests.contracts.voting import pass_time, sign_delegation

HELD = 100_000 * COIN


@pytest.fixture
def balanced_coin(contracts: Any, metrics: Any, dex: Any, actors: Actors) -> Any:
    report_streams(metrics, actors, LAUNCH_STREAMS)
    coin = deploy_coin(contracts, actors, metrics=metrics, exchange=dex)
    coin.transfer(actors.staker, HELD, sender=actors.provider)
    return coin


@dataclass(frozen=True)
class Contracts:
    """By the names of their fixtures, which are made before a test and not by it: what is made later is rolled back."""

    dex: Any
    metrics: Any
    factory: Any
    deployer: Any
    marketplace: Any
    spark: Any
    token: Any
    funded_token: Any
    balanced_coin: Any


@pytest.fixture
def all_contracts(
    *,
    dex: Any,
    metrics: Any,
    factory: Any,
    deployer: Any,
    marketplace: Any,
    spark: Any,
    token: Any,
    funded_token: Any,
    balanced_coin: Any,
) -> Contracts:
    return Contracts(dex, metrics, factory, deployer, marketplace, spark, token, funded_token, balanced_coin)


@pytest.fixture
def contract(all_contracts: Contracts, request: pytest.FixtureRequest) -> Any:
    return getattr(all_contracts, request.param)


def composed_by(*names: str) -> Callable[..., Any]:
    return pytest.mark.parametrize("contract", names, indirect=True)


@composed_by("dex", "metrics", "factory", "deployer", "marketplace", "token", "balanced_coin")
def test_no_contract_is_handed_to_nobody_or_by_a_stranger(contract: Any, actors: Actors) -> None:
    owner = contract.owner()
    with ape.reverts("ownable: new owner is the zero address"):
        contract.transferOwnership(ZERO_ADDRESS, sender=actors.creator if owner == actors.creator else actors.owner)
    with ape.reverts("ownable: caller is not the owner"):
        contract.transferOwnership(actors.stranger, sender=actors.stranger)
    assert contract.owner() == owner


@composed_by("token", "balanced_coin", "spark")
def test_no_token_tells_votes_of_the_present_or_the_future(contract: Any, chain: Any, actors: Actors) -> None:
    now = chain.blocks.head.timestamp
    for timepoint in (now, now + YEAR):
        with ape.reverts("votes: timepoint not in the past"):
            contract.getPastVotes(actors.staker, timepoint)
        with ape.reverts("votes: timepoint not in the past"):
            contract.getPastTotalSupply(timepoint)


@composed_by("token", "balanced_coin", "spark")
def test_no_token_takes_an_expired_delegation(contract: Any, chain: Any, actors: Actors) -> None:
    expiry = chain.blocks.head.timestamp - 1
    signature = sign_delegation(
        STAKER_INDEX, actors.trader, token=contract, name=contract.name(), nonce=0, expiry=expiry
    )

    with ape.reverts("votes: signature expired"):
        contract.delegateBySig(actors.trader, 0, expiry, *signature, sender=actors.stranger)
    assert contract.delegates(actors.staker) == ZERO_ADDRESS


@composed_by("funded_token", "balanced_coin")
def test_no_token_takes_a_small_stake_or_gives_one_back_early(contract: Any, chain: Any, actors: Actors) -> None:
    with ape.reverts("staking: amount below minimum"):
        contract.stake(100 * COIN - 1, sender=actors.staker)
    assert contract.rewardsRunway() == FOREVER

    contract.stake(HELD, sender=actors.staker)
    remaining = contract.rewardsRemaining()
    assert contract.rewardsRunway() == remaining * 10 * YEAR // HELD
    pass_time(chain, YEAR - 60)
    with ape.reverts("staking: still locked"):
        contract.unstake(sender=actors.staker)
    pass_time(chain, remaining * 10 * YEAR // HELD)
    assert contract.rewardsRunway() == 0


@composed_by("funded_token", "balanced_coin")
def test_no_token_takes_a_platform_fee_above_a_tenth(contract: Any, actors: Actors) -> None:
    with ape.reverts("token: fee rate above 1000 bps"):
        contract.setPlatformFeeRate(1_001, sender=actors.fee_recipient)
    contract.setPlatformFeeRate(1_000, sender=actors.fee_recipient)
    assert contract.platformFeeRate() == 1_000
