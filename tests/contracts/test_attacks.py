"""Attacks, each named for what it tries; every one fails."""

from collections.abc import Callable
from typing import Any

import ape
import pytest
from ape import networks

from tests.contracts.conftest import COIN, FOREVER, MIN_FOLLOWERS, MIN_STREAMS, ZERO_ADDRESS, Actors
from tests.contracts.signing import sign_permit

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
TRADER_INDEX = 4


def force_native(sender: Any, receiver: Any, amount: int) -> None:
    """Push `amount` wei on `receiver` without running its code, by a contract that destroys itself at its creation."""
    initcode = bytes.fromhex("73" + receiver.address[2:] + "ff")  # PUSH20 receiver, SELFDESTRUCT
    ecosystem = networks.provider.network.ecosystem
    sender.call(ecosystem.create_transaction(data=initcode, value=amount))


# re-entrancy


@pytest.fixture
def hostile_trader(hostile: Any, pool: Any, funded_token: Any, actors: Actors) -> Any:
    """The hostile contract with tokens, an allowance, and shares of the pool."""
    funded_token.transfer(hostile, 20_000 * COIN, sender=actors.trader)
    execute(hostile, funded_token.approve, pool, FOREVER, sender=actors.stranger)
    execute(hostile, pool.addLiquidity, funded_token, FOREVER, 0, FOREVER, value=COIN, sender=actors.stranger)
    return hostile


def execute(hostile: Any, method: Any, *arguments: Any, **options: Any) -> Any:
    return hostile.execute(method.contract, method.encode_input(*arguments), **options)


REENTRIES: dict[str, Callable[[Any, Any], Any]] = {
    "sellTokens": lambda pool, token: pool.sellTokens.encode_input(token, COIN, 0),
    "buyTokens": lambda pool, token: pool.buyTokens.encode_input(token, 0),
    "removeLiquidity": lambda pool, token: pool.removeLiquidity.encode_input(token, 1_000_000, 0, 0, FOREVER),
    "addLiquidity": lambda pool, token: pool.addLiquidity.encode_input(token, FOREVER, 0, FOREVER),
    "withdrawPlatformFees": lambda pool, token: pool.withdrawPlatformFees.encode_input(token),
    "getTokensOut, read-only": lambda pool, token: pool.getTokensOut.encode_input(token, COIN),
    "spotPrice, read-only": lambda pool, token: pool.spotPrice.encode_input(token),
}


@pytest.mark.parametrize("reentry", REENTRIES)
@pytest.mark.parametrize("entry", ["sellTokens", "removeLiquidity"])
def test_reentrancy_through_the_receiver_of_the_native_coin(
    hostile_trader: Any, pool: Any, funded_token: Any, actors: Actors, *, entry: str, reentry: str
) -> None:
    hostile_trader.reenter(pool, REENTRIES[reentry](pool, funded_token), sender=actors.stranger)

    if entry == "sellTokens":
        execute(hostile_trader, pool.sellTokens, funded_token, COIN, 0, sender=actors.stranger)
    else:
        execute(hostile_trader, pool.removeLiquidity, funded_token, 10**18, 0, 0, FOREVER, sender=actors.stranger)

    assert hostile_trader.reentries() == 1
    assert not hostile_trader.reentrySucceeded()
    assert not hostile_trader.reentryGaveReason()  # the lock gives none: nothing else stopped the call


def test_reentrancy_through_a_fee_withdrawal(hostile: Any, pool: Any, funded_token: Any, actors: Actors) -> None:
    funded_token.setPlatformFeeRecipient(hostile, sender=actors.fee_recipient)
    pool.buyTokens(funded_token, 0, value=COIN, sender=actors.trader)
    due = pool.platformFeesDue(hostile)
    hostile.reenter(pool, pool.withdrawPlatformFees.encode_input(hostile), sender=actors.stranger)

    pool.withdrawPlatformFees(hostile, sender=actors.stranger)

    assert (hostile.balance, hostile.reentries()) == (due, 1)
    assert not hostile.reentrySucceeded()
    assert not hostile.reentryGaveReason()


# donation and inflation


def test_donation_moves_no_price_and_is_nobodys(pool: Any, funded_token: Any, actors: Actors) -> None:
    before = (pool.getTokensOut(funded_token, COIN), pool.getNativeOut(funded_token, COIN))
    reserves = tuple(pool.reserves(funded_token))

    funded_token.transfer(pool, 50_000 * COIN, sender=actors.trader)
    force_native(actors.stranger, pool, 5 * COIN)

    assert (pool.getTokensOut(funded_token, COIN), pool.getNativeOut(funded_token, COIN)) == before
    assert tuple(pool.reserves(funded_token)) == reserves
    shares = pool.sharesOf(funded_token, actors.creator)
    pool.removeLiquidity(funded_token, shares, 0, 0, FOREVER, sender=actors.creator)
    assert pool.balance >= 5 * COIN
    assert funded_token.balanceOf(pool) >= 50_000 * COIN


def test_the_exchange_takes_no_native_coin_by_mistake(pool: Any, actors: Actors) -> None:
    with ape.reverts():
        actors.stranger.transfer(pool, COIN)


def test_first_depositor_inflation(dex: Any, token: Any, actors: Actors) -> None:
    attacker, victim = actors.creator, actors.provider
    token.transfer(victim, COIN, sender=attacker)
    for account in (attacker, victim):
        token.approve(dex, FOREVER, sender=account)
    dex.createPool(token, 1_001, attacker, value=1_001, sender=attacker)  # one share beside the locked ones
    token.transfer(dex, 100_000 * COIN, sender=attacker)
    force_native(attacker, dex, 100 * COIN)

    dex.addLiquidity(token, COIN, 0, FOREVER, value=COIN, sender=victim)

    shares = dex.sharesOf(token, victim)
    receipt = dex.removeLiquidity(token, shares, 0, 0, FOREVER, sender=victim)
    (removed,) = dex.LiquidityRemoved.from_receipt(receipt)
    assert removed.nativeAmount >= COIN - 1
    assert removed.tokenAmount >= COIN - 1


# ordering


def test_sandwich_against_a_slippage_floor(pool: Any, funded_token: Any, actors: Actors) -> None:
    floor = pool.getTokensOut(funded_token, COIN) * 99 // 100
    pool.buyTokens(funded_token, 0, value=COIN, sender=actors.stranger)  # the front-run

    with ape.reverts("dex: slippage exceeded"):
        pool.buyTokens(funded_token, floor, value=COIN, sender=actors.trader)


def test_opening_a_coins_pool_before_its_launch(
    metrics: Any, factory: Any, deployer: Any, dex: Any, actors: Actors
) -> None:
    texts = ("A Coin", "COIN", "", "")
    predicted = deployer.predictBalancedTokenAddress(
        *texts, actors.creator, actors.fee_recipient, factory, metrics, dex
    )
    with ape.reverts("dex: unknown token"):
        dex.createPool(predicted, 1, actors.stranger, value=COIN, sender=actors.stranger)
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)

    factory.launchCreatorCoin(actors.creator, *texts, value=COIN, sender=actors.oracle)

    assert factory.coinOf(actors.creator) == predicted


# signatures


def test_permit_replay(chain: Any, funded_token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    signature = sign_permit(funded_token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)
    permit = (actors.trader, actors.stranger, COIN, deadline, *signature)
    funded_token.permit(*permit, sender=actors.stranger)

    with ape.reverts("erc20: invalid signature"):
        funded_token.permit(*permit, sender=actors.stranger)


def test_permit_signed_for_another_chain(chain: Any, funded_token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    signature = sign_permit(funded_token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline, chain_id=1)

    with ape.reverts("erc20: invalid signature"):
        funded_token.permit(actors.trader, actors.stranger, COIN, deadline, *signature, sender=actors.stranger)


def test_permit_signed_for_another_token(chain: Any, token: Any, funded_token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    signature = sign_permit(token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)

    with ape.reverts("erc20: invalid signature"):
        funded_token.permit(actors.trader, actors.stranger, COIN, deadline, *signature, sender=actors.stranger)


def test_permit_for_more_than_was_signed(chain: Any, funded_token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    signature = sign_permit(funded_token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)

    with ape.reverts("erc20: invalid signature"):
        funded_token.permit(actors.trader, actors.stranger, 2 * COIN, deadline, *signature, sender=actors.stranger)


def test_expired_permit(chain: Any, funded_token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp - 100
    signature = sign_permit(funded_token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)

    with ape.reverts("erc20: expired deadline"):
        funded_token.permit(actors.trader, actors.stranger, COIN, deadline, *signature, sender=actors.stranger)


def test_signature_malleability(chain: Any, funded_token: Any, actors: Actors) -> None:
    deadline = chain.pending_timestamp + 3_600
    v, r, s = sign_permit(funded_token, TRADER_INDEX, actors.stranger, COIN, deadline=deadline)
    mirrored = (55 - v, r, (CURVE_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big"))

    with ape.reverts("ecdsa: invalid signature `s` value"):
        funded_token.permit(actors.trader, actors.stranger, COIN, deadline, *mirrored, sender=actors.stranger)


def test_permit_for_nobodys_tokens(chain: Any, funded_token: Any, actors: Actors) -> None:
    with ape.reverts():
        funded_token.permit(
            *(ZERO_ADDRESS, actors.stranger, COIN, chain.pending_timestamp + 60, 27, b"\1" * 32, b"\1" * 32),
            sender=actors.stranger,
        )


# oracle data


def test_stale_oracle_data_does_not_undo_newer(chain: Any, metrics: Any, actors: Actors) -> None:
    now = chain.pending_timestamp - 60
    old = (actors.creator, MIN_STREAMS, MIN_FOLLOWERS, 0, 0, now - 3_600)
    metrics.updateCreatorMetrics(*old, sender=actors.oracle)
    metrics.updateCreatorMetrics(actors.creator, 1, 1, 0, 0, now, sender=actors.oracle)

    with ape.reverts("metrics: stale update"):
        metrics.updateCreatorMetrics(*old, sender=actors.oracle)
    with ape.reverts("metrics: stale update"):
        metrics.updateCreatorMetricsBatch([old], sender=actors.oracle)
    assert not metrics.meetsLaunchRequirements(actors.creator)


def test_replayed_oracle_data_emits_no_milestone_again(chain: Any, metrics: Any, actors: Actors) -> None:
    update = (actors.creator, 1_000, 1, 0, 0, chain.pending_timestamp - 60)
    metrics.updateCreatorMetrics(*update, sender=actors.oracle)

    receipt = metrics.updateCreatorMetrics(*update, sender=actors.oracle)

    assert metrics.MilestoneReached.from_receipt(receipt) == []


# refusing receivers


def test_a_refusing_fee_recipient_stops_no_trade(hostile: Any, pool: Any, funded_token: Any, actors: Actors) -> None:
    funded_token.setPlatformFeeRecipient(hostile, sender=actors.fee_recipient)
    hostile.refuse(True, sender=actors.stranger)

    pool.buyTokens(funded_token, 0, value=COIN, sender=actors.trader)
    pool.sellTokens(funded_token, COIN, 0, sender=actors.trader)

    due = pool.platformFeesDue(hostile)
    with ape.reverts("dex: native transfer failed"):
        pool.withdrawPlatformFees(hostile, sender=actors.stranger)
    assert pool.platformFeesDue(hostile) == due > 0


def test_a_refusing_seller_stops_only_itself(hostile_trader: Any, pool: Any, funded_token: Any, actors: Actors) -> None:
    hostile_trader.refuse(True, sender=actors.stranger)
    before = tuple(pool.reserves(funded_token))

    with ape.reverts("dex: native transfer failed"):
        execute(hostile_trader, pool.sellTokens, funded_token, COIN, 0, sender=actors.stranger)

    assert tuple(pool.reserves(funded_token)) == before
    pool.sellTokens(funded_token, COIN, 0, sender=actors.trader)


def test_a_token_that_moves_nothing_and_answers_false_is_not_paid_for(contracts: Any, actors: Actors) -> None:
    dex = actors.owner.deploy(contracts.IntegratedCreatorDEX, actors.owner.deploy(contracts.OpenRegistry))
    token = actors.stranger.deploy(contracts.CallbackToken)
    for account, amount in ((actors.provider, 10**6 * COIN), (actors.stranger, 100 * COIN)):
        token.mint(account, amount, sender=account)
        token.approve(dex, FOREVER, sender=account)
    dex.createPool(token, 10**6 * COIN, actors.provider, value=10 * COIN, sender=actors.provider)

    token.failSilently(True, sender=actors.stranger)
    with ape.reverts("dex: token transfer failed"):
        dex.sellTokens(token, COIN, 0, sender=actors.stranger)
    with ape.reverts("dex: token transfer failed"):
        dex.buyTokens(token, 0, value=COIN // 10, sender=actors.stranger)
    with ape.reverts("dex: token transfer failed"):
        dex.addLiquidity(token, FOREVER, 0, FOREVER, value=COIN // 100, sender=actors.stranger)
    with ape.reverts("dex: token transfer failed"):
        dex.removeLiquidity(token, COIN, 0, 0, FOREVER, sender=actors.provider)


# staking


def test_taking_staked_tokens_through_the_tokens_own_address(funded_token: Any, actors: Actors) -> None:
    funded_token.stake(1_000 * COIN, sender=actors.staker)

    with ape.reverts("erc20: insufficient allowance"):
        funded_token.transferFrom(funded_token, actors.stranger, COIN, sender=actors.stranger)
    with ape.reverts("erc20: insufficient allowance"):
        funded_token.burnFrom(funded_token, COIN, sender=actors.stranger)


def test_tokens_sent_to_the_token_itself_are_no_stake(funded_token: Any, actors: Actors) -> None:
    funded_token.transfer(funded_token, 1_000 * COIN, sender=actors.trader)

    assert funded_token.totalStaked() == 0
    assert not funded_token.isStaking(actors.trader)
    with ape.reverts("staking: no position"):
        funded_token.unstake(sender=actors.trader)
