"""C6, BalancedCreatorToken: CreatorToken's face, the parts of the supply, vesting, and what is left for rewards."""

from typing import Any

import ape
import pytest

from tests.contracts.balanced import LAUNCH_STREAMS, MAXIMUM_SUPPLY, POOL_SUPPLY, TEXTS, deploy_coin, report_streams
from tests.contracts.conftest import COIN, FOREVER, YEAR, ZERO_ADDRESS, Actors
from tests.contracts.signing import sign_permit
from tests.contracts.voting import delegate, pass_time, sign_delegation

TRADER_INDEX = 4
VESTING_SUPPLY = 10_000_000 * COIN
REWARD_SUPPLY = 10_000_000 * COIN


@pytest.fixture
def coin(contracts: Any, metrics: Any, dex: Any, actors: Actors) -> Any:
    """A token; the provider holds the pool's part, and the staker and the trader a hundred thousand coins each."""
    report_streams(metrics, actors, LAUNCH_STREAMS)
    coin = deploy_coin(contracts, actors, metrics=metrics, exchange=dex)
    for holder in (actors.staker, actors.trader):
        coin.transfer(holder, 100_000 * COIN, sender=actors.provider)
    return coin


def test_c6_a_new_token_has_creator_tokens_face(contracts: Any, coin: Any, actors: Actors) -> None:
    plain, balanced = (
        {abi.selector for abi in getattr(contracts, name).contract_type.methods}
        for name in ("CreatorToken", "BalancedCreatorToken")
    )

    assert plain < balanced
    assert {event.selector for event in contracts.CreatorToken.contract_type.events} < {
        event.selector for event in contracts.BalancedCreatorToken.contract_type.events
    }
    assert tuple(coin.creatorInfo()) == (*TEXTS, POOL_SUPPLY, 1_000, True)
    assert (coin.name(), coin.symbol(), coin.decimals()) == (*TEXTS[:2], 18)
    assert coin.owner() == coin.creator() == actors.creator
    assert (coin.platformFeeRate(), coin.platformFeeRecipient()) == (250, actors.fee_recipient)


def test_the_parts_of_the_supply_make_a_hundred_million(coin: Any) -> None:
    assert coin.maximumSupply() == MAXIMUM_SUPPLY
    assert (*(coin.totalSupply(), coin.vestingAllocation(), coin.rewardsRemaining(), coin.releaseReserve()),) == (
        POOL_SUPPLY,
        VESTING_SUPPLY,
        REWARD_SUPPLY,
        MAXIMUM_SUPPLY * 7 // 10,
    )
    assert (coin.poolAllocation(), coin.rewardsAllocation()) == (POOL_SUPPLY, REWARD_SUPPLY)


def test_there_is_no_other_way_to_mint_from_outside(contracts: Any) -> None:
    methods = {abi.name for abi in contracts.BalancedCreatorToken.contract_type.mutable_methods}

    assert methods == {
        *("transfer", "transferFrom", "approve", "permit", "burn", "burnFrom"),
        *("stake", "claimRewards", "unstake", "delegate", "delegateBySig"),
        *("transferOwnership", "updateCreatorInfo", "setPlatformFeeRate", "setPlatformFeeRecipient"),
        *("distribute", "claimRevenue", "claimRevenueTo", "claimVestedTokens", "release"),
    }


def test_deployment_logs_carry_the_whole_first_state(contracts: Any, metrics: Any, dex: Any, actors: Actors) -> None:
    coin = deploy_coin(contracts, actors, metrics=metrics, exchange=dex)

    assert [event.event_name for event in coin.creation_metadata.receipt.events] == [
        *("OwnershipTransferred", "RoleMinterChanged"),
        *("CreatorInfoUpdated", "PlatformFeeRateUpdated", "PlatformFeeRecipientUpdated"),
        *("OwnershipTransferred", "Transfer"),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "token: name is empty"),
        ({"symbol": ""}, "token: symbol is empty"),
        ({"creator": ZERO_ADDRESS}, "token: creator is the zero address"),
        ({"fee_recipient": ZERO_ADDRESS}, "token: fee recipient is the zero address"),
        ({"seeder": ZERO_ADDRESS}, "erc20: mint to the zero address"),
    ],
)
def test_a_token_with_a_wrong_argument_is_not_deployed(
    *, contracts: Any, metrics: Any, dex: Any, actors: Actors, changes: dict[str, Any], reason: str
) -> None:
    with ape.reverts(reason):
        deploy_coin(contracts, actors, metrics=metrics, exchange=dex, **changes)


def test_runtime_code_and_blueprint_fit_eip_170(contracts: Any) -> None:
    for name in ("CreatorToken", "BalancedCreatorToken"):
        compiled = getattr(contracts, name).contract_type
        assert len(compiled.get_runtime_bytecode()) < 24_576
        assert len(compiled.get_deployment_bytecode()) + 3 < 24_576


# the ERC-20 face


def test_transfers_move_tokens_and_votes(coin: Any, actors: Actors) -> None:
    delegate(coin, actors.staker, sender=actors.staker)
    coin.approve(actors.stranger, COIN, sender=actors.staker)

    receipt = coin.transfer(actors.trader, COIN, sender=actors.staker)
    by_allowance = coin.transferFrom(actors.staker, actors.trader, COIN, sender=actors.stranger)

    assert receipt.events == [
        coin.Transfer(sender=actors.staker, receiver=actors.trader, value=COIN),
        coin.DelegateVotesChanged(delegate=actors.staker, previousVotes=100_000 * COIN, newVotes=99_999 * COIN),
    ]
    assert coin.Transfer.from_receipt(by_allowance)[0].value == COIN
    assert coin.balanceOf(actors.trader) == 100_002 * COIN
    assert coin.getVotes(actors.staker) == 99_998 * COIN
    with ape.reverts("erc20: insufficient allowance"):
        coin.transferFrom(actors.staker, actors.trader, COIN, sender=actors.stranger)
    with ape.reverts("erc20: transfer amount exceeds balance"):
        coin.transfer(actors.trader, FOREVER, sender=actors.staker)
    with ape.reverts("erc20: transfer to the zero address"):
        coin.transfer(ZERO_ADDRESS, 1, sender=actors.staker)


def test_burning_takes_tokens_and_votes(coin: Any, actors: Actors) -> None:
    delegate(coin, actors.staker, sender=actors.staker)
    coin.approve(actors.stranger, COIN, sender=actors.staker)

    receipt = coin.burn(COIN, sender=actors.staker)
    coin.burnFrom(actors.staker, COIN, sender=actors.stranger)

    assert receipt.events[0] == coin.Transfer(sender=actors.staker, receiver=ZERO_ADDRESS, value=COIN)
    assert coin.totalSupply() == POOL_SUPPLY - 2 * COIN
    assert coin.getVotes(actors.staker) == 99_998 * COIN
    with ape.reverts("erc20: burn amount exceeds balance"):
        coin.burn(1, sender=actors.stranger)
    with ape.reverts("erc20: insufficient allowance"):
        coin.burnFrom(actors.staker, COIN, sender=actors.stranger)


def test_permits_and_signed_delegations_share_their_nonces(chain: Any, coin: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    permit = sign_permit(coin, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)
    coin.permit(actors.trader, actors.stranger, COIN, deadline, *permit, sender=actors.stranger)
    signature = sign_delegation(TRADER_INDEX, actors.stranger, token=coin, name=TEXTS[0], nonce=1, expiry=deadline)

    receipt = coin.delegateBySig(actors.stranger, 1, deadline, *signature, sender=actors.stranger)

    assert [event.event_name for event in receipt.events] == ["DelegateChanged", "DelegateVotesChanged"]
    assert coin.getVotes(actors.stranger) == 100_000 * COIN
    with ape.reverts("votes: invalid nonce"):
        coin.delegateBySig(actors.stranger, 1, deadline, *signature, sender=actors.stranger)


def test_the_owner_and_the_fee_recipient_have_their_rights(coin: Any, actors: Actors) -> None:
    coin.updateCreatorInfo("New", "ipfs://new", False, sender=actors.creator)
    coin.setPlatformFeeRate(1_000, sender=actors.fee_recipient)
    coin.setPlatformFeeRecipient(actors.stranger, sender=actors.fee_recipient)
    coin.transferOwnership(actors.stranger, sender=actors.creator)

    assert coin.creatorInfo().description == "New"
    assert (coin.platformFeeRate(), coin.platformFeeRecipient(), coin.owner()) == (
        *(1_000, actors.stranger),
        actors.stranger,
    )
    assert coin.creator() == actors.creator
    with ape.reverts("ownable: caller is not the owner"):
        coin.updateCreatorInfo("", "", True, sender=actors.creator)
    with ape.reverts("ownable: caller is not the owner"):
        coin.transferOwnership(actors.creator, sender=actors.creator)
    with ape.reverts("token: caller is not the fee recipient"):
        coin.setPlatformFeeRate(0, sender=actors.fee_recipient)


# staking


def test_stakes_keep_votes_and_come_back_with_rewards(chain: Any, coin: Any, actors: Actors) -> None:
    delegate(coin, actors.staker, sender=actors.staker)
    coin.stake(40_000 * COIN, sender=actors.staker)
    assert coin.getVotes(actors.staker) == 100_000 * COIN
    pass_time(chain, YEAR // 2)
    claimed = coin.claimRewards(sender=actors.staker)
    pass_time(chain, YEAR // 2)

    unstaked = coin.unstake(sender=actors.staker)

    rewards = coin.RewardsClaimed.from_receipt(claimed)[0].reward + coin.TokensUnstaked.from_receipt(unstaked)[0].reward
    assert coin.getVotes(actors.staker) == coin.balanceOf(actors.staker) == 100_000 * COIN + rewards
    assert coin.rewardsRemaining() == REWARD_SUPPLY - rewards


def test_rewards_stop_at_their_reserve_and_leave_the_other_parts(
    chain: Any, coin: Any, metrics: Any, actors: Actors
) -> None:
    coin.stake(9_000_000 * COIN, sender=actors.provider)
    pass_time(chain, 12 * YEAR)
    receipt = coin.unstake(sender=actors.provider)
    assert coin.TokensUnstaked.from_receipt(receipt)[0].reward == REWARD_SUPPLY
    assert coin.rewardsRemaining() == 0
    coin.stake(1_000 * COIN, sender=actors.staker)
    pass_time(chain, YEAR)
    with ape.reverts("staking: no rewards due"):
        coin.claimRewards(sender=actors.staker)

    coin.claimVestedTokens(sender=actors.creator)
    report_streams(metrics, actors, 2 * LAUNCH_STREAMS)
    coin.release(sender=actors.stranger)

    assert coin.balanceOf(actors.creator) == VESTING_SUPPLY + 2_000_000 * COIN
    assert coin.rewardsRemaining() == 0
    coin.unstake(sender=actors.staker)


# vesting


def test_the_creators_tenth_vests_by_the_second_over_a_year(chain: Any, coin: Any, actors: Actors) -> None:
    start = coin.vestingStart()
    assert (coin.vestingAllocation(), coin.vestingPeriod()) == (VESTING_SUPPLY, YEAR)
    chain.mine(timestamp=start + YEAR // 4)
    assert coin.claimableVestedTokens() == VESTING_SUPPLY // 4

    receipt = coin.claimVestedTokens(sender=actors.creator)

    vested = VESTING_SUPPLY * (receipt.timestamp - start) // YEAR
    assert receipt.events == [
        coin.VestedTokensClaimed(creator=actors.creator, amount=vested),
        coin.Transfer(sender=ZERO_ADDRESS, receiver=actors.creator, value=vested),
    ]
    assert coin.balanceOf(actors.creator) == coin.vestedTokensClaimed() == vested
    pass_time(chain, 5 * YEAR)
    coin.claimVestedTokens(sender=actors.creator)
    assert coin.balanceOf(actors.creator) == coin.vestedTokensClaimed() == VESTING_SUPPLY
    with ape.reverts("vesting: nothing vested"):
        coin.claimVestedTokens(sender=actors.creator)


def test_only_the_creator_claims_what_vested(chain: Any, coin: Any, actors: Actors) -> None:
    coin.transferOwnership(actors.stranger, sender=actors.creator)
    pass_time(chain, YEAR)

    for account in (actors.stranger, actors.owner):
        with ape.reverts("vesting: caller is not the creator"):
            coin.claimVestedTokens(sender=account)
    coin.claimVestedTokens(sender=actors.creator)


def test_vested_coins_have_votes_and_revenue_from_their_minting_on(chain: Any, coin: Any, actors: Actors) -> None:
    delegate(coin, actors.creator, sender=actors.creator)
    pass_time(chain, YEAR)
    coin.distribute(value=COIN, sender=actors.owner)

    coin.claimVestedTokens(sender=actors.creator)

    assert coin.getVotes(actors.creator) == VESTING_SUPPLY
    assert coin.pendingRevenue(actors.creator) == 0
    assert coin.eligibleSupply() == POOL_SUPPLY + VESTING_SUPPLY
