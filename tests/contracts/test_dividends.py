"""C3: revenue for holders, as BalancedCreatorToken composes the dividends module, and attacks on it."""

from typing import Any

import ape
import pytest

from tests.contracts.balanced import POOL_SUPPLY, deploy_coin, execute
from tests.contracts.conftest import COIN, FOREVER, YEAR, Actors
from tests.contracts.voting import delegate, pass_time

HELD = 1_000 * COIN
REVENUE = COIN
SCALE = 2**96


@pytest.fixture
def coin(contracts: Any, metrics: Any, dex: Any, actors: Actors) -> Any:
    """A token of which the exchange holds all but 1 000 coins each of the staker and the trader, 2 000 of the provider.

    Of what is distributed they have 1/4, 1/4 and 1/2.
    """
    coin = deploy_coin(contracts, actors, metrics=metrics, exchange=dex)
    for holder in (actors.staker, actors.trader):
        coin.transfer(holder, HELD, sender=actors.provider)
    coin.transfer(dex, POOL_SUPPLY - 4 * HELD, sender=actors.provider)
    return coin


@pytest.fixture
def distributed(coin: Any, actors: Actors) -> Any:
    coin.distribute(value=REVENUE, sender=actors.owner)
    return coin


def pending(coin: Any, *accounts: Any) -> tuple[int, ...]:
    return tuple(coin.pendingRevenue(account) for account in accounts)


def test_c3_revenue_is_shared_in_proportion_to_holdings(coin: Any, actors: Actors) -> None:
    receipt = coin.distribute(value=REVENUE, sender=actors.owner)

    assert receipt.events == [
        coin.RevenueReceived(
            distributor=actors.owner,
            amount=REVENUE,
            eligibleSupply=4 * HELD,
            cumulativeRevenue=REVENUE * SCALE // (4 * HELD),
        )
    ]
    assert pending(coin, actors.staker, actors.trader, actors.provider) == (
        REVENUE // 4 - 1,  # the last division's remainder waits for the next distribution
        REVENUE // 4 - 1,
        REVENUE // 2 - 1,
    )
    assert coin.balance == REVENUE


def test_a_holder_fetches_its_share_once(distributed: Any, actors: Actors) -> None:
    due = distributed.pendingRevenue(actors.trader)
    before = actors.trader.balance

    receipt = distributed.claimRevenue(sender=actors.trader)

    assert receipt.events == [distributed.RevenueClaimed(account=actors.trader, amount=due)]
    assert actors.trader.balance == before + due - receipt.total_fees_paid
    assert distributed.balance == REVENUE - due
    with ape.reverts("dividends: no revenue due"):
        distributed.claimRevenue(sender=actors.trader)


def test_pools_and_the_token_itself_earn_nothing(coin: Any, dex: Any, actors: Actors) -> None:
    coin.transfer(coin, HELD, sender=actors.provider)  # what is sent to the token is nobody's
    assert coin.revenueExempt() == dex
    assert coin.eligibleSupply() == 3 * HELD

    coin.distribute(value=3 * REVENUE, sender=actors.owner)

    assert pending(coin, dex, coin) == (0, 0)
    assert all(
        3 * due in range(3 * REVENUE - 3, 3 * REVENUE + 1) for due in pending(coin, actors.staker, actors.trader)
    )


def test_unreleased_supply_earns_nothing(coin: Any) -> None:
    # It is not minted yet: all that exists is in the pool or somebody's.
    assert coin.totalSupply() == POOL_SUPPLY
    assert coin.eligibleSupply() == 4 * HELD


def test_staked_coins_keep_their_share(chain: Any, coin: Any, actors: Actors) -> None:
    coin.stake(HELD, sender=actors.staker)
    assert coin.eligibleSupply() == 4 * HELD

    coin.distribute(value=REVENUE, sender=actors.owner)
    assert coin.pendingRevenue(actors.staker) == coin.pendingRevenue(actors.trader)

    pass_time(chain, YEAR)
    coin.unstake(sender=actors.staker)  # the reward comes after the distribution
    assert coin.pendingRevenue(actors.staker) == coin.pendingRevenue(actors.trader)
    coin.claimRevenue(sender=actors.staker)


def test_rewards_earn_from_their_minting_on(chain: Any, coin: Any, actors: Actors) -> None:
    coin.stake(HELD, sender=actors.staker)
    pass_time(chain, YEAR)
    coin.distribute(value=REVENUE, sender=actors.owner)
    before = coin.pendingRevenue(actors.staker)

    coin.claimRewards(sender=actors.staker)

    assert coin.pendingRevenue(actors.staker) == before
    reward = coin.balanceOf(actors.staker)
    assert coin.eligibleSupply() == 4 * HELD + reward > 4 * HELD


def test_what_was_earned_stays_with_who_sells(distributed: Any, actors: Actors) -> None:
    earned = distributed.pendingRevenue(actors.trader)
    distributed.transfer(actors.stranger, HELD, sender=actors.trader)
    assert pending(distributed, actors.trader, actors.stranger) == (earned, 0)

    distributed.distribute(value=REVENUE, sender=actors.owner)

    assert distributed.pendingRevenue(actors.trader) == earned
    assert distributed.pendingRevenue(actors.stranger) == REVENUE // 4


def test_burnt_coins_earn_nothing_more_and_keep_what_they_earned(distributed: Any, actors: Actors) -> None:
    earned = distributed.pendingRevenue(actors.trader)
    distributed.burn(HELD, sender=actors.trader)
    assert distributed.eligibleSupply() == 3 * HELD

    distributed.distribute(value=REVENUE, sender=actors.owner)

    assert distributed.pendingRevenue(actors.trader) == earned
    distributed.claimRevenue(sender=actors.trader)


def test_what_is_bought_back_from_the_pool_earns(coin: Any, dex: Any, contracts: Any, actors: Actors) -> None:
    coin.distribute(value=REVENUE, sender=actors.owner)
    coin.transfer(dex, HELD, sender=actors.trader)
    coin.distribute(value=REVENUE, sender=actors.owner)

    assert coin.eligibleSupply() == 3 * HELD
    assert coin.pendingRevenue(actors.trader) == REVENUE // 4 - 1
    assert coin.pendingRevenue(dex) == 0


def test_no_wei_is_stranded(coin: Any, actors: Actors) -> None:
    # 3 000 eligible coins divide none of these amounts.
    coin.burn(HELD, sender=actors.trader)
    for amount in (REVENUE + 1, REVENUE + 7, REVENUE + 11):
        coin.distribute(value=amount, sender=actors.owner)
        coin.transfer(actors.provider, 1, sender=actors.staker)

    for holder in (actors.staker, actors.trader, actors.provider):
        if coin.pendingRevenue(holder):
            coin.claimRevenue(sender=holder)

    assert coin.balance <= 2  # fractions of a wei of two holders, and of the last division
    coin.distribute(value=3 * REVENUE, sender=actors.owner)
    assert sum(pending(coin, actors.staker, actors.provider)) >= coin.balance - 2


def test_fractions_of_a_wei_add_up_over_many_claims(coin: Any, actors: Actors) -> None:
    holders = (actors.staker, actors.trader, actors.provider)
    for remainder in range(1, 13):
        coin.distribute(value=4 * REVENUE + remainder, sender=actors.owner)
        for holder in holders:
            coin.claimRevenue(sender=holder)

    assert coin.balance <= len(holders)  # each claim left less than a wei, and the next one paid it


def test_what_one_distribution_cannot_divide_the_next_ones_do(coin: Any, actors: Actors) -> None:
    amounts = [REVENUE + 7**i for i in range(6)]

    receipts = [coin.distribute(value=amount, sender=actors.owner) for amount in amounts]

    (last,) = coin.RevenueReceived.from_receipt(receipts[-1])
    assert last.cumulativeRevenue == sum(amounts) * SCALE // (4 * HELD)
    assert last.cumulativeRevenue > sum(amount * SCALE // (4 * HELD) for amount in amounts)


def test_revenue_is_refused_while_nobody_may_share_it(coin: Any, dex: Any, actors: Actors) -> None:
    for holder, amount in ((actors.staker, HELD), (actors.trader, HELD), (actors.provider, 2 * HELD)):
        coin.transfer(dex, amount, sender=holder)

    with ape.reverts("dividends: nobody to share with"):
        coin.distribute(value=REVENUE, sender=actors.owner)


def test_a_distribution_has_a_minimum(coin: Any, actors: Actors) -> None:
    minimum = coin.minimumDistribution()
    with ape.reverts("dividends: amount below minimum"):
        coin.distribute(value=minimum - 1, sender=actors.owner)

    coin.distribute(value=minimum, sender=actors.owner)


def test_holders_of_nothing_claim_nothing(distributed: Any, actors: Actors) -> None:
    assert distributed.pendingRevenue(actors.stranger) == 0
    with ape.reverts("dividends: no revenue due"):
        distributed.claimRevenue(sender=actors.stranger)


def test_settling_keeps_delegates_and_votes(chain: Any, distributed: Any, actors: Actors) -> None:
    delegate(distributed, actors.trader, sender=actors.trader)
    for _ in range(3):
        distributed.distribute(value=REVENUE, sender=actors.owner)
        distributed.transfer(actors.stranger, COIN, sender=actors.trader)
        pass_time(chain, 5)

    assert distributed.delegates(actors.trader) == actors.trader
    assert distributed.getVotes(actors.trader) == HELD - 3 * COIN
    assert distributed.getPastVotes(actors.trader, chain.blocks.head.timestamp - 1) == HELD - 3 * COIN


def test_the_token_takes_no_native_coin_by_mistake(coin: Any, actors: Actors) -> None:
    with ape.reverts():
        actors.stranger.transfer(coin, COIN)


# attacks


def test_reentrancy_in_claim_revenue(coin: Any, hostile: Any, actors: Actors) -> None:
    coin.transfer(hostile, HELD, sender=actors.provider)
    coin.distribute(value=REVENUE, sender=actors.owner)
    due = coin.pendingRevenue(hostile)
    for method, arguments in ((coin.claimRevenue, ()), (coin.transfer, (actors.stranger, HELD))):
        hostile.reenter(coin, method.encode_input(*arguments), sender=actors.stranger)
        execute(hostile, coin.claimRevenue, sender=actors.stranger)
        assert not hostile.reentrySucceeded()
        assert not hostile.reentryGaveReason()  # the lock gives none: nothing else stopped the call
        coin.distribute(value=REVENUE, sender=actors.owner)

    assert hostile.reentries() == 2
    assert hostile.balance in range(2 * due, 2 * due + 2)


def test_the_books_close_before_the_coin_is_sent(coin: Any, hostile: Any, actors: Actors) -> None:
    coin.transfer(hostile, HELD, sender=actors.provider)
    coin.distribute(value=REVENUE, sender=actors.owner)
    hostile.reenter(coin, coin.approve.encode_input(actors.stranger, 1), sender=actors.stranger)  # takes no lock

    receipt = execute(hostile, coin.claimRevenue, sender=actors.stranger)

    assert [event.event_name for event in receipt.events] == ["RevenueClaimed", "Approval"]


def test_a_refusing_receiver_keeps_nobody_from_revenue(coin: Any, hostile: Any, actors: Actors) -> None:
    coin.transfer(hostile, HELD, sender=actors.provider)
    hostile.refuse(True, sender=actors.stranger)
    coin.distribute(value=REVENUE, sender=actors.owner)
    due = coin.pendingRevenue(hostile)

    with ape.reverts("dividends: native transfer failed"):
        execute(hostile, coin.claimRevenue, sender=actors.stranger)
    coin.claimRevenue(sender=actors.trader)

    assert coin.pendingRevenue(hostile) == due
    hostile.refuse(False, sender=actors.stranger)
    execute(hostile, coin.claimRevenue, sender=actors.stranger)
    assert hostile.balance == due


def test_double_claims_through_transfers(distributed: Any, actors: Actors) -> None:
    shares = pending(distributed, actors.staker, actors.trader, actors.provider, actors.stranger)

    distributed.claimRevenue(sender=actors.trader)
    for sender, receiver in ((actors.trader, actors.stranger), (actors.stranger, actors.staker)):
        distributed.transfer(receiver, HELD, sender=sender)
        with ape.reverts("dividends: no revenue due"):
            distributed.claimRevenue(sender=sender)
    distributed.transfer(actors.staker, HELD, sender=actors.staker)  # to itself

    assert pending(distributed, actors.staker, actors.trader, actors.provider, actors.stranger) == (
        *(shares[0], 0),
        *shares[2:],
    )


def test_double_claims_through_a_stake(distributed: Any, actors: Actors) -> None:
    share = distributed.pendingRevenue(actors.trader)

    distributed.stake(HELD, sender=actors.trader)

    assert distributed.pendingRevenue(actors.trader) == share
    distributed.claimRevenue(sender=actors.trader)
    assert distributed.pendingRevenue(actors.trader) == 0


def test_donated_coins_are_nobodys_revenue(distributed: Any, hostile: Any, actors: Actors) -> None:
    before = pending(distributed, actors.staker, actors.trader)

    distributed.transfer(distributed, HELD, sender=actors.provider)

    assert pending(distributed, actors.staker, actors.trader) == before


def test_buying_after_a_distribution_gives_no_share(distributed: Any, dex: Any, actors: Actors) -> None:
    distributed.transfer(actors.stranger, 2 * HELD, sender=actors.provider)

    assert distributed.pendingRevenue(actors.stranger) == 0


def test_sniping_a_distribution_from_the_pool_costs_more_than_it_brings(
    factory: Any, dex: Any, metrics: Any, contracts: Any, actors: Actors
) -> None:
    """The accumulator pays who holds at that moment: what makes sniping a loss is the price of getting in and out."""
    metrics.updateCreatorMetrics(actors.creator, 60_000, 6_000, COIN, 0, sender=actors.oracle)
    factory.launchCreatorCoin(actors.creator, *("A Coin", "COIN", "", ""), value=10 * COIN, sender=actors.oracle)
    token = contracts.BalancedCreatorToken.at(factory.coinOf(actors.creator))
    dex.buyTokens(token, 1, value=COIN // 10, sender=actors.trader)
    stake = COIN // 10
    before = actors.stranger.balance

    bought = dex.buyTokens(token, 1, value=stake, sender=actors.stranger)
    factory.distributeRevenue(actors.creator, value=COIN // 20, sender=actors.owner)
    share = token.pendingRevenue(actors.stranger)
    claimed = token.claimRevenue(sender=actors.stranger)
    approved = token.approve(dex, FOREVER, sender=actors.stranger)
    sold = dex.sellTokens(token, token.balanceOf(actors.stranger), 1, sender=actors.stranger)
    fees = sum(receipt.total_fees_paid for receipt in (bought, claimed, approved, sold))

    assert share > 0  # it is paid: the module itself does not ask since when
    assert actors.stranger.balance + fees < before
