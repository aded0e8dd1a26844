"""SparkMarketplace: listings, offers, auctions with their bids, sales, and credits to withdraw."""

from collections.abc import Iterator
from typing import Final

from encore.db import Row
from encore.db.models.chain_market import Auction, Bid, Listing, MarketplaceCredit, Offer, Sale
from indexer.check import Check, Reader, number
from indexer.contract import Contract, Event, Handler, Key
from indexer.erc20 import ZERO_ADDRESS
from indexer.roles import ownership
from indexer.settings import settings
from indexer.state import State

METHODS: Final = {1: "listing", 2: "offer", 3: "auction"}
"""How a token was sold, by the contract's numbers."""
LISTING_TYPES: Final = ("address", "address", "uint256", "uint256", "uint256")
OFFER_TYPES: Final = ("address", "uint256", "uint256", "uint256")
AUCTION_TYPES: Final = ("address", "address", "address", "uint256", "uint256", "uint256")


def _nft(event: Event) -> tuple[str, int]:
    return event.args["collection"], event.args["tokenId"]


def _listing(event: Event) -> Iterator[Key]:
    yield Listing, _nft(event)


def _offer(event: Event) -> Iterator[Key]:
    yield Offer, (*_nft(event), event.args["buyer"])


def _auction(event: Event) -> Iterator[Key]:
    yield Auction, _nft(event)


def _credit(account: str, currency: str, amount: int, state: State) -> None:
    if amount:
        state.upsert(MarketplaceCredit, account, currency, amount=0)["amount"] += amount


def _listed(event: Event, state: State) -> None:
    args = event.args
    state.upsert(Listing, *_nft(event)).update(
        seller=args["seller"],
        currency=args["currency"],
        price=args["price"],
        fee_bps=args["feeBps"],
        expires_at=args["expiresAt"],
        created_at=event.timestamp,
    )


def _listing_cancelled(event: Event, state: State) -> None:
    state.delete(Listing, *_nft(event))


def _offered(event: Event, state: State) -> None:
    args = event.args
    state.upsert(Offer, *_nft(event), args["buyer"]).update(
        currency=args["currency"],
        amount=args["amount"],
        fee_bps=args["feeBps"],
        expires_at=args["expiresAt"],
        created_at=event.timestamp,
    )


def _offer_cancelled(event: Event, state: State) -> None:
    args = event.args
    state.delete(Offer, *_nft(event), args["buyer"])
    _credit(args["buyer"], args["currency"], args["refund"], state)


def _auction_created(event: Event, state: State) -> None:
    args = event.args
    state.upsert(Auction, *_nft(event)).update(
        seller=args["seller"],
        currency=args["currency"],
        amount=args["reservePrice"],
        highest_bidder=ZERO_ADDRESS,
        bid_count=0,
        fee_bps=args["feeBps"],
        ends_at=args["endsAt"],
        created_at=event.timestamp,
    )


def _bid_placed(event: Event, state: State) -> None:
    args = event.args
    auction = state.edit(Auction, *_nft(event))
    auction.update(amount=args["amount"], highest_bidder=args["bidder"], ends_at=args["endsAt"])
    auction["bid_count"] += 1
    _credit(args["outbidBidder"], args["currency"], args["refund"], state)
    state.append(
        Bid,
        event.row(
            collection=args["collection"],
            token_id=args["tokenId"],
            bidder=args["bidder"],
            currency=args["currency"],
            amount=args["amount"],
        ),
    )


def _bid_withdrawn(event: Event, state: State) -> None:
    args = event.args
    state.edit(Auction, *_nft(event))["highest_bidder"] = ZERO_ADDRESS
    _credit(args["bidder"], args["currency"], args["refund"], state)


def _auction_closed(event: Event, state: State) -> None:
    state.delete(Auction, *_nft(event))


def _sold(event: Event, state: State) -> None:
    args = event.args
    method = METHODS[args["method"]]
    if method == "listing":
        state.delete(Listing, *_nft(event))
    elif method == "offer":
        state.delete(Offer, *_nft(event), args["buyer"])
    else:
        state.delete(Auction, *_nft(event))
    currency = args["currency"]
    _credit(args["seller"], currency, args["price"] - args["fee"] - args["royalty"], state)
    _credit(args["feeRecipient"], currency, args["fee"], state)
    _credit(args["royaltyReceiver"], currency, args["royalty"], state)
    state.append(
        Sale,
        event.row(
            collection=args["collection"],
            token_id=args["tokenId"],
            buyer=args["buyer"],
            seller=args["seller"],
            method=method,
            currency=currency,
            price=args["price"],
            fee=args["fee"],
            fee_recipient=args["feeRecipient"],
            royalty=args["royalty"],
            royalty_receiver=args["royaltyReceiver"],
        ),
    )


def _credit_withdrawn(event: Event, state: State) -> None:
    state.edit(MarketplaceCredit, event.args["account"], event.args["currency"])["amount"] -= event.args["amount"]


async def _checks(reader: Reader) -> list[Check]:
    market = await reader.address(CONTRACT.name)
    found = []
    for row in await reader.rows(Listing):
        listing = (row.seller, row.currency, row.price, row.fee_bps, row.expires_at)
        found.append(Check(market, "listing(address,uint256)", _key(row), LISTING_TYPES, listing))
    for row in await reader.rows(Offer):
        offer = (row.currency, row.amount, row.fee_bps, row.expires_at)
        found.append(Check(market, "offer(address,uint256,address)", (*_key(row), row.buyer), OFFER_TYPES, offer))
    for row in await reader.rows(Auction):
        auction = (row.seller, row.highest_bidder, row.currency, row.amount, row.fee_bps, row.ends_at)
        found.append(Check(market, "auction(address,uint256)", _key(row), AUCTION_TYPES, auction))
    found += [
        number(market, "creditOf(address,address)", (row.account, row.currency), row.amount)
        for row in await reader.rows(MarketplaceCredit)
    ]
    return found


def _key(row: Row) -> tuple[str, int]:
    return row.collection, row.token_id


CONTRACT: Final = Contract(
    name="SparkMarketplace",
    handlers={
        "ListingCreated": Handler(_listed, _listing),
        "ListingCancelled": Handler(_listing_cancelled, _listing),
        "OfferMade": Handler(_offered, _offer),
        "OfferCancelled": Handler(_offer_cancelled, _offer),
        "AuctionCreated": Handler(_auction_created, _auction),
        "BidPlaced": Handler(_bid_placed, _auction),
        "BidWithdrawn": Handler(_bid_withdrawn, _auction),
        "AuctionClosedUnsold": Handler(_auction_closed, _auction),
        "TokenSold": Handler(_sold),
        "CreditWithdrawn": Handler(_credit_withdrawn),
        "FeeUpdated": settings(feeBps="newFeeBps"),
        "FeeRecipientUpdated": settings(feeRecipient="newRecipient"),
        "OwnershipTransferred": ownership(),
    },
    checks=_checks,
)
