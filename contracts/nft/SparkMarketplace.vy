# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title SparkMarketplace
@license Apache-2.0
@notice Fixed-price listings, offers and English auctions of any ERC-721 token, in SPARK or the native coin. A sale pays
        the platform's fee and the collection's royalty (EIP-2981), together at most half of the price.
@dev Everybody's money is credited and pulled: no receiver can refuse a sale. Listed tokens stay with their sellers;
     auctioned ones are held until the auction is settled or cancelled. Tokens move by transferFrom, which no receiver
     can refuse. A collection is trusted with nothing but its own tokens. Coins and tokens sent here past the functions
     below belong to nobody.
@custom:kill Nothing stops it. The owner may change the fee within its bound, for sales that are put up afterwards.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC721
from snekmate.auth import ownable

from ..modules import ownership

initializes: ownable
initializes: ownership[ownable := ownable]

exports: (ownership.owner, ownership.transferOwnership)


struct Terms:
    currency: address
    amount: uint256
    feeBps: uint256
    time: uint256


struct PackedListing:
    seller: address
    terms: uint256


struct PackedAuction:
    seller: address
    bidder: address
    terms: uint256


struct Listing:
    seller: address
    currency: address
    price: uint256
    feeBps: uint256
    expiresAt: uint256


struct Offer:
    currency: address
    amount: uint256
    feeBps: uint256
    expiresAt: uint256


struct Auction:
    seller: address
    highestBidder: address
    currency: address
    amount: uint256
    feeBps: uint256
    endsAt: uint256


struct Split:
    fee: uint256
    royalty: uint256
    royaltyReceiver: address
    proceeds: uint256


event ListingCreated:
    collection: indexed(address)
    tokenId: indexed(uint256)
    seller: indexed(address)
    currency: address
    price: uint256
    feeBps: uint256
    expiresAt: uint256


event ListingCancelled:
    collection: indexed(address)
    tokenId: indexed(uint256)
    seller: indexed(address)


event OfferMade:
    collection: indexed(address)
    tokenId: indexed(uint256)
    buyer: indexed(address)
    currency: address
    amount: uint256
    feeBps: uint256
    expiresAt: uint256


event OfferCancelled:
    collection: indexed(address)
    tokenId: indexed(uint256)
    buyer: indexed(address)
    currency: address
    refund: uint256


event AuctionCreated:
    collection: indexed(address)
    tokenId: indexed(uint256)
    seller: indexed(address)
    currency: address
    reservePrice: uint256
    feeBps: uint256
    endsAt: uint256


event BidPlaced:
    collection: indexed(address)
    tokenId: indexed(uint256)
    bidder: indexed(address)
    currency: address
    amount: uint256
    endsAt: uint256
    outbidBidder: address
    refund: uint256


event BidWithdrawn:
    collection: indexed(address)
    tokenId: indexed(uint256)
    bidder: indexed(address)
    currency: address
    refund: uint256


event AuctionClosedUnsold:
    collection: indexed(address)
    tokenId: indexed(uint256)
    seller: indexed(address)


# method: 1 for a listing, 2 for an offer, 3 for an auction.
event TokenSold:
    collection: indexed(address)
    tokenId: indexed(uint256)
    buyer: indexed(address)
    seller: address
    method: uint256
    currency: address
    price: uint256
    fee: uint256
    feeRecipient: address
    royalty: uint256
    royaltyReceiver: address


event CreditWithdrawn:
    account: indexed(address)
    currency: indexed(address)
    receiver: indexed(address)
    amount: uint256


event FeeUpdated:
    previousFeeBps: uint256
    newFeeBps: uint256


event FeeRecipientUpdated:
    previousRecipient: indexed(address)
    newRecipient: indexed(address)


BASIS_POINTS: constant(uint256) = 10_000

# Basis points of a sale's price.
maximumFeeBps: public(constant(uint256)) = 1_000
# Of a price, the platform's fee and the royalty together: the royalty is cut where it would be more.
maximumFeeAndRoyaltyBps: public(constant(uint256)) = 5_000
# Wei. Below, a fee's rounding would count; above, an amount would not fit into its 128 bits.
minimumPrice: public(constant(uint256)) = 10_000
maximumPrice: public(constant(uint256)) = 2**128 - 1
# Seconds.
longestExpiry: public(constant(uint256)) = 180 * 86_400
shortestAuction: public(constant(uint256)) = 3_600
longestAuction: public(constant(uint256)) = 30 * 86_400
# A bid in an auction's last seconds leaves the others this long to answer it.
bidExtension: public(constant(uint256)) = 900
# After an auction's end without a settlement, as when a collection stops its transfers, the bidder gets out.
settlementPeriod: public(constant(uint256)) = 7 * 86_400
# Basis points by which a bid must exceed the one before.
minimumBidIncrementBps: public(constant(uint256)) = 500

LISTING: constant(uint256) = 1
OFFER: constant(uint256) = 2
AUCTION: constant(uint256) = 3

AMOUNT_BITS: constant(uint256) = 128
FEE_BITS: constant(uint256) = 16
TIME_BITS: constant(uint256) = 64
MAXIMUM_ADDRESS: constant(uint256) = 2**160 - 1

spark: public(immutable(IERC20))

feeBps: public(uint256)
feeRecipient: public(address)

# account -> currency (the zero address: native coin) -> wei that it may withdraw.
creditOf: public(HashMap[address, HashMap[address, uint256]])

# Terms are packed into one slot: amount (128 bits), fee in bps (16), unix time (64), whether in SPARK (1). The fee is
# the one at the time the terms were made: a later change touches no sale that is already up.
_listings: HashMap[address, HashMap[uint256, PackedListing]]
# collection -> token -> buyer -> terms
_offers: HashMap[address, HashMap[uint256, HashMap[address, uint256]]]
_auctions: HashMap[address, HashMap[uint256, PackedAuction]]


@deploy
def __init__(spark_: IERC20, feeRecipient_: address, feeBps_: uint256):
    """
    @notice The deployer becomes the owner. Emits OwnershipTransferred, FeeUpdated and FeeRecipientUpdated. Reverts with
            "marketplace: SPARK is the zero address", "marketplace: fee above 1000 bps" or "marketplace: fee recipient
            is the zero address".
    @param spark_ The SPARK token, the one currency beside the native coin; it must not take fees on transfers.
    @param feeRecipient_ Who receives the platform's fee.
    @param feeBps_ The platform's fee in basis points of a price, at most 1 000.
    """
    assert spark_.address != empty(address), "marketplace: SPARK is the zero address"
    ownable.__init__()
    spark = spark_
    self._set_fee(feeBps_)
    self._set_fee_recipient(feeRecipient_)


@external
def createListing(collection: address, tokenId: uint256, currency: address, price: uint256, expiresAt: uint256):
    """
    @notice Offers a token at a fixed price; it stays with its owner, who approves this contract for it. Its owner only.
            Replaces an earlier listing of the token. Emits ListingCreated. Reverts with "marketplace: caller does not
            own the token", "marketplace: unknown currency", "marketplace: price out of range" or "marketplace: expiry
            out of range".
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param currency SPARK, or the zero address for the native coin.
    @param price Wei, 10 000 to 2**128 - 1.
    @param expiresAt The last moment of the listing, in unix seconds, at most 180 days ahead.
    """
    self._check_owns(collection, tokenId)
    self._check_price(currency, price)
    self._check_expiry(expiresAt)
    fee_bps: uint256 = self.feeBps
    self._listings[collection][tokenId] = PackedListing(
        seller=msg.sender, terms=self._pack(currency, price, fee_bps, expiresAt)
    )
    log ListingCreated(
        collection=collection,
        tokenId=tokenId,
        seller=msg.sender,
        currency=currency,
        price=price,
        feeBps=fee_bps,
        expiresAt=expiresAt,
    )


@external
def cancelListing(collection: address, tokenId: uint256):
    """
    @notice Ends a listing. Its seller only, or the token's owner where that is somebody else by now.
            Emits ListingCancelled. Reverts with "marketplace: no listing" or "marketplace: caller may not cancel".
    @param collection The ERC-721 contract.
    @param tokenId The token.
    """
    seller: address = self._listings[collection][tokenId].seller
    assert seller != empty(address), "marketplace: no listing"
    assert (
        msg.sender == seller or msg.sender == staticcall IERC721(collection).ownerOf(tokenId)
    ), "marketplace: caller may not cancel"
    self._drop_listing(collection, tokenId)


@external
@payable
def buy(collection: address, tokenId: uint256, currency: address, price: uint256):
    """
    @notice Buys a listed token at the terms that the caller names, which must be the listing's. Anybody may. Emits
            TokenSold. Reverts with "marketplace: no listing", "marketplace: terms changed", "marketplace: listing
            expired", "marketplace: seller does not own the token", "marketplace: wrong payment", "marketplace: payment
            failed", "marketplace: token not delivered" or the reason of SPARK or of the collection.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param currency SPARK (approve first), or the zero address for the native coin.
    @param price Wei; sent with the call where it is the native coin.
    """
    listing: PackedListing = self._listings[collection][tokenId]
    assert listing.seller != empty(address), "marketplace: no listing"
    terms: Terms = self._unpack(listing.terms)
    assert currency == terms.currency and price == terms.amount, "marketplace: terms changed"
    assert block.timestamp <= terms.time, "marketplace: listing expired"
    # A token that left its seller and came back is for sale again until then: hence the expiry.
    assert (
        staticcall IERC721(collection).ownerOf(tokenId) == listing.seller
    ), "marketplace: seller does not own the token"

    self._listings[collection][tokenId] = empty(PackedListing)
    self._share_out(collection, tokenId, listing.seller, msg.sender, terms, LISTING)
    self._collect(currency, price)
    self._deliver(collection, tokenId, listing.seller, msg.sender)


@external
@payable
def makeOffer(collection: address, tokenId: uint256, currency: address, amount: uint256, expiresAt: uint256):
    """
    @notice Offers to buy a token, listed or not, and pays in. Anybody may, once at a time for a token. Emits OfferMade.
            Reverts with "marketplace: unknown currency", "marketplace: price out of range", "marketplace: expiry out of
            range", "marketplace: offer exists", "marketplace: wrong payment", "marketplace: payment failed" or SPARK's
            reason.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param currency SPARK (approve first), or the zero address for the native coin.
    @param amount Wei, 10 000 to 2**128 - 1; sent with the call where it is the native coin.
    @param expiresAt The last moment at which the offer may be accepted, in unix seconds, at most 180 days ahead.
    """
    self._check_price(currency, amount)
    self._check_expiry(expiresAt)
    assert self._offers[collection][tokenId][msg.sender] == 0, "marketplace: offer exists"
    fee_bps: uint256 = self.feeBps
    self._offers[collection][tokenId][msg.sender] = self._pack(currency, amount, fee_bps, expiresAt)
    log OfferMade(
        collection=collection,
        tokenId=tokenId,
        buyer=msg.sender,
        currency=currency,
        amount=amount,
        feeBps=fee_bps,
        expiresAt=expiresAt,
    )
    self._collect(currency, amount)


@external
def cancelOffer(collection: address, tokenId: uint256):
    """
    @notice Takes the caller's offer back, expired or not, and credits what was paid in. Emits OfferCancelled.
            Reverts with "marketplace: no offer".
    @param collection The ERC-721 contract.
    @param tokenId The token.
    """
    terms: Terms = self._take_offer(collection, tokenId, msg.sender)
    self.creditOf[msg.sender][terms.currency] += terms.amount
    log OfferCancelled(
        collection=collection, tokenId=tokenId, buyer=msg.sender, currency=terms.currency, refund=terms.amount
    )


@external
def acceptOffer(collection: address, tokenId: uint256, buyer: address, currency: address, amount: uint256):
    """
    @notice Sells a token for an offer at the terms that the caller names, which must be the offer's; approve this
            contract for the token first. Its owner only. Ends the token's listing. Emits TokenSold, and
            ListingCancelled where there was one. Reverts with "marketplace: no offer", "marketplace: terms changed",
            "marketplace: offer expired", "marketplace: caller does not own the token", "marketplace: token not
            delivered" or the collection's reason.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param buyer Whose offer.
    @param currency SPARK, or the zero address for the native coin.
    @param amount Wei.
    """
    terms: Terms = self._take_offer(collection, tokenId, buyer)
    assert currency == terms.currency and amount == terms.amount, "marketplace: terms changed"
    assert block.timestamp <= terms.time, "marketplace: offer expired"
    self._check_owns(collection, tokenId)

    self._drop_listing(collection, tokenId)
    self._share_out(collection, tokenId, msg.sender, buyer, terms, OFFER)
    self._deliver(collection, tokenId, msg.sender, buyer)


@external
def createAuction(
    collection: address, tokenId: uint256, currency: address, reservePrice: uint256, duration: uint256
):
    """
    @notice Puts a token up to the highest bidder, and takes it in until then; approve this contract for it first. Its
            owner only. Ends the token's listing. Emits AuctionCreated, and ListingCancelled where there was one.
            Reverts with "marketplace: caller does not own the token", "marketplace: unknown currency", "marketplace:
            price out of range", "marketplace: duration out of range", "marketplace: auction exists", "marketplace:
            token not delivered" or the collection's reason.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param currency SPARK, or the zero address for the native coin.
    @param reservePrice The least bid, in wei, 10 000 to 2**128 - 1.
    @param duration Seconds, one hour to 30 days; bids in the last 15 minutes prolong it.
    """
    self._check_owns(collection, tokenId)
    self._check_price(currency, reservePrice)
    assert duration >= shortestAuction and duration <= longestAuction, "marketplace: duration out of range"
    # Only a collection that takes tokens away from their holder can get here; a bid must not be forgotten over it.
    assert self._auctions[collection][tokenId].seller == empty(address), "marketplace: auction exists"

    self._drop_listing(collection, tokenId)
    fee_bps: uint256 = self.feeBps
    ends_at: uint256 = block.timestamp + duration
    self._auctions[collection][tokenId] = PackedAuction(
        seller=msg.sender, bidder=empty(address), terms=self._pack(currency, reservePrice, fee_bps, ends_at)
    )
    log AuctionCreated(
        collection=collection,
        tokenId=tokenId,
        seller=msg.sender,
        currency=currency,
        reservePrice=reservePrice,
        feeBps=fee_bps,
        endsAt=ends_at,
    )
    self._deliver(collection, tokenId, msg.sender, self)


@external
@payable
def bid(collection: address, tokenId: uint256, currency: address, amount: uint256):
    """
    @notice Bids and pays in; the bid before is credited back to its bidder. Anybody may. Emits BidPlaced. Reverts with
            "marketplace: no auction", "marketplace: auction ended", "marketplace: terms changed", "marketplace: bid too
            low", "marketplace: price out of range", "marketplace: wrong payment", "marketplace: payment failed" or
            SPARK's reason.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param currency The auction's: SPARK (approve first), or the zero address for the native coin.
    @param amount Wei, at least `minimumBid`; sent with the call where it is the native coin.
    """
    auction: PackedAuction = self._auction(collection, tokenId)
    terms: Terms = self._unpack(auction.terms)
    assert block.timestamp < terms.time, "marketplace: auction ended"
    assert currency == terms.currency, "marketplace: terms changed"
    assert amount >= self._minimum_bid(auction.bidder, terms.amount), "marketplace: bid too low"
    assert amount <= maximumPrice, "marketplace: price out of range"

    refund: uint256 = 0
    if auction.bidder != empty(address):
        refund = terms.amount
        self.creditOf[auction.bidder][currency] += refund
    ends_at: uint256 = max(terms.time, block.timestamp + bidExtension)
    self._auctions[collection][tokenId].bidder = msg.sender
    self._auctions[collection][tokenId].terms = self._pack(currency, amount, terms.feeBps, ends_at)
    log BidPlaced(
        collection=collection,
        tokenId=tokenId,
        bidder=msg.sender,
        currency=currency,
        amount=amount,
        endsAt=ends_at,
        outbidBidder=auction.bidder,
        refund=refund,
    )
    self._collect(currency, amount)


@external
def settleAuction(collection: address, tokenId: uint256):
    """
    @notice Closes an auction that has ended: the token goes to the highest bidder and the money is shared out, or, with
            no bid, the token goes back. Anybody may. Emits TokenSold or AuctionClosedUnsold. Reverts with "marketplace:
            no auction", "marketplace: auction runs", "marketplace: token not delivered" or the collection's reason.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    """
    auction: PackedAuction = self._auction(collection, tokenId)
    terms: Terms = self._unpack(auction.terms)
    assert block.timestamp >= terms.time, "marketplace: auction runs"
    if auction.bidder == empty(address):
        self._close_unsold(collection, tokenId, auction.seller)
    else:
        self._auctions[collection][tokenId] = empty(PackedAuction)
        self._share_out(collection, tokenId, auction.seller, auction.bidder, terms, AUCTION)
        self._deliver(collection, tokenId, self, auction.bidder)


@external
def cancelAuction(collection: address, tokenId: uint256):
    """
    @notice Takes the token of an auction without bids back. The seller only. Emits AuctionClosedUnsold. Reverts with
            "marketplace: no auction", "marketplace: caller may not cancel", "marketplace: auction has a bid",
            "marketplace: token not delivered" or the collection's reason.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    """
    auction: PackedAuction = self._auction(collection, tokenId)
    assert msg.sender == auction.seller, "marketplace: caller may not cancel"
    assert auction.bidder == empty(address), "marketplace: auction has a bid"
    self._close_unsold(collection, tokenId, auction.seller)


@external
def withdrawBid(collection: address, tokenId: uint256):
    """
    @notice Credits the highest bid back when nobody could settle for 7 days after the auction's end: a collection that
            stops its transfers holds no bidder's money. The auction then has no bid, and settling it returns the token.
            The highest bidder only. Emits BidWithdrawn. Reverts with "marketplace: no auction", "marketplace: caller is
            not the highest bidder" or "marketplace: settlement still possible".
    @param collection The ERC-721 contract.
    @param tokenId The token.
    """
    auction: PackedAuction = self._auction(collection, tokenId)
    assert msg.sender == auction.bidder, "marketplace: caller is not the highest bidder"
    terms: Terms = self._unpack(auction.terms)
    assert block.timestamp > terms.time + settlementPeriod, "marketplace: settlement still possible"
    self._auctions[collection][tokenId].bidder = empty(address)
    self.creditOf[msg.sender][terms.currency] += terms.amount
    log BidWithdrawn(
        collection=collection, tokenId=tokenId, bidder=msg.sender, currency=terms.currency, refund=terms.amount
    )


@external
def withdraw(account: address, currency: address) -> uint256:
    """
    @notice Pays `account` all its credit in one currency. Anybody may call: a royalty receiver may be a contract that
            cannot. Emits CreditWithdrawn. Reverts with "marketplace: no credit", "marketplace: native transfer failed",
            "marketplace: payment failed" or SPARK's reason.
    @param account Who is paid.
    @param currency SPARK, or the zero address for the native coin.
    @return What was paid, in wei.
    """
    return self._withdraw(account, currency, account)


@external
def withdrawTo(receiver: address, currency: address) -> uint256:
    """
    @notice Pays all the caller's credit in one currency to another account. Emits CreditWithdrawn. Reverts with
            "marketplace: receiver is the zero address" or as `withdraw` does.
    @param receiver Who is paid.
    @param currency SPARK, or the zero address for the native coin.
    @return What was paid, in wei.
    """
    assert receiver != empty(address), "marketplace: receiver is the zero address"
    return self._withdraw(msg.sender, currency, receiver)


@external
def setFee(newFeeBps: uint256):
    """
    @notice Changes the platform's fee on listings, offers and auctions made from now on. The owner only. Emits
            FeeUpdated. Reverts with "ownable: caller is not the owner" or "marketplace: fee above 1000 bps".
    @param newFeeBps Basis points of a price, at most 1 000.
    """
    ownable._check_owner()
    self._set_fee(newFeeBps)


@external
def setFeeRecipient(recipient: address):
    """
    @notice Changes who receives the platform's fee of sales from now on. The owner only. Emits FeeRecipientUpdated.
            Reverts with "ownable: caller is not the owner" or "marketplace: fee recipient is the zero address".
    @param recipient Who is credited; earlier credits stay with the previous recipient.
    """
    ownable._check_owner()
    self._set_fee_recipient(recipient)


@external
@view
def listing(collection: address, tokenId: uint256) -> Listing:
    """
    @notice A token's listing; all zero without one. It may have expired, and its seller may have given the token away.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @return The seller, the currency, the price in wei, the fee in basis points, the expiry in unix seconds.
    """
    packed: PackedListing = self._listings[collection][tokenId]
    terms: Terms = self._unpack(packed.terms)
    return Listing(
        seller=packed.seller,
        currency=terms.currency,
        price=terms.amount,
        feeBps=terms.feeBps,
        expiresAt=terms.time,
    )


@external
@view
def offer(collection: address, tokenId: uint256, buyer: address) -> Offer:
    """
    @notice A buyer's offer for a token; all zero without one. It may have expired.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param buyer Whose offer.
    @return The currency, the amount in wei, the fee in basis points, the expiry in unix seconds.
    """
    terms: Terms = self._unpack(self._offers[collection][tokenId][buyer])
    return Offer(currency=terms.currency, amount=terms.amount, feeBps=terms.feeBps, expiresAt=terms.time)


@external
@view
def auction(collection: address, tokenId: uint256) -> Auction:
    """
    @notice A token's auction; all zero without one.
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @return The seller, the highest bidder (zero before the first bid), the currency, the highest bid or else the
            reserve price in wei, the fee in basis points, the end in unix seconds.
    """
    packed: PackedAuction = self._auctions[collection][tokenId]
    terms: Terms = self._unpack(packed.terms)
    return Auction(
        seller=packed.seller,
        highestBidder=packed.bidder,
        currency=terms.currency,
        amount=terms.amount,
        feeBps=terms.feeBps,
        endsAt=terms.time,
    )


@external
@view
def minimumBid(collection: address, tokenId: uint256) -> uint256:
    """
    @notice The least that `bid` accepts now. Reverts with "marketplace: no auction".
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @return Wei of the auction's currency.
    """
    auction: PackedAuction = self._auction(collection, tokenId)
    return self._minimum_bid(auction.bidder, self._unpack(auction.terms).amount)


@external
@view
def split(collection: address, tokenId: uint256, price: uint256) -> Split:
    """
    @notice How a sale at `price` would be shared out, at the present fee.
            Reverts with "marketplace: price out of range".
    @param collection The ERC-721 contract.
    @param tokenId The token.
    @param price Wei.
    @return Fee, royalty, who receives the royalty (zero where there is none), and what is left to the seller; in wei.
    """
    self._check_price(empty(address), price)
    return self._split(collection, tokenId, price, self.feeBps)


@internal
def _share_out(
    collection: address, token_id: uint256, seller: address, buyer: address, terms: Terms, method: uint256
):
    """
    @dev Credits everybody who earns from a sale. The money is here already, or is collected right after.
    """
    split: Split = self._split(collection, token_id, terms.amount, terms.feeBps)
    fee_recipient: address = self.feeRecipient
    self.creditOf[seller][terms.currency] += split.proceeds
    if split.fee > 0:
        self.creditOf[fee_recipient][terms.currency] += split.fee
    if split.royalty > 0:
        self.creditOf[split.royaltyReceiver][terms.currency] += split.royalty
    log TokenSold(
        collection=collection,
        tokenId=token_id,
        buyer=buyer,
        seller=seller,
        method=method,
        currency=terms.currency,
        price=terms.amount,
        fee=split.fee,
        feeRecipient=fee_recipient,
        royalty=split.royalty,
        royaltyReceiver=split.royaltyReceiver,
    )


@internal
@payable
def _collect(currency: address, amount: uint256):
    if currency == empty(address):
        assert msg.value == amount, "marketplace: wrong payment"
    else:
        assert msg.value == 0, "marketplace: wrong payment"
        assert extcall IERC20(currency).transferFrom(
            msg.sender, self, amount, default_return_value=True
        ), "marketplace: payment failed"


@internal
def _deliver(collection: address, token_id: uint256, sender: address, receiver: address):
    """
    @dev `sender` is the caller, this contract or a seller who listed the token: nobody else's approval is ever used.
    """
    extcall IERC721(collection).transferFrom(sender, receiver, token_id)
    assert staticcall IERC721(collection).ownerOf(token_id) == receiver, "marketplace: token not delivered"


@internal
def _withdraw(account: address, currency: address, receiver: address) -> uint256:
    amount: uint256 = self.creditOf[account][currency]
    assert amount > 0, "marketplace: no credit"
    self.creditOf[account][currency] = 0
    log CreditWithdrawn(account=account, currency=currency, receiver=receiver, amount=amount)
    if currency == empty(address):
        assert raw_call(receiver, b"", value=amount, revert_on_failure=False), "marketplace: native transfer failed"
    else:
        assert extcall IERC20(currency).transfer(
            receiver, amount, default_return_value=True
        ), "marketplace: payment failed"
    return amount


@internal
def _take_offer(collection: address, token_id: uint256, buyer: address) -> Terms:
    packed: uint256 = self._offers[collection][token_id][buyer]
    assert packed != 0, "marketplace: no offer"
    self._offers[collection][token_id][buyer] = 0
    return self._unpack(packed)


@internal
def _drop_listing(collection: address, token_id: uint256):
    seller: address = self._listings[collection][token_id].seller
    if seller != empty(address):
        self._listings[collection][token_id] = empty(PackedListing)
        log ListingCancelled(collection=collection, tokenId=token_id, seller=seller)


@internal
def _close_unsold(collection: address, token_id: uint256, seller: address):
    self._auctions[collection][token_id] = empty(PackedAuction)
    log AuctionClosedUnsold(collection=collection, tokenId=token_id, seller=seller)
    # Where the collection has taken the token away, there is nothing to give back.
    if staticcall IERC721(collection).ownerOf(token_id) == self:
        self._deliver(collection, token_id, self, seller)


@internal
def _set_fee(fee_bps: uint256):
    assert fee_bps <= maximumFeeBps, "marketplace: fee above 1000 bps"
    log FeeUpdated(previousFeeBps=self.feeBps, newFeeBps=fee_bps)
    self.feeBps = fee_bps


@internal
def _set_fee_recipient(recipient: address):
    assert recipient != empty(address), "marketplace: fee recipient is the zero address"
    log FeeRecipientUpdated(previousRecipient=self.feeRecipient, newRecipient=recipient)
    self.feeRecipient = recipient


@internal
@view
def _split(collection: address, token_id: uint256, price: uint256, fee_bps: uint256) -> Split:
    fee: uint256 = self._ceil_div(price * fee_bps, BASIS_POINTS)
    receiver: address = empty(address)
    asked: uint256 = 0
    receiver, asked = self._royalty_asked(collection, token_id, price)
    royalty: uint256 = min(asked, price * maximumFeeAndRoyaltyBps // BASIS_POINTS - fee)
    if royalty == 0:
        receiver = empty(address)
    return Split(fee=fee, royalty=royalty, royaltyReceiver=receiver, proceeds=price - fee - royalty)


@internal
@view
def _royalty_asked(collection: address, token_id: uint256, price: uint256) -> (address, uint256):
    """
    @dev What a collection answers must not stop a sale: it may fail, burn the gas it is given or return anything of any
         length. It is given half of what is left, no fixed figure, which a chain with other gas costs would mock;
         who wanted to starve an honest royaltyInfo of gas would starve the rest of the sale first.
    """
    success: bool = False
    answer: Bytes[64] = b""
    success, answer = raw_call(
        collection,
        abi_encode(token_id, price, method_id=method_id("royaltyInfo(uint256,uint256)")),
        max_outsize=64,
        gas=msg.gas // 2,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answer) < 64:
        return empty(address), 0
    receiver: uint256 = convert(slice(answer, 0, 32), uint256)
    if receiver == 0 or receiver > MAXIMUM_ADDRESS:
        return empty(address), 0
    return convert(receiver, address), convert(slice(answer, 32, 32), uint256)


@internal
@view
def _check_owns(collection: address, token_id: uint256):
    assert (
        staticcall IERC721(collection).ownerOf(token_id) == msg.sender
    ), "marketplace: caller does not own the token"


@internal
@view
def _check_price(currency: address, price: uint256):
    assert currency == empty(address) or currency == spark.address, "marketplace: unknown currency"
    assert price >= minimumPrice and price <= maximumPrice, "marketplace: price out of range"


@internal
@view
def _check_expiry(expires_at: uint256):
    assert (
        expires_at > block.timestamp and expires_at <= block.timestamp + longestExpiry
    ), "marketplace: expiry out of range"


@internal
@view
def _auction(collection: address, token_id: uint256) -> PackedAuction:
    auction: PackedAuction = self._auctions[collection][token_id]
    assert auction.seller != empty(address), "marketplace: no auction"
    return auction


@internal
@view
def _unpack(packed: uint256) -> Terms:
    return Terms(
        currency=spark.address if packed >> (AMOUNT_BITS + FEE_BITS + TIME_BITS) == 1 else empty(address),
        amount=packed & maximumPrice,
        feeBps=(packed >> AMOUNT_BITS) & (2**FEE_BITS - 1),
        time=(packed >> (AMOUNT_BITS + FEE_BITS)) & (2**TIME_BITS - 1),
    )


@internal
@pure
def _pack(currency: address, amount: uint256, fee_bps: uint256, time: uint256) -> uint256:
    in_spark: uint256 = 0 if currency == empty(address) else 1
    return (
        amount
        | (fee_bps << AMOUNT_BITS)
        | (time << (AMOUNT_BITS + FEE_BITS))
        | (in_spark << (AMOUNT_BITS + FEE_BITS + TIME_BITS))
    )


@internal
@pure
def _minimum_bid(bidder: address, amount: uint256) -> uint256:
    if bidder == empty(address):
        return amount
    return self._ceil_div(amount * (BASIS_POINTS + minimumBidIncrementBps), BASIS_POINTS)


@internal
@pure
def _ceil_div(dividend: uint256, divisor: uint256) -> uint256:
    return (dividend + divisor - 1) // divisor
