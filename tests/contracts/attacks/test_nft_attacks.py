"""Attacks on drops, collectables, the marketplace and access to content, each named for what it tries; all fail."""

from collections.abc import Callable
from typing import Any

import ape
import pytest
from ape import networks
from web3 import Web3

from tests.contracts.conftest import COIN, FOREVER, MIN_FOLLOWERS, MIN_STREAMS, ZERO_ADDRESS, Actors

PRICE = COIN
FEE = PRICE * 250 // 10_000
DAY = 86_400
EXTENSION = 900
TOKEN = 1
CREATOR_ROLE = Web3.keccak(text="CREATOR_ROLE")

ROYALTY_REVERTS, ROYALTY_BURNS_GAS, ROYALTY_IS_ENDLESS, TRANSFERS_STOP, TRANSFERS_DO_NOTHING = 1, 2, 4, 8, 16


def now() -> int:
    timestamp: int = ape.chain.pending_timestamp
    return timestamp


def wait_until(timestamp: int) -> None:
    ape.chain.pending_timestamp = timestamp


def execute(trader: Any, method: Any, *arguments: Any, **options: Any) -> Any:
    """Have the hostile contract call `method`."""
    return trader.execute(method.contract, method.encode_input(*arguments), **options)


def force_native(sender: Any, receiver: Any, amount: int) -> None:
    """Push `amount` wei on `receiver` without running its code, by a contract that destroys itself at its creation."""
    initcode = bytes.fromhex(f"73{receiver.address[2:]}ff")  # PUSH20 receiver, SELFDESTRUCT
    ecosystem = networks.provider.network.ecosystem
    sender.call(ecosystem.create_transaction(data=initcode, value=amount))


def assert_the_lock_held(caller: Any) -> None:
    assert caller.reentries() >= 1
    assert not caller.reentrySucceeded()
    assert not caller.reentryGaveReason()  # the lock gives none: nothing else stopped the call


@pytest.fixture
def callback_token(contracts: Any, actors: Actors) -> Any:
    """An ERC-777-like token."""
    return actors.stranger.deploy(contracts.CallbackToken)


@pytest.fixture
def callback_market(contracts: Any, callback_token: Any, actors: Actors) -> Any:
    """A marketplace that takes the ERC-777-like token for SPARK."""
    return actors.owner.deploy(contracts.SparkMarketplace, callback_token, actors.fee_recipient, 250)


@pytest.fixture
def callback_music(contracts: Any, actors: Actors) -> Any:
    """Drops that may be sold for any token, and their creator."""
    registry = actors.owner.deploy(contracts.OpenRegistry)
    music = actors.owner.deploy(contracts.MusicNFT, registry, registry, "")
    music.grantRole(CREATOR_ROLE, actors.creator, sender=actors.owner)
    return music


@pytest.fixture
def collection(contracts: Any, marketplace: Any, actors: Actors) -> Any:
    """A collection that misbehaves when told to; the creator owns token 1 and has approved the marketplace."""
    collection = actors.stranger.deploy(contracts.HostileCollection)
    collection.mint(actors.creator, TOKEN, sender=actors.stranger)
    collection.setApprovalForAll(marketplace, True, sender=actors.creator)
    return collection


@pytest.fixture
def listed(marketplace: Any, collection: Any, actors: Actors) -> Any:
    """The marketplace, with the token listed for the native coin."""
    marketplace.createListing(collection, TOKEN, ZERO_ADDRESS, PRICE, now() + DAY, sender=actors.creator)
    return marketplace


@pytest.fixture
def auctioned(marketplace: Any, collection: Any, actors: Actors) -> Any:
    """The marketplace, with the token up in an auction for the native coin."""
    marketplace.createAuction(collection, TOKEN, ZERO_ADDRESS, PRICE, DAY, sender=actors.creator)
    return marketplace


def buy(market: Any, collection: Any, buyer: Any, **options: Any) -> Any:
    return market.buy(collection, TOKEN, ZERO_ADDRESS, PRICE, value=PRICE, sender=buyer, **options)


# re-entrancy

MUSIC_REENTRIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "buyEdition": lambda music, token, _: music.buyEdition.encode_input(1, token, PRICE),
    "mintEdition": lambda music, _token, trader: music.mintEdition.encode_input(1, trader),
    "withdrawProceeds": lambda music, _token, trader: music.withdrawProceeds.encode_input(trader),
    "setSale": lambda music, token, _: music.setSale.encode_input(1, token, 1),
    "drop, read-only": lambda music, _token, _trader: music.drop.encode_input(1),
}


@pytest.fixture
def last_edition(callback_music: Any, callback_token: Any, hostile_trader: Any, actors: Actors) -> Any:
    """A drop of one edition for the ERC-777-like token; the hostile contract can pay for several."""
    callback_music.createDrop("Song", "piece", 0, 1, False, callback_token, PRICE, sender=actors.creator)
    callback_token.mint(hostile_trader, 10 * PRICE, sender=actors.stranger)
    execute(hostile_trader, callback_token.approve, callback_music, FOREVER, sender=actors.stranger)
    return callback_music


@pytest.mark.parametrize("reentry", MUSIC_REENTRIES)
def test_reentrancy_through_the_receiver_of_an_edition_and_the_payment_token(
    last_edition: Any, callback_token: Any, hostile_trader: Any, actors: Actors, reentry: str
) -> None:
    data = MUSIC_REENTRIES[reentry](last_edition, callback_token, hostile_trader)
    hostile_trader.reenter(last_edition, data, sender=actors.stranger)

    execute(hostile_trader, last_edition.buyEdition, 1, callback_token, PRICE, sender=actors.stranger)

    assert hostile_trader.reentries() == 2  # as it paid, and as it was given the edition
    assert_the_lock_held(hostile_trader)
    assert last_edition.drop(1).minted == last_edition.balanceOf(hostile_trader) == 1
    assert callback_token.balanceOf(actors.creator) == PRICE


def test_supply_overrun_by_a_creator_that_reenters(callback_music: Any, hostile_trader: Any, actors: Actors) -> None:
    callback_music.grantRole(CREATOR_ROLE, hostile_trader, sender=actors.owner)
    terms = (hostile_trader, "Song", "piece", 10, 2)
    execute(hostile_trader, callback_music.mintExclusiveTrack, *terms, sender=actors.stranger)
    mint = callback_music.mintEdition.encode_input(1, hostile_trader)
    hostile_trader.reenter(callback_music, mint, sender=actors.stranger)

    execute(hostile_trader, callback_music.mintEdition, 1, hostile_trader, sender=actors.stranger)

    assert_the_lock_held(hostile_trader)
    hostile_trader.reenter(ZERO_ADDRESS, b"", sender=actors.stranger)
    with ape.reverts("music nft: sold out"):
        execute(hostile_trader, callback_music.mintEdition, 1, hostile_trader, sender=actors.stranger)
    assert callback_music.drop(1).minted == callback_music.editionsHeld(hostile_trader, 1) == 2


def test_reentrancy_through_a_creator_s_proceeds(music_nft: Any, hostile_trader: Any, actors: Actors) -> None:
    music_nft.grantRole(CREATOR_ROLE, hostile_trader, sender=actors.owner)
    terms = ("Song", "piece", 0, 9, False, ZERO_ADDRESS, PRICE)
    execute(hostile_trader, music_nft.createDrop, *terms, sender=actors.stranger)
    drop = music_nft.totalDrops()
    for buyer in (actors.trader, actors.staker):
        music_nft.buyEdition(drop, ZERO_ADDRESS, PRICE, value=PRICE, sender=buyer)
    withdrawal = music_nft.withdrawProceeds.encode_input(hostile_trader)
    hostile_trader.reenter(music_nft, withdrawal, sender=actors.stranger)

    music_nft.withdrawProceeds(hostile_trader, sender=actors.stranger)

    assert_the_lock_held(hostile_trader)
    assert (hostile_trader.balance, music_nft.balance) == (2 * PRICE, 0)


def test_a_receiver_that_passes_its_edition_on_at_once_confuses_no_book(
    music_nft: Any, hostile_trader: Any, actors: Actors
) -> None:
    music_nft.createDrop("Song", "piece", 0, 9, False, ZERO_ADDRESS, PRICE, sender=actors.creator)
    drop = music_nft.totalDrops()
    edition = drop << 128 | 1
    onward = music_nft.transferFrom.encode_input(hostile_trader, actors.trader, edition)
    hostile_trader.reenter(music_nft, onward, sender=actors.stranger)

    music_nft.mintEdition(drop, hostile_trader, sender=actors.creator)

    assert hostile_trader.reentrySucceeded()
    assert music_nft.ownerOf(edition) == actors.trader
    assert [music_nft.editionsHeld(holder, drop) for holder in (hostile_trader, actors.trader)] == [0, 1]

    music_nft.safeTransferFrom(actors.trader, hostile_trader, edition, sender=actors.trader)

    assert hostile_trader.reentries() == 2
    assert music_nft.ownerOf(edition) == actors.trader
    assert [music_nft.editionsHeld(holder, drop) for holder in (hostile_trader, actors.trader)] == [0, 1]


def test_a_minter_that_reenters_gets_other_tokens(spark_nft: Any, hostile_trader: Any, actors: Actors) -> None:
    spark_nft.grantRole(Web3.keccak(text="MINTER_ROLE"), hostile_trader, sender=actors.owner)
    hostile_trader.reenter(spark_nft, spark_nft.mint.encode_input(actors.trader), sender=actors.stranger)

    execute(hostile_trader, spark_nft.mint, hostile_trader, sender=actors.stranger)

    assert (spark_nft.ownerOf(1), spark_nft.ownerOf(2)) == (hostile_trader, actors.trader)
    assert spark_nft.totalSupply() == 2


MARKET_REENTRIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "buy": lambda market, nft, token: market.buy.encode_input(nft, TOKEN, token, PRICE),
    "createListing": lambda market, nft, token: market.createListing.encode_input(nft, TOKEN, token, PRICE, 2**40),
    "cancelListing": lambda market, nft, _token: market.cancelListing.encode_input(nft, TOKEN),
    "makeOffer": lambda market, nft, token: market.makeOffer.encode_input(nft, 7, token, PRICE, 2**40),
    "cancelOffer": lambda market, nft, _token: market.cancelOffer.encode_input(nft, 9),
    "acceptOffer": lambda market, nft, token: market.acceptOffer.encode_input(nft, 9, nft, token, PRICE),
    "createAuction": lambda market, nft, token: market.createAuction.encode_input(nft, TOKEN, token, PRICE, DAY),
    "bid": lambda market, nft, token: market.bid.encode_input(nft, TOKEN, token, PRICE),
    "settleAuction": lambda market, nft, _token: market.settleAuction.encode_input(nft, TOKEN),
    "cancelAuction": lambda market, nft, _token: market.cancelAuction.encode_input(nft, TOKEN),
    "withdrawBid": lambda market, nft, _token: market.withdrawBid.encode_input(nft, TOKEN),
    "withdraw": lambda market, nft, token: market.withdraw.encode_input(nft, token),
    "withdrawTo": lambda market, nft, token: market.withdrawTo.encode_input(nft, token),
    "listing, read-only": lambda market, nft, _token: market.listing.encode_input(nft, TOKEN),
    "creditOf, read-only": lambda market, nft, token: market.creditOf.encode_input(nft, token),
}


@pytest.mark.parametrize("reentry", MARKET_REENTRIES)
def test_reentrancy_through_the_payment_token(
    callback_market: Any, callback_token: Any, collection: Any, hostile_trader: Any, *, actors: Actors, reentry: str
) -> None:
    collection.setApprovalForAll(callback_market, True, sender=actors.creator)
    callback_market.createListing(collection, TOKEN, callback_token, PRICE, now() + DAY, sender=actors.creator)
    callback_token.mint(hostile_trader, 10 * PRICE, sender=actors.stranger)
    execute(hostile_trader, callback_token.approve, callback_market, FOREVER, sender=actors.stranger)
    data = MARKET_REENTRIES[reentry](callback_market, collection, callback_token)
    hostile_trader.reenter(callback_market, data, sender=actors.stranger)

    execute(hostile_trader, callback_market.buy, collection, TOKEN, callback_token, PRICE, sender=actors.stranger)

    assert_the_lock_held(hostile_trader)
    assert collection.ownerOf(TOKEN) == hostile_trader
    assert callback_token.balanceOf(callback_market) == PRICE


@pytest.mark.parametrize("reentry", MARKET_REENTRIES)
def test_reentrancy_through_a_collection_s_transfer(
    listed: Any, collection: Any, spark: Any, actors: Actors, reentry: str
) -> None:
    collection.reenter(listed, MARKET_REENTRIES[reentry](listed, collection, spark), sender=actors.stranger)

    buy(listed, collection, actors.trader)

    assert_the_lock_held(collection)
    assert collection.ownerOf(TOKEN) == actors.trader
    assert listed.creditOf(actors.creator, ZERO_ADDRESS) == PRICE - FEE


def test_reentrancy_through_a_withdrawal_of_native_coin(
    marketplace: Any, collection: Any, hostile_trader: Any, actors: Actors
) -> None:
    offer = (collection, TOKEN, ZERO_ADDRESS, PRICE, now() + DAY)
    execute(hostile_trader, marketplace.makeOffer, *offer, value=PRICE, sender=actors.stranger)
    marketplace.makeOffer(*offer, value=PRICE, sender=actors.trader)  # somebody else's coin is there to be stolen
    execute(hostile_trader, marketplace.cancelOffer, collection, TOKEN, sender=actors.stranger)
    again = marketplace.withdraw.encode_input(hostile_trader, ZERO_ADDRESS)
    hostile_trader.reenter(marketplace, again, sender=actors.stranger)

    marketplace.withdraw(hostile_trader, ZERO_ADDRESS, sender=actors.stranger)

    assert_the_lock_held(hostile_trader)
    assert (hostile_trader.balance, marketplace.balance) == (PRICE, PRICE)


def test_reentrancy_through_a_withdrawal_of_tokens(
    callback_market: Any, callback_token: Any, collection: Any, hostile_trader: Any, actors: Actors
) -> None:
    offer = (collection, TOKEN, callback_token, PRICE, now() + DAY)
    callback_token.mint(hostile_trader, PRICE, sender=actors.stranger)
    callback_token.mint(actors.trader, PRICE, sender=actors.stranger)
    execute(hostile_trader, callback_token.approve, callback_market, FOREVER, sender=actors.stranger)
    callback_token.approve(callback_market, FOREVER, sender=actors.trader)
    execute(hostile_trader, callback_market.makeOffer, *offer, sender=actors.stranger)
    callback_market.makeOffer(*offer, sender=actors.trader)
    execute(hostile_trader, callback_market.cancelOffer, collection, TOKEN, sender=actors.stranger)
    again = callback_market.withdraw.encode_input(hostile_trader, callback_token)
    hostile_trader.reenter(callback_market, again, sender=actors.stranger)

    callback_market.withdraw(hostile_trader, callback_token, sender=actors.stranger)

    assert_the_lock_held(hostile_trader)
    assert callback_token.balanceOf(hostile_trader) == callback_token.balanceOf(callback_market) == PRICE


# refusing receivers


def test_refusing_receiver_of_a_bid_s_refund_keeps_nobody_from_outbidding(
    auctioned: Any, collection: Any, hostile_trader: Any, actors: Actors
) -> None:
    bid = (collection, TOKEN, ZERO_ADDRESS)
    execute(hostile_trader, auctioned.bid, *bid, PRICE, value=PRICE, sender=actors.stranger)
    hostile_trader.refuse(True, sender=actors.stranger)

    auctioned.bid(*bid, 2 * PRICE, value=2 * PRICE, sender=actors.trader)

    assert auctioned.auction(collection, TOKEN).highestBidder == actors.trader
    assert auctioned.creditOf(hostile_trader, ZERO_ADDRESS) == PRICE
    with ape.reverts("marketplace: native transfer failed"):
        auctioned.withdraw(hostile_trader, ZERO_ADDRESS, sender=actors.stranger)
    before = actors.provider.balance
    execute(hostile_trader, auctioned.withdrawTo, actors.provider, ZERO_ADDRESS, sender=actors.stranger)
    assert (actors.provider.balance, auctioned.balance) == (before + PRICE, 2 * PRICE)


def test_refusing_receiver_of_the_token_does_not_hold_the_seller_s_money(
    auctioned: Any, collection: Any, hostile_trader: Any, actors: Actors
) -> None:
    terms = (collection, TOKEN, ZERO_ADDRESS, PRICE)
    execute(hostile_trader, auctioned.bid, *terms, value=PRICE, sender=actors.stranger)
    hostile_trader.refuse(True, sender=actors.stranger)

    wait_until(auctioned.auction(collection, TOKEN).endsAt)
    auctioned.settleAuction(collection, TOKEN, sender=actors.creator)

    assert collection.ownerOf(TOKEN) == hostile_trader
    assert auctioned.creditOf(actors.creator, ZERO_ADDRESS) == PRICE - FEE


def test_refusing_seller_platform_and_royalty_receiver_stop_no_sale(
    marketplace: Any, music_nft: Any, hostile_trader: Any, actors: Actors
) -> None:
    music_nft.grantRole(CREATOR_ROLE, hostile_trader, sender=actors.owner)
    terms = (hostile_trader, "Song", "piece", 10, 1)
    execute(hostile_trader, music_nft.mintExclusiveTrack, *terms, sender=actors.stranger)
    edition = music_nft.totalDrops() << 128 | 1
    execute(hostile_trader, music_nft.setApprovalForAll, marketplace, True, sender=actors.stranger)
    listing = (music_nft, edition, ZERO_ADDRESS, PRICE)
    execute(hostile_trader, marketplace.createListing, *listing, now() + DAY, sender=actors.stranger)
    marketplace.setFeeRecipient(hostile_trader, sender=actors.owner)
    hostile_trader.refuse(True, sender=actors.stranger)

    marketplace.buy(*listing, value=PRICE, sender=actors.trader)

    assert music_nft.ownerOf(edition) == actors.trader
    assert marketplace.creditOf(hostile_trader, ZERO_ADDRESS) == PRICE


def test_refusing_creator_stops_no_sale_and_is_paid_elsewhere(
    music_nft: Any, hostile_trader: Any, actors: Actors
) -> None:
    music_nft.grantRole(CREATOR_ROLE, hostile_trader, sender=actors.owner)
    terms = ("Song", "piece", 0, 9, False, ZERO_ADDRESS, PRICE)
    execute(hostile_trader, music_nft.createDrop, *terms, sender=actors.stranger)
    hostile_trader.refuse(True, sender=actors.stranger)

    music_nft.buyEdition(music_nft.totalDrops(), ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)

    with ape.reverts("music nft: native transfer failed"):
        music_nft.withdrawProceeds(hostile_trader, sender=actors.stranger)
    before = actors.provider.balance
    execute(hostile_trader, music_nft.withdrawProceedsTo, actors.provider, sender=actors.stranger)
    assert actors.provider.balance == before + PRICE


# royalties


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_malicious_royalty_above_the_price_is_clamped_to_half_of_it(
    listed: Any, collection: Any, actors: Actors
) -> None:
    thief = actors.stranger
    for asked in (PRICE, 2**256 - 1, PRICE // 2):
        collection.answerRoyaltyWith(word(int(thief.address, 16)) + word(asked), sender=thief)
        split = listed.split(collection, TOKEN, PRICE)
        assert (split.fee + split.royalty, split.royaltyReceiver) == (PRICE // 2, thief)

    buy(listed, collection, actors.trader)

    assert listed.creditOf(thief, ZERO_ADDRESS) == PRICE // 2 - FEE
    assert listed.creditOf(actors.creator, ZERO_ADDRESS) == PRICE // 2


@pytest.mark.parametrize("price", [10_000, 10_001, 19_999, 2**128 - 1])
@pytest.mark.parametrize("fee", [0, 1, 999, 1_000])
def test_fee_and_royalty_never_pass_half_of_the_price(
    marketplace: Any, collection: Any, actors: Actors, price: int, fee: int
) -> None:
    marketplace.setFee(fee, sender=actors.owner)
    collection.answerRoyaltyWith(word(1) + word(2**256 - 1), sender=actors.stranger)

    split = marketplace.split(collection, TOKEN, price)

    assert split.fee + split.royalty == price // 2
    assert split.proceeds == price - price // 2


@pytest.mark.parametrize("behaviour", [ROYALTY_REVERTS, ROYALTY_BURNS_GAS, ROYALTY_IS_ENDLESS])
def test_malicious_royalty_that_fails_burns_gas_or_never_ends_stops_no_sale(
    listed: Any, collection: Any, actors: Actors, behaviour: int
) -> None:
    receiver = int(actors.stranger.address, 16)
    collection.answerRoyaltyWith(word(receiver) + word(PRICE // 10), sender=actors.stranger)
    collection.behave(behaviour, sender=actors.stranger)

    buy(listed, collection, actors.trader, gas_limit=1_000_000)

    assert collection.ownerOf(TOKEN) == actors.trader
    assert listed.creditOf(actors.creator, ZERO_ADDRESS) == PRICE - FEE


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        word(1),
        word(1) + word(PRICE // 10)[:-1],
        word(2**160) + word(PRICE // 10),  # no address
        word(2**256 - 1) + word(PRICE // 10),
        word(0) + word(PRICE // 10),
    ],
)
def test_malicious_royalty_that_is_no_answer_counts_as_none(
    listed: Any, collection: Any, actors: Actors, answer: bytes
) -> None:
    collection.answerRoyaltyWith(answer, sender=actors.stranger)

    buy(listed, collection, actors.trader)

    assert listed.creditOf(actors.creator, ZERO_ADDRESS) == PRICE - FEE


def test_royalty_that_is_longer_than_asked_for_still_counts(listed: Any, collection: Any, actors: Actors) -> None:
    receiver = int(actors.provider.address, 16)
    collection.answerRoyaltyWith(word(receiver) + word(PRICE // 10) + word(7), sender=actors.stranger)

    buy(listed, collection, actors.trader)

    assert listed.creditOf(actors.provider, ZERO_ADDRESS) == PRICE // 10


def test_starving_an_honest_royalty_of_gas_starves_the_sale(marketplace: Any, music_nft: Any, actors: Actors) -> None:
    music_nft.mintExclusiveTrack(actors.staker, "Song", "piece", 10, 1, sender=actors.creator)
    edition = music_nft.totalDrops() << 128 | 1
    music_nft.approve(marketplace, edition, sender=actors.staker)
    listing = (music_nft, edition, ZERO_ADDRESS, PRICE)
    marketplace.createListing(*listing, now() + DAY, sender=actors.staker)
    before = ape.chain.snapshot()
    needed = marketplace.buy(*listing, value=PRICE, sender=actors.trader).gas_used
    ape.chain.restore(before)

    royalties = []
    for gas_limit in range(needed // 2, 2 * needed, needed // 16):
        before = ape.chain.snapshot()
        try:
            marketplace.buy(*listing, value=PRICE, sender=actors.trader, gas_limit=gas_limit)
        except (ape.exceptions.ContractLogicError, ape.exceptions.OutOfGasError):
            continue
        royalties.append(marketplace.creditOf(actors.creator, ZERO_ADDRESS))
        ape.chain.restore(before)
    assert set(royalties) == {PRICE // 10}
    assert 8 < len(royalties) < 24  # some limits suffice and some do not


# listings and approvals that outlive their purpose


def test_listing_then_transferring_away_sells_nobody_s_token(listed: Any, collection: Any, actors: Actors) -> None:
    collection.transferFrom(actors.creator, actors.staker, TOKEN, sender=actors.creator)
    collection.setApprovalForAll(listed, True, sender=actors.staker)

    with ape.reverts("marketplace: seller does not own the token"):
        buy(listed, collection, actors.trader)

    assert collection.ownerOf(TOKEN) == actors.staker


def test_a_listing_forgotten_while_the_token_was_away_dies_at_its_expiry(
    listed: Any, collection: Any, actors: Actors
) -> None:
    collection.transferFrom(actors.creator, actors.staker, TOKEN, sender=actors.creator)
    wait_until(now() + 2 * DAY)
    collection.transferFrom(actors.staker, actors.creator, TOKEN, sender=actors.staker)
    with ape.reverts("marketplace: listing expired"):
        buy(listed, collection, actors.trader)


def test_approval_left_behind_is_used_by_nobody(listed: Any, collection: Any, actors: Actors) -> None:
    collection.mint(actors.creator, 2, sender=actors.stranger)
    collection.approve(actors.stranger, TOKEN, sender=actors.creator)
    buy(listed, collection, actors.trader)

    # The seller's approval of the marketplace still stands, for its other token.
    with ape.reverts("marketplace: caller does not own the token"):
        listed.createListing(collection, 2, ZERO_ADDRESS, PRICE, now() + DAY, sender=actors.stranger)
    with ape.reverts("marketplace: caller does not own the token"):
        listed.createAuction(collection, 2, ZERO_ADDRESS, PRICE, DAY, sender=actors.stranger)
    listed.makeOffer(collection, 2, ZERO_ADDRESS, PRICE, now() + DAY, value=PRICE, sender=actors.stranger)
    with ape.reverts("marketplace: caller does not own the token"):
        listed.acceptOffer(collection, 2, actors.stranger, ZERO_ADDRESS, PRICE, sender=actors.stranger)
    # Whom the seller had approved for the token has no say over the buyer's.
    with ape.reverts("erc721: caller is not token owner or approved"):
        collection.transferFrom(actors.trader, actors.stranger, TOKEN, sender=actors.stranger)
    # And the old listing does not sell the buyer's token once the buyer approves, too.
    collection.setApprovalForAll(listed, True, sender=actors.trader)
    with ape.reverts("marketplace: no listing"):
        buy(listed, collection, actors.staker)


def test_an_allowance_of_spark_left_behind_is_not_taken_as_a_collection(
    marketplace: Any, spark: Any, actors: Actors
) -> None:
    spark.approve(marketplace, FOREVER, sender=actors.trader)
    held = spark.balanceOf(actors.trader)
    for method, arguments in (
        ("createListing", (spark, held, ZERO_ADDRESS, PRICE, now() + DAY)),
        ("createAuction", (spark, held, ZERO_ADDRESS, PRICE, DAY)),
        ("acceptOffer", (spark, held, actors.trader, spark, PRICE)),
    ):
        with ape.reverts():
            getattr(marketplace, method)(*arguments, sender=actors.stranger)
    assert spark.balanceOf(actors.trader) == held


# auctions


def test_bid_sniping_leaves_the_others_time_to_answer(auctioned: Any, collection: Any, actors: Actors) -> None:
    bid = (collection, TOKEN, ZERO_ADDRESS)
    auctioned.bid(*bid, PRICE, value=PRICE, sender=actors.trader)
    end = auctioned.auction(collection, TOKEN).endsAt

    wait_until(end - EXTENSION)
    auctioned.bid(*bid, 2 * PRICE, value=2 * PRICE, sender=actors.staker)
    assert auctioned.auction(collection, TOKEN).endsAt == end
    wait_until(end - 1)
    auctioned.bid(*bid, 3 * PRICE, value=3 * PRICE, sender=actors.stranger)
    extended = auctioned.auction(collection, TOKEN).endsAt
    assert extended == end - 1 + EXTENSION

    wait_until(end)
    with ape.reverts("marketplace: auction runs"):
        auctioned.settleAuction(collection, TOKEN, sender=actors.stranger)
    wait_until(extended - 1)
    auctioned.bid(*bid, 4 * PRICE, value=4 * PRICE, sender=actors.trader)
    assert auctioned.auction(collection, TOKEN).highestBidder == actors.trader


def test_a_collection_that_stops_transfers_holds_no_bidder_s_money(
    auctioned: Any, collection: Any, actors: Actors
) -> None:
    auctioned.bid(collection, TOKEN, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)
    collection.behave(TRANSFERS_STOP, sender=actors.stranger)
    wait_until(auctioned.auction(collection, TOKEN).endsAt + 7 * DAY + 1)
    with ape.reverts("hostile: transfers stopped"):
        auctioned.settleAuction(collection, TOKEN, sender=actors.creator)

    auctioned.withdrawBid(collection, TOKEN, sender=actors.trader)

    before = actors.trader.balance
    auctioned.withdraw(actors.trader, ZERO_ADDRESS, sender=actors.stranger)
    assert actors.trader.balance == before + PRICE
    collection.behave(0, sender=actors.stranger)
    auctioned.settleAuction(collection, TOKEN, sender=actors.stranger)
    assert collection.ownerOf(TOKEN) == actors.creator


@pytest.mark.parametrize("with_bid", [True, False])
def test_a_collection_that_seizes_the_token_makes_nobody_forget_a_bid(
    auctioned: Any, collection: Any, actors: Actors, *, with_bid: bool
) -> None:
    if with_bid:
        auctioned.bid(collection, TOKEN, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)
    collection.seize(TOKEN, actors.stranger, sender=actors.stranger)

    with ape.reverts("marketplace: auction exists"):
        auctioned.createAuction(collection, TOKEN, ZERO_ADDRESS, PRICE, DAY, sender=actors.stranger)

    wait_until(auctioned.auction(collection, TOKEN).endsAt + 7 * DAY + 1)
    if with_bid:
        auctioned.withdrawBid(collection, TOKEN, sender=actors.trader)
        assert auctioned.creditOf(actors.trader, ZERO_ADDRESS) == PRICE
    auctioned.settleAuction(collection, TOKEN, sender=actors.stranger)  # there is nothing to give back
    assert auctioned.auction(collection, TOKEN).seller == ZERO_ADDRESS


def test_a_collection_that_does_not_deliver_is_not_paid(
    listed: Any, collection: Any, hostile_trader: Any, actors: Actors
) -> None:
    listed.makeOffer(collection, TOKEN, ZERO_ADDRESS, PRICE, now() + DAY, value=PRICE, sender=actors.staker)
    collection.behave(TRANSFERS_DO_NOTHING, sender=actors.stranger)

    with ape.reverts("marketplace: token not delivered"):
        buy(listed, collection, actors.trader)
    with ape.reverts("marketplace: token not delivered"):
        listed.acceptOffer(collection, TOKEN, actors.staker, ZERO_ADDRESS, PRICE, sender=actors.creator)
    with ape.reverts("marketplace: token not delivered"):
        listed.createAuction(collection, TOKEN, ZERO_ADDRESS, PRICE, DAY, sender=actors.creator)


# money


def test_a_payment_token_that_fails_without_reverting_buys_nothing(
    callback_market: Any, callback_music: Any, callback_token: Any, collection: Any, actors: Actors
) -> None:
    collection.setApprovalForAll(callback_market, True, sender=actors.creator)
    callback_market.createListing(collection, TOKEN, callback_token, PRICE, now() + DAY, sender=actors.creator)
    callback_music.createDrop("Song", "piece", 0, 1, False, callback_token, PRICE, sender=actors.creator)
    callback_token.mint(actors.trader, PRICE, sender=actors.stranger)
    for spender in (callback_market, callback_music):
        callback_token.approve(spender, FOREVER, sender=actors.trader)
    callback_token.failSilently(True, sender=actors.stranger)

    with ape.reverts("marketplace: payment failed"):
        callback_market.buy(collection, TOKEN, callback_token, PRICE, sender=actors.trader)
    with ape.reverts("music nft: payment failed"):
        callback_music.buyEdition(1, callback_token, PRICE, sender=actors.trader)

    callback_token.failSilently(False, sender=actors.stranger)
    callback_market.buy(collection, TOKEN, callback_token, PRICE, sender=actors.trader)
    callback_token.failSilently(True, sender=actors.stranger)
    with ape.reverts("marketplace: payment failed"):
        callback_market.withdraw(actors.creator, callback_token, sender=actors.creator)
    assert callback_market.creditOf(actors.creator, callback_token) == PRICE - FEE


def test_pausing_spark_holds_its_money_only_as_long_as_the_pause(
    marketplace: Any, collection: Any, spark: Any, actors: Actors
) -> None:
    spark.approve(marketplace, FOREVER, sender=actors.trader)
    marketplace.makeOffer(collection, TOKEN, spark, PRICE, now() + DAY, sender=actors.trader)
    spark.pause(sender=actors.owner)

    with ape.reverts("pausable: contract is paused"):
        marketplace.makeOffer(collection, 2, spark, PRICE, now() + DAY, sender=actors.trader)
    marketplace.acceptOffer(collection, TOKEN, actors.trader, spark, PRICE, sender=actors.creator)
    with ape.reverts("pausable: contract is paused"):
        marketplace.withdraw(actors.creator, spark, sender=actors.creator)

    spark.unpause(sender=actors.owner)
    marketplace.withdraw(actors.creator, spark, sender=actors.creator)
    assert spark.balanceOf(actors.creator) == PRICE - FEE


def test_donation_is_nobody_s(marketplace: Any, music_nft: Any, spark: Any, actors: Actors) -> None:
    for contract in (marketplace, music_nft):
        force_native(actors.stranger, contract, COIN)
    spark.transfer(marketplace, COIN, sender=actors.trader)

    for account in (actors.stranger, actors.owner, actors.fee_recipient, actors.trader):
        for currency in (ZERO_ADDRESS, spark):
            with ape.reverts("marketplace: no credit"):
                marketplace.withdraw(account, currency, sender=account)
        with ape.reverts("music nft: no proceeds"):
            music_nft.withdrawProceeds(account, sender=account)


# access to content


def test_flash_borrowed_coins_give_no_committed_access(
    contracts: Any, factory: Any, music_nft: Any, metrics: Any, *, dex: Any, actors: Actors
) -> None:
    metrics.updateCreatorMetrics(actors.creator, MIN_STREAMS, MIN_FOLLOWERS, 0, 0, sender=actors.oracle)
    factory.launchCreatorCoin(actors.creator, "A", "A", "", "", value=COIN, sender=actors.creator)
    coin = contracts.CreatorToken.at(factory.coinOf(actors.creator))
    access = actors.owner.deploy(contracts.ContentAccess, factory, music_nft)
    access.setContentAccess("piece", actors.creator, 1_000 * COIN, sender=actors.creator)
    music_nft.mintExclusiveTrack(actors.stranger, "Song", "piece", 10, 1, sender=actors.creator)
    access.setNftGate("piece", music_nft, music_nft.totalDrops(), sender=actors.creator)

    dex.buyTokens(coin, 0, value=COIN // 100, sender=actors.provider)
    coin.transfer(actors.stranger, 50_000 * COIN, sender=actors.provider)  # for the time of a transaction

    assert access.hasValidAccess(actors.stranger, "piece")
    assert not access.hasCommittedAccess(actors.stranger, "piece")


def test_a_creator_s_broken_gate_shuts_nobody_out_who_paid(
    contracts: Any, factory: Any, music_nft: Any, collection: Any, actors: Actors
) -> None:
    access = actors.owner.deploy(contracts.ContentAccess, factory, music_nft)
    access.setContentAccess("piece", actors.creator, 0, sender=actors.creator)
    access.grantAccess(actors.trader, "piece", now() + DAY, sender=actors.owner)
    collection.behave(32, sender=actors.stranger)
    access.setNftGate("piece", collection, 0, sender=actors.creator)

    assert access.hasValidAccess(actors.trader, "piece")
    assert not access.hasValidAccess(actors.staker, "piece")
