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


def distribute(chain: Any, coin: Any, amount: int, actors: Actors) -> Any:
    """Distribute, and let the second end: what it brought belongs to who holds coins then."""
    receipt = coin.distribute(value=amount, sender=actors.owner)
    pass_time(chain, 1)
    return receipt


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
def batch(contracts: Any, actors: Actors) -> Any:
    return actors.stranger.deploy(contracts.Batch)


@pytest.fixture
def distributed(chain: Any, coin: Any, actors: Actors) -> Any:
    distribute(chain, coin, REVENUE, actors)
    return coin


def pending(coin: Any, *accounts: Any) -> tuple[int, ...]:
    return tuple(coin.pendingRevenue(account) for account in accounts)


def test_c3_revenue_is_shared_in_proportion_to_holdings(chain: Any, coin: Any, actors: Actors) -> None:
    receipt = distribute(chain, coin, REVENUE, actors)

    assert receipt.events == [coin.RevenueReceived(distributor=actors.owner, amount=REVENUE)]
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

    assert receipt.events == [
        distributed.RevenueDivided(
            amount=REVENUE, eligibleSupply=4 * HELD, cumulativeRevenue=REVENUE * SCALE // (4 * HELD)
        ),
        distributed.RevenueClaimed(account=actors.trader, amount=due),
    ]
    assert actors.trader.balance == before + due - receipt.total_fees_paid
    assert distributed.balance == REVENUE - due
    with ape.reverts("dividends: no revenue due"):
        distributed.claimRevenue(sender=actors.trader)


def test_pools_and_the_token_itself_earn_nothing(chain: Any, coin: Any, dex: Any, actors: Actors) -> None:
    coin.transfer(coin, HELD, sender=actors.provider)  # what is sent to the token is nobody's
    assert coin.revenueExempt() == dex
    assert coin.eligibleSupply() == 3 * HELD

    distribute(chain, coin, 3 * REVENUE, actors)

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

    distribute(chain, coin, REVENUE, actors)
    assert coin.pendingRevenue(actors.staker) == coin.pendingRevenue(actors.trader)

    pass_time(chain, YEAR)
    coin.unstake(sender=actors.staker)  # the reward comes after the distribution
    assert coin.pendingRevenue(actors.staker) == coin.pendingRevenue(actors.trader)
    coin.claimRevenue(sender=actors.staker)


def test_rewards_earn_from_their_minting_on(chain: Any, coin: Any, actors: Actors) -> None:
    coin.stake(HELD, sender=actors.staker)
    pass_time(chain, YEAR)
    distribute(chain, coin, REVENUE, actors)
    before = coin.pendingRevenue(actors.staker)

    coin.claimRewards(sender=actors.staker)

    assert coin.pendingRevenue(actors.staker) == before
    reward = coin.balanceOf(actors.staker)
    assert coin.eligibleSupply() == 4 * HELD + reward > 4 * HELD


def test_what_was_earned_stays_with_who_sells(chain: Any, distributed: Any, actors: Actors) -> None:
    earned = distributed.pendingRevenue(actors.trader)
    distributed.transfer(actors.stranger, HELD, sender=actors.trader)
    assert pending(distributed, actors.trader, actors.stranger) == (earned, 0)

    distribute(chain, distributed, REVENUE, actors)

    assert distributed.pendingRevenue(actors.trader) == earned
    assert distributed.pendingRevenue(actors.stranger) == REVENUE // 4


def test_burnt_coins_earn_nothing_more_and_keep_what_they_earned(chain: Any, distributed: Any, actors: Actors) -> None:
    earned = distributed.pendingRevenue(actors.trader)
    distributed.burn(HELD, sender=actors.trader)
    assert distributed.eligibleSupply() == 3 * HELD

    distribute(chain, distributed, REVENUE, actors)

    assert distributed.pendingRevenue(actors.trader) == earned
    distributed.claimRevenue(sender=actors.trader)


def test_what_is_bought_back_from_the_pool_earns(
    chain: Any, coin: Any, dex: Any, contracts: Any, actors: Actors
) -> None:
    distribute(chain, coin, REVENUE, actors)
    coin.transfer(dex, HELD, sender=actors.trader)
    distribute(chain, coin, REVENUE, actors)

    assert coin.eligibleSupply() == 3 * HELD
    assert coin.pendingRevenue(actors.trader) == REVENUE // 4 - 1
    assert coin.pendingRevenue(dex) == 0


def test_no_wei_is_stranded(chain: Any, coin: Any, actors: Actors) -> None:
    # 3 000 eligible coins divide none of these amounts.
    coin.burn(HELD, sender=actors.trader)
    for amount in (REVENUE + 1, REVENUE + 7, REVENUE + 11):
        distribute(chain, coin, amount, actors)
        coin.transfer(actors.provider, 1, sender=actors.staker)

    for holder in (actors.staker, actors.trader, actors.provider):
        if coin.pendingRevenue(holder):
            coin.claimRevenue(sender=holder)

    assert coin.balance <= 2  # fractions of a wei of two holders, and of the last division
    distribute(chain, coin, 3 * REVENUE, actors)
    assert sum(pending(coin, actors.staker, actors.provider)) >= coin.balance - 2


def test_fractions_of_a_wei_add_up_over_many_claims(chain: Any, coin: Any, actors: Actors) -> None:
    holders = (actors.staker, actors.trader, actors.provider)
    for remainder in range(1, 13):
        distribute(chain, coin, 4 * REVENUE + remainder, actors)
        for holder in holders:
            coin.claimRevenue(sender=holder)

    assert coin.balance <= len(holders)  # each claim left less than a wei, and the next one paid it


def test_what_one_distribution_cannot_divide_the_next_ones_do(chain: Any, coin: Any, actors: Actors) -> None:
    amounts = [REVENUE + 7**i for i in range(6)]

    for amount in amounts:
        distribute(chain, coin, amount, actors)

    (last,) = coin.RevenueDivided.from_receipt(coin.transfer(actors.trader, 1, sender=actors.staker))
    assert last.cumulativeRevenue == sum(amounts) * SCALE // (4 * HELD)
    assert last.cumulativeRevenue > sum(amount * SCALE // (4 * HELD) for amount in amounts)


def test_revenue_is_refused_while_nobody_may_share_it(chain: Any, coin: Any, dex: Any, actors: Actors) -> None:
    for holder, amount in ((actors.staker, HELD), (actors.trader, HELD), (actors.provider, 2 * HELD)):
        coin.transfer(dex, amount, sender=holder)

    with ape.reverts("dividends: nobody to share with"):
        distribute(chain, coin, REVENUE, actors)


def test_a_distribution_has_a_minimum(chain: Any, coin: Any, actors: Actors) -> None:
    minimum = coin.minimumDistribution()
    with ape.reverts("dividends: amount below minimum"):
        distribute(chain, coin, minimum - 1, actors)

    distribute(chain, coin, minimum, actors)


def test_holders_of_nothing_claim_nothing(distributed: Any, actors: Actors) -> None:
    assert distributed.pendingRevenue(actors.stranger) == 0
    with ape.reverts("dividends: no revenue due"):
        distributed.claimRevenue(sender=actors.stranger)


def test_settling_keeps_delegates_and_votes(chain: Any, distributed: Any, actors: Actors) -> None:
    delegate(distributed, actors.trader, sender=actors.trader)
    for _ in range(3):
        distribute(chain, distributed, REVENUE, actors)
        distributed.transfer(actors.stranger, COIN, sender=actors.trader)
        pass_time(chain, 5)

    assert distributed.delegates(actors.trader) == actors.trader
    assert distributed.getVotes(actors.trader) == HELD - 3 * COIN
    assert distributed.getPastVotes(actors.trader, chain.blocks.head.timestamp - 1) == HELD - 3 * COIN


def test_the_token_takes_no_native_coin_by_mistake(coin: Any, actors: Actors) -> None:
    with ape.reverts():
        actors.stranger.transfer(coin, COIN)


def test_revenue_is_shared_when_its_second_is_over(coin: Any, actors: Actors) -> None:
    coin.distribute(value=REVENUE, sender=actors.owner)
    assert pending(coin, actors.staker, actors.trader, actors.provider) == (0, 0, 0)
    assert tuple(coin.revenueBooks()) == (0, 0, REVENUE, ape.chain.blocks.head.timestamp)

    # The next block has a later time: this transfer changes nothing of what the second before brought.
    receipt = coin.transfer(actors.stranger, HELD, sender=actors.trader)

    assert [event.event_name for event in receipt.events] == ["RevenueDivided", "Transfer"]
    assert pending(coin, actors.trader, actors.stranger) == (REVENUE // 4 - 1, 0)
    assert tuple(coin.revenueBooks()) == (*divmod(REVENUE * SCALE, 4 * HELD), 0, 0)


def test_distributions_of_one_second_are_divided_together(chain: Any, coin: Any, batch: Any, actors: Actors) -> None:
    distribution = (coin, REVENUE, coin.distribute.encode_input())
    batch.execute([distribution, distribution], value=2 * REVENUE, sender=actors.owner)
    pass_time(chain, 1)

    receipt = coin.claimRevenue(sender=actors.provider)

    (division,) = coin.RevenueDivided.from_receipt(receipt)
    assert division.amount == 2 * REVENUE
    assert division.cumulativeRevenue == 2 * REVENUE * SCALE // (4 * HELD)
    assert actors.provider.balance > 0
    assert pending(coin, actors.staker, actors.trader) == (REVENUE // 2 - 1, REVENUE // 2 - 1)


def test_what_finds_no_holder_waits_for_the_next(
    chain: Any, metrics: Any, batch: Any, contracts: Any, actors: Actors
) -> None:
    """The only holder sells all to the pool in the second of a distribution; somebody buys some the next day."""
    pool = actors.stranger.deploy(contracts.Batch)
    coin = deploy_coin(contracts, actors, metrics=metrics, exchange=pool)
    coin.transfer(batch, POOL_SUPPLY, sender=actors.provider)
    batch.execute(
        [
            (coin, REVENUE, coin.distribute.encode_input()),
            (coin, 0, coin.transfer.encode_input(pool, POOL_SUPPLY)),
        ],
        value=REVENUE,
        sender=actors.owner,
    )
    pass_time(chain, 86_400)
    assert coin.eligibleSupply() == coin.pendingRevenue(batch) == 0

    bought = pool.execute([(coin, 0, coin.transfer.encode_input(actors.trader, COIN))], sender=actors.stranger)

    assert [event.event_name for event in bought.events] == ["Transfer"]
    assert coin.pendingRevenue(actors.trader) == REVENUE
    coin.transfer(actors.stranger, COIN, sender=actors.trader)
    assert pending(coin, batch, actors.trader, actors.stranger) == (0, REVENUE, 0)


def test_a_holder_may_be_paid_elsewhere(chain: Any, distributed: Any, hostile: Any, actors: Actors) -> None:
    """A contract that refuses the native coin names who takes it."""
    distributed.transfer(hostile, HELD, sender=actors.provider)
    hostile.refuse(True, sender=actors.stranger)
    distribute(chain, distributed, REVENUE, actors)
    due = distributed.pendingRevenue(hostile)
    before = actors.fee_recipient.balance

    with ape.reverts("dividends: receiver is the zero address"):
        execute(hostile, distributed.claimRevenueTo, ape.utils.ZERO_ADDRESS, sender=actors.stranger)
    receipt = execute(hostile, distributed.claimRevenueTo, actors.fee_recipient, sender=actors.stranger)

    assert distributed.RevenueClaimed(account=hostile, amount=due) in receipt.events
    assert actors.fee_recipient.balance == before + due > before
    assert distributed.pendingRevenue(hostile) == 0


# attacks


def test_coins_borrowed_for_one_transaction_earn_nothing(chain: Any, coin: Any, batch: Any, actors: Actors) -> None:
    """Around a distribution that anybody can set off: borrow, distribute, claim, pay back."""
    coin.approve(batch, FOREVER, sender=actors.provider)

    batch.execute(
        [
            (coin, 0, coin.transferFrom.encode_input(actors.provider, batch, 2 * HELD)),
            (coin, REVENUE, coin.distribute.encode_input()),
            (coin, 0, coin.transfer.encode_input(actors.provider, 2 * HELD)),
        ],
        value=REVENUE,
        sender=actors.stranger,
    )
    pass_time(chain, 1)

    assert pending(coin, batch, actors.provider) == (0, REVENUE // 2 - 1)


def test_reentrancy_in_claim_revenue(chain: Any, coin: Any, hostile: Any, actors: Actors) -> None:
    coin.transfer(hostile, HELD, sender=actors.provider)
    distribute(chain, coin, REVENUE, actors)
    due = coin.pendingRevenue(hostile)
    for method, arguments in ((coin.claimRevenue, ()), (coin.transfer, (actors.stranger, HELD))):
        hostile.reenter(coin, method.encode_input(*arguments), sender=actors.stranger)
        execute(hostile, coin.claimRevenue, sender=actors.stranger)
        assert not hostile.reentrySucceeded()
        assert not hostile.reentryGaveReason()  # the lock gives none: nothing else stopped the call
        distribute(chain, coin, REVENUE, actors)

    assert hostile.reentries() == 2
    assert hostile.balance in range(2 * due, 2 * due + 2)


def test_the_books_close_before_the_coin_is_sent(chain: Any, coin: Any, hostile: Any, actors: Actors) -> None:
    coin.transfer(hostile, HELD, sender=actors.provider)
    distribute(chain, coin, REVENUE, actors)
    hostile.reenter(coin, coin.approve.encode_input(actors.stranger, 1), sender=actors.stranger)  # takes no lock

    receipt = execute(hostile, coin.claimRevenue, sender=actors.stranger)

    assert [event.event_name for event in receipt.events] == ["RevenueDivided", "RevenueClaimed", "Approval"]


def test_a_refusing_receiver_keeps_nobody_from_revenue(chain: Any, coin: Any, hostile: Any, actors: Actors) -> None:
    coin.transfer(hostile, HELD, sender=actors.provider)
    hostile.refuse(True, sender=actors.stranger)
    distribute(chain, coin, REVENUE, actors)
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
    """Who holds at the end of a distribution's second is paid: getting in and out is what makes sniping a loss."""
    metrics.updateCreatorMetrics(actors.creator, 60_000, 6_000, COIN, 0, sender=actors.oracle)
    factory.launchCreatorCoin(actors.creator, *("A Coin", "COIN", "", ""), value=10 * COIN, sender=actors.oracle)
    token = contracts.BalancedCreatorToken.at(factory.coinOf(actors.creator))
    dex.buyTokens(token, 1, value=COIN // 10, sender=actors.trader)
    stake = COIN // 10
    before = actors.stranger.balance

    bought = dex.buyTokens(token, 1, value=stake, sender=actors.stranger)
    factory.distributeRevenue(actors.creator, value=COIN // 20, sender=actors.owner)
    pass_time(ape.chain, 1)
    share = token.pendingRevenue(actors.stranger)
    claimed = token.claimRevenue(sender=actors.stranger)
    approved = token.approve(dex, FOREVER, sender=actors.stranger)
    sold = dex.sellTokens(token, token.balanceOf(actors.stranger), 1, sender=actors.stranger)
    fees = sum(receipt.total_fees_paid for receipt in (bought, claimed, approved, sold))

    assert share > 0
    assert actors.stranger.balance + fees < before
