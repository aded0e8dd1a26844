"""C5, CreatorToken: the ERC-20 face, permit, burning, ownership, the creator's texts and the platform's fee."""

from typing import Any

import ape
import pytest

from tests.contracts.conftest import COIN, FOREVER, INITIAL_SUPPLY, YEAR, ZERO_ADDRESS, Actors
from tests.contracts.signing import sign_permit
from tests.contracts.voting import delegate, pass_time, sign_delegation

TRADER_INDEX = 4


def deploy(contracts: Any, actors: Actors, **changes: Any) -> Any:
    arguments = {
        "name": "A Token",
        "symbol": "TOK",
        "description": "About it",
        "image_url": "https://img.example/1",
        "initial_supply": INITIAL_SUPPLY,
        "creator": actors.creator,
        "fee_recipient": actors.fee_recipient,
        "holder": actors.creator,
    } | changes
    return actors.owner.deploy(contracts.CreatorToken, *arguments.values())


def test_the_creator_owns_a_new_token_and_holds_its_whole_supply(token: Any, actors: Actors) -> None:
    assert token.owner() == actors.creator
    assert token.balanceOf(actors.creator) == token.totalSupply() == INITIAL_SUPPLY
    assert token.maximumSupply() == 2 * INITIAL_SUPPLY
    assert (token.name(), token.symbol(), token.decimals()) == ("A Token", "TOK", 18)
    assert token.platformFeeRate() == 250
    assert token.platformFeeRecipient() == actors.fee_recipient


def test_creator_info_tells_texts_and_live_figures(token: Any, actors: Actors) -> None:
    token.burn(COIN, sender=actors.creator)

    assert tuple(token.creatorInfo()) == (
        *("A Token", "TOK", "About it", "https://img.example/1"),
        *(INITIAL_SUPPLY - COIN, 1_000, True),
    )


def test_names_of_fifty_bytes_fit(contracts: Any, actors: Actors) -> None:
    token = deploy(contracts, actors, name="é" * 25, symbol="ABCDEFGHIJ")

    assert (token.name(), token.symbol()) == ("é" * 25, "ABCDEFGHIJ")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "token: name is empty"),
        ({"symbol": ""}, "token: symbol is empty"),
        ({"initial_supply": 0}, "token: initial supply is zero"),
        ({"creator": ZERO_ADDRESS}, "token: creator is the zero address"),
        ({"fee_recipient": ZERO_ADDRESS}, "token: fee recipient is the zero address"),
        ({"holder": ZERO_ADDRESS}, "erc20: mint to the zero address"),
        ({"initial_supply": 2**105}, "staking: maximum supply too large"),
    ],
)
def test_a_token_with_a_wrong_argument_is_not_deployed(
    contracts: Any, actors: Actors, changes: dict[str, Any], reason: str
) -> None:
    with ape.reverts(reason):
        deploy(contracts, actors, **changes)


def test_a_transfer_moves_tokens(token: Any, actors: Actors) -> None:
    receipt = token.transfer(actors.trader, COIN, sender=actors.creator)

    assert receipt.events == [token.Transfer(sender=actors.creator, receiver=actors.trader, value=COIN)]
    assert token.balanceOf(actors.trader) == COIN
    assert token.balanceOf(actors.creator) == INITIAL_SUPPLY - COIN


def test_an_allowance_lets_another_move_tokens_up_to_it(token: Any, actors: Actors) -> None:
    approval = token.approve(actors.trader, 3 * COIN, sender=actors.creator)
    receipt = token.transferFrom(actors.creator, actors.stranger, 2 * COIN, sender=actors.trader)

    assert approval.events == [token.Approval(owner=actors.creator, spender=actors.trader, value=3 * COIN)]
    assert receipt.events == [
        token.Approval(owner=actors.creator, spender=actors.trader, value=COIN),
        token.Transfer(sender=actors.creator, receiver=actors.stranger, value=2 * COIN),
    ]
    assert token.allowance(actors.creator, actors.trader) == COIN
    with ape.reverts("erc20: insufficient allowance"):
        token.transferFrom(actors.creator, actors.stranger, 2 * COIN, sender=actors.trader)


def test_an_unlimited_allowance_stays_unlimited(token: Any, actors: Actors) -> None:
    token.approve(actors.trader, FOREVER, sender=actors.creator)
    token.transferFrom(actors.creator, actors.stranger, COIN, sender=actors.trader)

    assert token.allowance(actors.creator, actors.trader) == FOREVER


def test_a_transfer_beyond_the_balance_reverts(token: Any, actors: Actors) -> None:
    with ape.reverts("erc20: transfer amount exceeds balance"):
        token.transfer(actors.creator, 1, sender=actors.stranger)


def test_a_transfer_to_the_zero_address_reverts(token: Any, actors: Actors) -> None:
    with ape.reverts("erc20: transfer to the zero address"):
        token.transfer(ZERO_ADDRESS, 1, sender=actors.creator)


def test_burning_lowers_the_supply(token: Any, actors: Actors) -> None:
    receipt = token.burn(COIN, sender=actors.creator)

    assert receipt.events == [token.Transfer(sender=actors.creator, receiver=ZERO_ADDRESS, value=COIN)]
    assert token.totalSupply() == INITIAL_SUPPLY - COIN
    assert token.rewardsRemaining() == INITIAL_SUPPLY + COIN
    with ape.reverts("erc20: burn amount exceeds balance"):
        token.burn(1, sender=actors.stranger)


def test_burning_for_another_spends_the_allowance(token: Any, actors: Actors) -> None:
    token.approve(actors.trader, 3 * COIN, sender=actors.creator)
    receipt = token.burnFrom(actors.creator, 2 * COIN, sender=actors.trader)

    assert receipt.events == [
        token.Approval(owner=actors.creator, spender=actors.trader, value=COIN),
        token.Transfer(sender=actors.creator, receiver=ZERO_ADDRESS, value=2 * COIN),
    ]
    assert token.totalSupply() == INITIAL_SUPPLY - 2 * COIN
    with ape.reverts("erc20: insufficient allowance"):
        token.burnFrom(actors.creator, 2 * COIN, sender=actors.trader)


def test_a_permit_sets_an_allowance_without_a_transaction_of_the_owner(chain: Any, token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    signature = sign_permit(token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)

    receipt = token.permit(actors.trader, actors.stranger, COIN, deadline, *signature, sender=actors.stranger)

    assert receipt.events == [token.Approval(owner=actors.trader, spender=actors.stranger, value=COIN)]
    assert token.allowance(actors.trader, actors.stranger) == COIN
    assert token.nonces(actors.trader) == 1


def test_the_signing_domain_is_readable(token: Any) -> None:
    domain = token.eip712Domain()

    assert (domain[1], domain[2], domain[3], domain[4]) == ("A Token", "1", 31337, token.address)
    assert len(token.DOMAIN_SEPARATOR()) == 32


def test_the_owner_hands_the_token_over(token: Any, actors: Actors) -> None:
    receipt = token.transferOwnership(actors.stranger, sender=actors.creator)

    assert receipt.events == [token.OwnershipTransferred(previous_owner=actors.creator, new_owner=actors.stranger)]
    assert token.owner() == actors.stranger
    with ape.reverts("ownable: caller is not the owner"):
        token.transferOwnership(actors.creator, sender=actors.creator)
    with ape.reverts("ownable: new owner is the zero address"):
        token.transferOwnership(ZERO_ADDRESS, sender=actors.stranger)


def test_the_owner_changes_the_texts(token: Any, actors: Actors) -> None:
    receipt = token.updateCreatorInfo("New", "ipfs://new", False, sender=actors.creator)

    assert receipt.events == [token.CreatorInfoUpdated(description="New", imageUrl="ipfs://new", isActive=False)]
    info = token.creatorInfo()
    assert (info.description, info.imageUrl, info.isActive) == ("New", "ipfs://new", False)


def test_nobody_else_changes_the_texts(token: Any, actors: Actors) -> None:
    for account in (actors.owner, actors.fee_recipient, actors.stranger):
        with ape.reverts("ownable: caller is not the owner"):
            token.updateCreatorInfo("New", "ipfs://new", False, sender=account)


def test_the_fee_recipient_sets_the_fee_up_to_ten_per_cent(token: Any, actors: Actors) -> None:
    receipt = token.setPlatformFeeRate(1_000, sender=actors.fee_recipient)

    assert receipt.events == [token.PlatformFeeRateUpdated(previousRate=250, newRate=1_000)]
    assert (token.platformFeeRate(), token.platformFeeRecipient()) == (1_000, actors.fee_recipient)
    assert tuple(token.platformFee()) == (1_000, actors.fee_recipient)
    assert token.maximumPlatformFeeRate() == 1_000
    with ape.reverts("token: fee rate above 1000 bps"):
        token.setPlatformFeeRate(1_001, sender=actors.fee_recipient)


def test_the_fee_recipient_hands_the_fee_over(token: Any, actors: Actors) -> None:
    receipt = token.setPlatformFeeRecipient(actors.stranger, sender=actors.fee_recipient)

    assert receipt.events == [
        token.PlatformFeeRecipientUpdated(previousRecipient=actors.fee_recipient, newRecipient=actors.stranger)
    ]
    assert (token.platformFeeRate(), token.platformFeeRecipient()) == (250, actors.stranger)
    assert tuple(token.platformFee()) == (250, actors.stranger)
    with ape.reverts("token: fee recipient is the zero address"):
        token.setPlatformFeeRecipient(ZERO_ADDRESS, sender=actors.stranger)


def test_nobody_else_sets_the_fee(token: Any, actors: Actors) -> None:
    for account in (actors.owner, actors.creator, actors.stranger):
        with ape.reverts("token: caller is not the fee recipient"):
            token.setPlatformFeeRate(0, sender=account)
        with ape.reverts("token: caller is not the fee recipient"):
            token.setPlatformFeeRecipient(account, sender=account)


def test_there_is_no_way_to_mint_from_outside(contracts: Any) -> None:
    methods = {abi.name for abi in contracts.CreatorToken.contract_type.mutable_methods}

    assert methods == {
        *("transfer", "transferFrom", "approve", "permit", "burn", "burnFrom"),
        *("stake", "claimRewards", "unstake", "delegate", "delegateBySig"),
        *("transferOwnership", "updateCreatorInfo", "setPlatformFeeRate", "setPlatformFeeRecipient"),
    }


def test_deployment_logs_carry_the_whole_first_state(contracts: Any, actors: Actors) -> None:
    token = deploy(contracts, actors)

    assert [event.event_name for event in token.creation_metadata.receipt.events] == [
        *("OwnershipTransferred", "RoleMinterChanged"),
        *("CreatorInfoUpdated", "PlatformFeeRateUpdated", "PlatformFeeRecipientUpdated"),
        *("OwnershipTransferred", "Transfer"),
    ]


# votes


@pytest.fixture
def delegating(funded_token: Any, actors: Actors) -> Any:
    """A token whose staker and trader, with a hundred thousand coins each, vote for themselves."""
    for holder in (actors.staker, actors.trader):
        delegate(funded_token, holder, sender=holder)
    return funded_token


def test_a_transfer_moves_votes(delegating: Any, actors: Actors) -> None:
    receipt = delegating.transfer(actors.trader, COIN, sender=actors.staker)

    assert receipt.events == [
        delegating.Transfer(sender=actors.staker, receiver=actors.trader, value=COIN),
        delegating.DelegateVotesChanged(
            delegate=actors.staker, previousVotes=100_000 * COIN, newVotes=100_000 * COIN - COIN
        ),
        delegating.DelegateVotesChanged(
            delegate=actors.trader, previousVotes=100_000 * COIN, newVotes=100_000 * COIN + COIN
        ),
    ]


def test_a_transfer_by_allowance_moves_votes(delegating: Any, actors: Actors) -> None:
    delegating.approve(actors.stranger, COIN, sender=actors.staker)

    delegating.transferFrom(actors.staker, actors.trader, COIN, sender=actors.stranger)

    assert delegating.getVotes(actors.staker) == 99_999 * COIN
    assert delegating.getVotes(actors.trader) == 100_001 * COIN


def test_burning_takes_votes_and_past_supply(chain: Any, delegating: Any, actors: Actors) -> None:
    before = chain.blocks.head.timestamp
    pass_time(chain, 10)
    delegating.burn(COIN, sender=actors.staker)
    delegating.approve(actors.stranger, COIN, sender=actors.trader)
    delegating.burnFrom(actors.trader, COIN, sender=actors.stranger)
    after = chain.blocks.head.timestamp
    pass_time(chain, 10)

    assert delegating.getVotes(actors.staker) == delegating.getVotes(actors.trader) == 99_999 * COIN
    assert delegating.getPastTotalSupply(before) == INITIAL_SUPPLY
    assert delegating.getPastTotalSupply(after) == INITIAL_SUPPLY - 2 * COIN


def test_staked_coins_keep_their_votes(chain: Any, delegating: Any, actors: Actors) -> None:
    delegating.stake(40_000 * COIN, sender=actors.staker)
    assert delegating.getVotes(actors.staker) == 100_000 * COIN
    assert delegating.getVotes(delegating) == 0

    delegate(delegating, actors.trader, sender=actors.staker)  # the stake goes along
    assert delegating.getVotes(actors.trader) == 200_000 * COIN

    pass_time(chain, YEAR)
    receipt = delegating.unstake(sender=actors.staker)
    (unstaked,) = delegating.TokensUnstaked.from_receipt(receipt)
    assert delegating.getVotes(actors.trader) == 200_000 * COIN + unstaked.reward
    assert delegating.getVotes(actors.staker) == 0


def test_claimed_rewards_have_votes(chain: Any, delegating: Any, actors: Actors) -> None:
    delegating.stake(40_000 * COIN, sender=actors.staker)
    pass_time(chain, 86_400)

    receipt = delegating.claimRewards(sender=actors.staker)

    (claimed,) = delegating.RewardsClaimed.from_receipt(receipt)
    assert delegating.getVotes(actors.staker) == 100_000 * COIN + claimed.reward


def test_the_initial_supply_is_in_the_past_supply(chain: Any, delegating: Any) -> None:
    now = chain.blocks.head.timestamp
    pass_time(chain, 10)

    assert delegating.getPastTotalSupply(now) == INITIAL_SUPPLY
    assert delegating.getPastTotalSupply(1) == 0


def test_permits_and_signed_delegations_share_their_nonces(chain: Any, funded_token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    permit = sign_permit(funded_token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)
    funded_token.permit(actors.trader, actors.stranger, COIN, deadline, *permit, sender=actors.stranger)
    replayed = sign_delegation(
        TRADER_INDEX, actors.stranger, token=funded_token, name="A Token", nonce=0, expiry=deadline
    )
    signature = sign_delegation(
        TRADER_INDEX, actors.stranger, token=funded_token, name="A Token", nonce=1, expiry=deadline
    )

    with ape.reverts("votes: invalid nonce"):
        funded_token.delegateBySig(actors.stranger, 0, deadline, *replayed, sender=actors.stranger)
    receipt = funded_token.delegateBySig(actors.stranger, 1, deadline, *signature, sender=actors.stranger)

    assert receipt.events[0] == funded_token.DelegateChanged(
        delegator=actors.trader, fromDelegate=ZERO_ADDRESS, toDelegate=actors.stranger
    )
    assert funded_token.getVotes(actors.stranger) == 100_000 * COIN
    assert funded_token.nonces(actors.trader) == 2
