"""C15, SparkMarketplace: listings, offers and auctions in SPARK and the native coin."""

from typing import Any

import ape
import pytest

from tests.contracts.conftest import COIN, FOREVER, ZERO_ADDRESS, Actors

PRICE = 10 * COIN
FEE = PRICE * 250 // 10_000
ROYALTY = PRICE * 500 // 10_000
PROCEEDS = PRICE - FEE - ROYALTY
HOUR = 3_600
DAY = 86_400
EXTENSION = 900
TOKEN = 1
LISTING, OFFER, AUCTION = 1, 2, 3


@pytest.fixture(scope="session")
def collection(contracts: Any, actors: Actors) -> Any:
    """A collection of one token, the creator's; the oracle receives 5 % of its resales."""
    collection = actors.owner.deploy(contracts.SparkNFT, "Tokens", "TOK", "", actors.oracle, 500)
    collection.mint(actors.creator, sender=actors.owner)
    return collection


@pytest.fixture(scope="session")
def market(marketplace: Any, collection: Any, spark: Any, actors: Actors) -> Any:
    """The marketplace; the creator has approved it for its token, the buyers for their SPARK."""
    collection.setApprovalForAll(marketplace, True, sender=actors.creator)
    for buyer in (actors.trader, actors.staker, actors.provider):
        spark.approve(marketplace, FOREVER, sender=buyer)
    return marketplace


@pytest.fixture(params=["native", "spark"])
def currency(request: pytest.FixtureRequest, spark: Any) -> Any:
    """Each currency in turn."""
    return spark if request.param == "spark" else ZERO_ADDRESS


@pytest.fixture
def listed(market: Any, collection: Any, currency: Any, actors: Actors) -> Any:
    """The marketplace, with the token listed for a day."""
    market.createListing(collection, TOKEN, currency, PRICE, now() + DAY, sender=actors.creator)
    return market


@pytest.fixture
def offered(market: Any, collection: Any, currency: Any, actors: Actors) -> Any:
    """The marketplace, with an offer of the trader's for the token."""
    terms = (collection, TOKEN, currency, PRICE, now() + DAY)
    market.makeOffer(*terms, value=value(currency), sender=actors.trader)
    return market


@pytest.fixture
def auctioned(market: Any, collection: Any, currency: Any, actors: Actors) -> Any:
    """The marketplace, with an auction of the token for a day."""
    market.createAuction(collection, TOKEN, currency, PRICE, DAY, sender=actors.creator)
    return market


def now() -> int:
    timestamp: int = ape.chain.pending_timestamp
    return timestamp


def wait_until(timestamp: int) -> None:
    """Let the next transaction happen at `timestamp`."""
    ape.chain.pending_timestamp = timestamp


def value(currency: Any, amount: int = PRICE) -> int:
    """The native coin to send with a payment of `amount`."""
    return amount if currency == ZERO_ADDRESS else 0


def balance(currency: Any, account: Any) -> int:
    held: int = account.balance if currency == ZERO_ADDRESS else currency.balanceOf(account)
    return held


def credits_of(market: Any, currency: Any, actors: Actors) -> tuple[int, int, int]:
    """What the seller, the platform and the royalty's receiver may withdraw."""
    return (
        market.creditOf(actors.creator, currency),
        market.creditOf(actors.fee_recipient, currency),
        market.creditOf(actors.oracle, currency),
    )


def sold(market: Any, collection: Any, actors: Actors, method: int, *, currency: Any, price: int = PRICE) -> Any:
    """The event of a sale by the creator to the trader."""
    fee = -(-price * 250 // 10_000)
    return market.TokenSold(
        collection=collection,
        tokenId=TOKEN,
        buyer=actors.trader,
        seller=actors.creator,
        method=method,
        currency=currency,
        price=price,
        fee=fee,
        feeRecipient=actors.fee_recipient,
        royalty=price * 500 // 10_000,
        royaltyReceiver=actors.oracle,
    )


# the deployment and its owner


def test_the_deployment_says_its_rules(contracts: Any, spark: Any, actors: Actors) -> None:
    market = actors.owner.deploy(contracts.SparkMarketplace, spark, actors.fee_recipient, 250)

    assert (market.spark(), market.feeBps(), market.feeRecipient()) == (spark, 250, actors.fee_recipient)
    assert market.owner() == actors.owner
    assert (market.maximumFeeBps(), market.minimumPrice(), market.maximumPrice()) == (1_000, 10_000, 2**128 - 1)
    assert (market.longestExpiry(), market.settlementPeriod()) == (180 * DAY, 7 * DAY)
    assert (market.shortestAuction(), market.longestAuction(), market.bidExtension()) == (HOUR, 30 * DAY, EXTENSION)
    assert (market.minimumBidIncrementBps(), market.maximumFeeAndRoyaltyBps()) == (500, 5_000)
    receipt = market.creation_metadata.receipt
    assert market.FeeUpdated.from_receipt(receipt) == [market.FeeUpdated(previousFeeBps=0, newFeeBps=250)]
    assert market.FeeRecipientUpdated.from_receipt(receipt) == [
        market.FeeRecipientUpdated(previousRecipient=ZERO_ADDRESS, newRecipient=actors.fee_recipient)
    ]
    assert market.OwnershipTransferred.from_receipt(receipt)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({0: ZERO_ADDRESS}, "marketplace: SPARK is the zero address"),
        ({1: ZERO_ADDRESS}, "marketplace: fee recipient is the zero address"),
        ({2: 1_001}, "marketplace: fee above 1000 bps"),
    ],
)
def test_a_deployment_that_is_not_valid_is_refused(
    contracts: Any, spark: Any, actors: Actors, change: dict[int, Any], reason: str
) -> None:
    arguments = [change.get(index, given) for index, given in enumerate((spark, actors.fee_recipient, 250))]
    with ape.reverts(reason):
        actors.owner.deploy(contracts.SparkMarketplace, *arguments)


def test_the_owner_changes_the_fee_within_its_bound(market: Any, actors: Actors) -> None:
    with ape.reverts("ownable: caller is not the owner"):
        market.setFee(0, sender=actors.stranger)
    with ape.reverts("marketplace: fee above 1000 bps"):
        market.setFee(1_001, sender=actors.owner)

    receipt = market.setFee(1_000, sender=actors.owner)

    assert market.FeeUpdated.from_receipt(receipt) == [market.FeeUpdated(previousFeeBps=250, newFeeBps=1_000)]
    assert market.feeBps() == 1_000


def test_the_owner_changes_the_fee_recipient(market: Any, actors: Actors) -> None:
    with ape.reverts("ownable: caller is not the owner"):
        market.setFeeRecipient(actors.stranger, sender=actors.stranger)
    with ape.reverts("marketplace: fee recipient is the zero address"):
        market.setFeeRecipient(ZERO_ADDRESS, sender=actors.owner)

    receipt = market.setFeeRecipient(actors.stranger, sender=actors.owner)

    assert market.FeeRecipientUpdated.from_receipt(receipt) == [
        market.FeeRecipientUpdated(previousRecipient=actors.fee_recipient, newRecipient=actors.stranger)
    ]
    market.transferOwnership(actors.trader, sender=actors.owner)
    assert market.owner() == actors.trader


def test_a_new_fee_touches_no_sale_that_is_already_up(
    listed: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    listed.setFee(1_000, sender=actors.owner)

    listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)

    assert credits_of(listed, currency, actors) == (PROCEEDS, FEE, ROYALTY)


# listings


def test_an_owner_lists_a_token_and_keeps_it(market: Any, collection: Any, currency: Any, actors: Actors) -> None:
    expiry = now() + DAY
    receipt = market.createListing(collection, TOKEN, currency, PRICE, expiry, sender=actors.creator)

    assert market.ListingCreated.from_receipt(receipt) == [
        market.ListingCreated(
            collection=collection,
            tokenId=TOKEN,
            seller=actors.creator,
            currency=currency,
            price=PRICE,
            feeBps=250,
            expiresAt=expiry,
        )
    ]
    assert tuple(market.listing(collection, TOKEN)) == (actors.creator, currency, PRICE, 250, expiry)
    assert collection.ownerOf(TOKEN) == actors.creator


def test_a_listed_token_is_bought(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    before = balance(currency, actors.trader)

    receipt = listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)

    assert listed.TokenSold.from_receipt(receipt) == [sold(listed, collection, actors, LISTING, currency=currency)]
    assert collection.ownerOf(TOKEN) == actors.trader
    assert credits_of(listed, currency, actors) == (PROCEEDS, FEE, ROYALTY)
    assert balance(currency, listed) == PRICE
    assert balance(currency, actors.trader) <= before - PRICE
    assert listed.listing(collection, TOKEN).seller == ZERO_ADDRESS
    with ape.reverts("marketplace: no listing"):
        listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.staker)


def test_a_new_listing_replaces_the_old_one(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    listed.createListing(collection, TOKEN, currency, 2 * PRICE, now() + DAY, sender=actors.creator)

    assert listed.listing(collection, TOKEN).price == 2 * PRICE


def test_a_buyer_pays_no_other_price_than_the_one_it_saw(
    listed: Any, collection: Any, currency: Any, spark: Any, actors: Actors
) -> None:
    other = spark if currency == ZERO_ADDRESS else ZERO_ADDRESS
    for terms in ((currency, PRICE + 1), (currency, PRICE - 1), (other, PRICE)):
        with ape.reverts("marketplace: terms changed"):
            listed.buy(collection, TOKEN, *terms, value=value(*terms), sender=actors.trader)


def test_a_buyer_sends_exactly_the_price(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    for sent in {0, 1, PRICE - 1, PRICE + 1} - {value(currency)}:
        with ape.reverts("marketplace: wrong payment"):
            listed.buy(collection, TOKEN, currency, PRICE, value=sent, sender=actors.trader)


def test_a_listing_ends_at_its_expiry(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    expiry = listed.listing(collection, TOKEN).expiresAt
    wait_until(expiry + 1)
    with ape.reverts("marketplace: listing expired"):
        listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)


def test_a_listing_holds_at_its_expiry(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    wait_until(listed.listing(collection, TOKEN).expiresAt)
    listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)
    assert collection.ownerOf(TOKEN) == actors.trader


def test_a_token_that_the_seller_gave_away_is_not_sold(
    listed: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    collection.transferFrom(actors.creator, actors.staker, TOKEN, sender=actors.creator)
    with ape.reverts("marketplace: seller does not own the token"):
        listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)


def test_a_token_without_an_approval_is_not_sold(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    collection.setApprovalForAll(listed, False, sender=actors.creator)
    with ape.reverts("erc721: caller is not token owner or approved"):
        listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)


def test_a_listing_that_makes_no_sense_is_refused(market: Any, collection: Any, actors: Actors) -> None:
    listing = [collection, TOKEN, ZERO_ADDRESS, PRICE, now() + DAY]

    def refused(reason: str, sender: Any = actors.creator, **change: Any) -> None:
        names = ("collection", "token", "currency", "price", "expiry")
        arguments = [change.get(name, given) for name, given in zip(names, listing, strict=True)]
        with ape.reverts(reason):
            market.createListing(*arguments, sender=sender)

    refused("marketplace: caller does not own the token", sender=actors.stranger)
    refused("marketplace: unknown currency", currency=collection)
    refused("marketplace: price out of range", price=9_999)
    refused("marketplace: price out of range", price=2**128)
    refused("marketplace: expiry out of range", expiry=ape.chain.blocks.head.timestamp)
    refused("marketplace: expiry out of range", expiry=now() + 181 * DAY)
    refused("erc721: invalid token ID", token=2)


def test_a_listing_is_cancelled_by_its_seller(listed: Any, collection: Any, actors: Actors) -> None:
    with ape.reverts("marketplace: caller may not cancel"):
        listed.cancelListing(collection, TOKEN, sender=actors.stranger)

    receipt = listed.cancelListing(collection, TOKEN, sender=actors.creator)

    assert listed.ListingCancelled.from_receipt(receipt) == [
        listed.ListingCancelled(collection=collection, tokenId=TOKEN, seller=actors.creator)
    ]
    assert tuple(listed.listing(collection, TOKEN)) == (ZERO_ADDRESS, ZERO_ADDRESS, 0, 0, 0)
    with ape.reverts("marketplace: no listing"):
        listed.cancelListing(collection, TOKEN, sender=actors.creator)


def test_a_listing_is_cancelled_by_the_token_s_new_owner(listed: Any, collection: Any, actors: Actors) -> None:
    collection.transferFrom(actors.creator, actors.staker, TOKEN, sender=actors.creator)

    receipt = listed.cancelListing(collection, TOKEN, sender=actors.staker)

    assert listed.ListingCancelled.from_receipt(receipt) == [
        listed.ListingCancelled(collection=collection, tokenId=TOKEN, seller=actors.creator)
    ]


# offers


def test_a_buyer_makes_an_offer_and_pays_in(market: Any, collection: Any, currency: Any, actors: Actors) -> None:
    expiry = now() + DAY
    offer = (collection, TOKEN, currency, PRICE, expiry)
    receipt = market.makeOffer(*offer, value=value(currency), sender=actors.trader)

    assert market.OfferMade.from_receipt(receipt) == [
        market.OfferMade(
            collection=collection,
            tokenId=TOKEN,
            buyer=actors.trader,
            currency=currency,
            amount=PRICE,
            feeBps=250,
            expiresAt=expiry,
        )
    ]
    assert tuple(market.offer(collection, TOKEN, actors.trader)) == (currency, PRICE, 250, expiry)
    assert balance(currency, market) == PRICE
    with ape.reverts("marketplace: offer exists"):
        market.makeOffer(*offer, value=value(currency), sender=actors.trader)


def test_the_owner_accepts_an_offer(offered: Any, collection: Any, currency: Any, actors: Actors) -> None:
    receipt = offered.acceptOffer(collection, TOKEN, actors.trader, currency, PRICE, sender=actors.creator)

    assert offered.TokenSold.from_receipt(receipt) == [sold(offered, collection, actors, OFFER, currency=currency)]
    assert offered.ListingCancelled.from_receipt(receipt) == []
    assert collection.ownerOf(TOKEN) == actors.trader
    assert credits_of(offered, currency, actors) == (PROCEEDS, FEE, ROYALTY)
    assert tuple(offered.offer(collection, TOKEN, actors.trader)) == (ZERO_ADDRESS, 0, 0, 0)
    with ape.reverts("marketplace: no offer"):
        offered.acceptOffer(collection, TOKEN, actors.trader, currency, PRICE, sender=actors.trader)


def test_an_accepted_offer_ends_the_listing(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    terms = (collection, TOKEN, currency, PRICE)
    listed.makeOffer(*terms, now() + DAY, value=value(currency), sender=actors.trader)

    receipt = listed.acceptOffer(collection, TOKEN, actors.trader, currency, PRICE, sender=actors.creator)

    assert listed.ListingCancelled.from_receipt(receipt) == [
        listed.ListingCancelled(collection=collection, tokenId=TOKEN, seller=actors.creator)
    ]
    with ape.reverts("marketplace: no listing"):
        listed.buy(*terms, value=value(currency), sender=actors.staker)


def test_a_seller_accepts_no_other_offer_than_the_one_it_saw(
    offered: Any, collection: Any, currency: Any, spark: Any, actors: Actors
) -> None:
    other = spark if currency == ZERO_ADDRESS else ZERO_ADDRESS
    for terms in ((currency, PRICE + 1), (other, PRICE)):
        with ape.reverts("marketplace: terms changed"):
            offered.acceptOffer(collection, TOKEN, actors.trader, *terms, sender=actors.creator)


def test_only_the_token_s_owner_accepts(offered: Any, collection: Any, currency: Any, actors: Actors) -> None:
    with ape.reverts("marketplace: caller does not own the token"):
        offered.acceptOffer(collection, TOKEN, actors.trader, currency, PRICE, sender=actors.stranger)


def test_an_expired_offer_is_not_accepted_but_paid_back(
    offered: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    wait_until(offered.offer(collection, TOKEN, actors.trader).expiresAt + 1)
    with ape.reverts("marketplace: offer expired"):
        offered.acceptOffer(collection, TOKEN, actors.trader, currency, PRICE, sender=actors.creator)

    receipt = offered.cancelOffer(collection, TOKEN, sender=actors.trader)

    assert offered.OfferCancelled.from_receipt(receipt) == [
        offered.OfferCancelled(
            collection=collection, tokenId=TOKEN, buyer=actors.trader, currency=currency, refund=PRICE
        )
    ]
    assert offered.creditOf(actors.trader, currency) == PRICE
    with ape.reverts("marketplace: no offer"):
        offered.cancelOffer(collection, TOKEN, sender=actors.trader)


def test_an_offer_holds_at_its_expiry(offered: Any, collection: Any, currency: Any, actors: Actors) -> None:
    wait_until(offered.offer(collection, TOKEN, actors.trader).expiresAt)
    offered.acceptOffer(collection, TOKEN, actors.trader, currency, PRICE, sender=actors.creator)
    assert collection.ownerOf(TOKEN) == actors.trader


def test_an_offer_that_makes_no_sense_is_refused(market: Any, collection: Any, spark: Any, actors: Actors) -> None:
    later = now() + DAY
    for terms, sent, reason in (
        ((collection, PRICE, later), 0, "marketplace: unknown currency"),
        ((ZERO_ADDRESS, 9_999, later), 9_999, "marketplace: price out of range"),
        ((ZERO_ADDRESS, PRICE, 1), PRICE, "marketplace: expiry out of range"),
        ((ZERO_ADDRESS, PRICE, later), PRICE - 1, "marketplace: wrong payment"),
        ((spark, PRICE, later), PRICE, "marketplace: wrong payment"),
        ((spark, 10**6 * COIN, later), 0, "erc20: transfer amount exceeds balance"),
    ):
        with ape.reverts(reason):
            market.makeOffer(collection, TOKEN, *terms, value=sent, sender=actors.trader)


# auctions


def test_an_owner_puts_a_token_up_and_it_is_taken_in(
    market: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    receipt = market.createAuction(collection, TOKEN, currency, PRICE, DAY, sender=actors.creator)

    ends_at = receipt.timestamp + DAY
    assert market.AuctionCreated.from_receipt(receipt) == [
        market.AuctionCreated(
            collection=collection,
            tokenId=TOKEN,
            seller=actors.creator,
            currency=currency,
            reservePrice=PRICE,
            feeBps=250,
            endsAt=ends_at,
        )
    ]
    assert tuple(market.auction(collection, TOKEN)) == (actors.creator, ZERO_ADDRESS, currency, PRICE, 250, ends_at)
    assert market.minimumBid(collection, TOKEN) == PRICE
    assert collection.ownerOf(TOKEN) == market


def test_the_highest_bidder_wins_and_the_others_are_paid_back(
    auctioned: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    terms = (collection, TOKEN, currency)
    ends_at = auctioned.auction(collection, TOKEN).endsAt
    first = auctioned.bid(*terms, PRICE, value=value(currency), sender=actors.staker)
    assert auctioned.minimumBid(collection, TOKEN) == PRICE * 105 // 100
    second = auctioned.bid(*terms, 2 * PRICE, value=value(currency, 2 * PRICE), sender=actors.trader)

    assert auctioned.BidPlaced.from_receipt(first) == [
        auctioned.BidPlaced(
            collection=collection,
            tokenId=TOKEN,
            bidder=actors.staker,
            currency=currency,
            amount=PRICE,
            endsAt=ends_at,
            outbidBidder=ZERO_ADDRESS,
            refund=0,
        )
    ]
    assert auctioned.BidPlaced.from_receipt(second) == [
        auctioned.BidPlaced(
            collection=collection,
            tokenId=TOKEN,
            bidder=actors.trader,
            currency=currency,
            amount=2 * PRICE,
            endsAt=ends_at,
            outbidBidder=actors.staker,
            refund=PRICE,
        )
    ]
    assert auctioned.auction(collection, TOKEN).highestBidder == actors.trader
    assert auctioned.creditOf(actors.staker, currency) == PRICE

    wait_until(ends_at)
    receipt = auctioned.settleAuction(collection, TOKEN, sender=actors.stranger)

    assert auctioned.TokenSold.from_receipt(receipt) == [
        sold(auctioned, collection, actors, AUCTION, currency=currency, price=2 * PRICE)
    ]
    assert collection.ownerOf(TOKEN) == actors.trader
    assert credits_of(auctioned, currency, actors) == (2 * PROCEEDS, 2 * FEE, 2 * ROYALTY)
    assert balance(currency, auctioned) == 3 * PRICE
    with ape.reverts("marketplace: no auction"):
        auctioned.settleAuction(collection, TOKEN, sender=actors.stranger)


def test_a_bid_below_the_minimum_is_refused(auctioned: Any, collection: Any, currency: Any, actors: Actors) -> None:
    terms = (collection, TOKEN, currency)
    with ape.reverts("marketplace: bid too low"):
        auctioned.bid(*terms, PRICE - 1, value=value(currency, PRICE - 1), sender=actors.trader)
    odd = PRICE + 7  # five percent of it are no whole number of wei
    auctioned.bid(*terms, odd, value=value(currency, odd), sender=actors.trader)

    least = -(-odd * 105 // 100)
    assert auctioned.minimumBid(collection, TOKEN) == least
    with ape.reverts("marketplace: bid too low"):
        auctioned.bid(*terms, least - 1, value=value(currency, least - 1), sender=actors.staker)
    auctioned.bid(*terms, least, value=value(currency, least), sender=actors.staker)


def test_a_bid_that_makes_no_sense_is_refused(
    auctioned: Any, collection: Any, currency: Any, spark: Any, actors: Actors
) -> None:
    other = spark if currency == ZERO_ADDRESS else ZERO_ADDRESS
    with ape.reverts("marketplace: terms changed"):
        auctioned.bid(collection, TOKEN, other, PRICE, value=value(other), sender=actors.trader)
    with ape.reverts("marketplace: wrong payment"):
        auctioned.bid(collection, TOKEN, currency, PRICE, value=value(currency) + 1, sender=actors.trader)
    with ape.reverts("marketplace: price out of range"):
        auctioned.bid(collection, TOKEN, currency, 2**128, sender=actors.trader)
    for method in ("minimumBid", "settleAuction", "cancelAuction", "withdrawBid"):
        with ape.reverts("marketplace: no auction"):
            options = {} if method == "minimumBid" else {"sender": actors.trader}
            getattr(auctioned, method)(collection, 2, **options)
    with ape.reverts("marketplace: no auction"):
        auctioned.bid(collection, 2, currency, PRICE, value=value(currency), sender=actors.trader)


def test_an_auction_takes_bids_until_its_end_only(
    auctioned: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    wait_until(auctioned.auction(collection, TOKEN).endsAt)
    with ape.reverts("marketplace: auction ended"):
        auctioned.bid(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)


def test_an_auction_is_not_settled_before_its_end(
    auctioned: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    auctioned.bid(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)
    wait_until(auctioned.auction(collection, TOKEN).endsAt - 1)
    with ape.reverts("marketplace: auction runs"):
        auctioned.settleAuction(collection, TOKEN, sender=actors.creator)


def test_without_a_bid_the_token_goes_back(auctioned: Any, collection: Any, actors: Actors) -> None:
    wait_until(auctioned.auction(collection, TOKEN).endsAt)
    receipt = auctioned.settleAuction(collection, TOKEN, sender=actors.stranger)

    assert auctioned.AuctionClosedUnsold.from_receipt(receipt) == [
        auctioned.AuctionClosedUnsold(collection=collection, tokenId=TOKEN, seller=actors.creator)
    ]
    assert auctioned.TokenSold.from_receipt(receipt) == []
    assert collection.ownerOf(TOKEN) == actors.creator
    assert auctioned.auction(collection, TOKEN).seller == ZERO_ADDRESS


def test_a_seller_cancels_an_auction_without_bids(auctioned: Any, collection: Any, actors: Actors) -> None:
    with ape.reverts("marketplace: caller may not cancel"):
        auctioned.cancelAuction(collection, TOKEN, sender=actors.stranger)

    receipt = auctioned.cancelAuction(collection, TOKEN, sender=actors.creator)

    assert auctioned.AuctionClosedUnsold.from_receipt(receipt) == [
        auctioned.AuctionClosedUnsold(collection=collection, tokenId=TOKEN, seller=actors.creator)
    ]
    assert collection.ownerOf(TOKEN) == actors.creator


def test_an_auction_with_a_bid_is_binding(auctioned: Any, collection: Any, currency: Any, actors: Actors) -> None:
    auctioned.bid(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)
    with ape.reverts("marketplace: auction has a bid"):
        auctioned.cancelAuction(collection, TOKEN, sender=actors.creator)
    with ape.reverts("marketplace: settlement still possible"):
        auctioned.withdrawBid(collection, TOKEN, sender=actors.trader)


def test_an_auction_ends_the_listing(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    receipt = listed.createAuction(collection, TOKEN, currency, PRICE, DAY, sender=actors.creator)

    assert listed.ListingCancelled.from_receipt(receipt) == [
        listed.ListingCancelled(collection=collection, tokenId=TOKEN, seller=actors.creator)
    ]


def test_an_auction_that_makes_no_sense_is_refused(market: Any, collection: Any, actors: Actors) -> None:
    for sender, currency, reserve, duration, reason in (
        (actors.stranger, ZERO_ADDRESS, PRICE, DAY, "marketplace: caller does not own the token"),
        (actors.creator, collection, PRICE, DAY, "marketplace: unknown currency"),
        (actors.creator, ZERO_ADDRESS, 9_999, DAY, "marketplace: price out of range"),
        (actors.creator, ZERO_ADDRESS, PRICE, HOUR - 1, "marketplace: duration out of range"),
        (actors.creator, ZERO_ADDRESS, PRICE, 30 * DAY + 1, "marketplace: duration out of range"),
    ):
        with ape.reverts(reason):
            market.createAuction(collection, TOKEN, currency, reserve, duration, sender=sender)
    collection.setApprovalForAll(market, False, sender=actors.creator)
    with ape.reverts("erc721: caller is not token owner or approved"):
        market.createAuction(collection, TOKEN, ZERO_ADDRESS, PRICE, DAY, sender=actors.creator)


def test_a_bidder_takes_its_bid_back_when_nobody_settled_for_a_week(
    auctioned: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    auctioned.bid(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)
    end = auctioned.auction(collection, TOKEN).endsAt
    with ape.reverts("marketplace: caller is not the highest bidder"):
        auctioned.withdrawBid(collection, TOKEN, sender=actors.stranger)
    wait_until(end + 7 * DAY)
    with ape.reverts("marketplace: settlement still possible"):
        auctioned.withdrawBid(collection, TOKEN, sender=actors.trader)

    wait_until(end + 7 * DAY + 1)
    receipt = auctioned.withdrawBid(collection, TOKEN, sender=actors.trader)

    assert auctioned.BidWithdrawn.from_receipt(receipt) == [
        auctioned.BidWithdrawn(
            collection=collection, tokenId=TOKEN, bidder=actors.trader, currency=currency, refund=PRICE
        )
    ]
    assert auctioned.creditOf(actors.trader, currency) == PRICE
    auctioned.settleAuction(collection, TOKEN, sender=actors.stranger)
    assert collection.ownerOf(TOKEN) == actors.creator
    assert credits_of(auctioned, currency, actors) == (0, 0, 0)


# what everybody is paid


def test_a_credit_is_paid_by_anybody_s_call(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)
    before = balance(currency, actors.fee_recipient)
    assert listed.withdraw.call(actors.fee_recipient, currency, sender=actors.stranger) == FEE

    receipt = listed.withdraw(actors.fee_recipient, currency, sender=actors.stranger)

    assert listed.CreditWithdrawn.from_receipt(receipt) == [
        listed.CreditWithdrawn(
            account=actors.fee_recipient, currency=currency, receiver=actors.fee_recipient, amount=FEE
        )
    ]
    assert balance(currency, actors.fee_recipient) == before + FEE
    with ape.reverts("marketplace: no credit"):
        listed.withdraw(actors.fee_recipient, currency, sender=actors.stranger)


def test_a_credit_is_paid_where_its_owner_wants_it(
    offered: Any, collection: Any, currency: Any, actors: Actors
) -> None:
    offered.cancelOffer(collection, TOKEN, sender=actors.trader)
    before = balance(currency, actors.owner)
    with ape.reverts("marketplace: receiver is the zero address"):
        offered.withdrawTo(ZERO_ADDRESS, currency, sender=actors.trader)
    with ape.reverts("marketplace: no credit"):
        offered.withdrawTo(actors.stranger, currency, sender=actors.stranger)

    receipt = offered.withdrawTo(actors.owner, currency, sender=actors.trader)

    assert offered.CreditWithdrawn.from_receipt(receipt) == [
        offered.CreditWithdrawn(account=actors.trader, currency=currency, receiver=actors.owner, amount=PRICE)
    ]
    assert balance(currency, actors.owner) == before + PRICE
    assert balance(currency, offered) == 0


def test_everything_that_is_paid_in_is_paid_out(listed: Any, collection: Any, currency: Any, actors: Actors) -> None:
    listed.buy(collection, TOKEN, currency, PRICE, value=value(currency), sender=actors.trader)
    for account in (actors.creator, actors.fee_recipient, actors.oracle):
        listed.withdraw(account, currency, sender=actors.stranger)
    assert balance(currency, listed) == 0


@pytest.mark.parametrize("price", [10_000, 10_001, 12_345_678_901, COIN, 2**128 - 1])
@pytest.mark.parametrize("fee", [0, 1, 250, 1_000])
def test_a_split_adds_up_and_rounds_the_fee_up_and_the_royalty_down(
    market: Any, collection: Any, actors: Actors, price: int, fee: int
) -> None:
    market.setFee(fee, sender=actors.owner)

    split = market.split(collection, TOKEN, price)

    assert split.fee == -(-price * fee // 10_000)
    assert (split.royalty, split.royaltyReceiver) == (price * 500 // 10_000, actors.oracle)
    assert split.fee + split.royalty + split.proceeds == price


def test_a_collection_without_royalties_is_sold_without(market: Any, token: Any, actors: Actors) -> None:
    split = market.split(token, 1, PRICE)  # a contract without royaltyInfo
    assert tuple(split) == (FEE, 0, ZERO_ADDRESS, PRICE - FEE)
    assert tuple(market.split(actors.stranger, 1, PRICE)) == tuple(split)  # not even a contract


def test_a_split_of_a_price_out_of_range_is_refused(market: Any, collection: Any) -> None:
    for price in (9_999, 2**128):
        with ape.reverts("marketplace: price out of range"):
            market.split(collection, TOKEN, price)


def test_a_sale_without_a_fee_credits_none(market: Any, collection: Any, actors: Actors) -> None:
    market.setFee(0, sender=actors.owner)
    collection.setRoyalty(actors.oracle, 0, sender=actors.owner)
    market.createListing(collection, TOKEN, ZERO_ADDRESS, PRICE, now() + DAY, sender=actors.creator)
    receipt = market.buy(collection, TOKEN, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)

    assert credits_of(market, ZERO_ADDRESS, actors) == (PRICE, 0, 0)
    (event,) = market.TokenSold.from_receipt(receipt)
    assert (event.fee, event.royalty, event.royaltyReceiver) == (0, 0, ZERO_ADDRESS)


def test_a_music_edition_is_resold_with_its_creator_s_royalty(market: Any, music_nft: Any, actors: Actors) -> None:
    music_nft.mintExclusiveTrack(actors.staker, "A Song", "piece", 10, 1, sender=actors.creator)
    edition = 1 << 128 | 1
    music_nft.approve(market, edition, sender=actors.staker)
    market.createListing(music_nft, edition, ZERO_ADDRESS, PRICE, now() + DAY, sender=actors.staker)

    market.buy(music_nft, edition, ZERO_ADDRESS, PRICE, value=PRICE, sender=actors.trader)

    assert market.creditOf(actors.creator, ZERO_ADDRESS) == PRICE // 10
    assert market.creditOf(actors.staker, ZERO_ADDRESS) == PRICE - FEE - PRICE // 10
    assert music_nft.ownerOf(edition) == actors.trader


def test_it_takes_no_native_coin_by_mistake(market: Any, actors: Actors) -> None:
    with ape.reverts():
        actors.stranger.transfer(market, COIN)


def test_it_takes_no_token_by_mistake(market: Any, collection: Any, actors: Actors) -> None:
    with ape.reverts():
        collection.safeTransferFrom(actors.creator, market, TOKEN, sender=actors.creator)
