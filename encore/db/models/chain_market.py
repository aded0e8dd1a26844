"""The mirror of the NFT marketplace. Currencies are SPARK or, as the zero address, the native coin; amounts are wei."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Appended, Mirrored, TokenId, UnixTime, Wei


class Listing(Mirrored):
    """A token for sale at a fixed price; it may have expired, or its seller may have given the token away."""

    __tablename__ = "listings"
    __table_args__ = (Index(None, "seller"), Index(None, "collection", "currency", "price"))

    collection: Mapped[Address] = mapped_column(primary_key=True)
    token_id: Mapped[TokenId] = mapped_column(primary_key=True)
    seller: Mapped[Address]
    currency: Mapped[Address]
    price: Mapped[Wei]
    fee_bps: Mapped[int]
    expires_at: Mapped[UnixTime]
    created_at: Mapped[UnixTime]


class Offer(Mirrored):
    """An offer to buy a token, paid in already; it may have expired."""

    __tablename__ = "offers"
    __table_args__ = (Index(None, "buyer"),)

    collection: Mapped[Address] = mapped_column(primary_key=True)
    token_id: Mapped[TokenId] = mapped_column(primary_key=True)
    buyer: Mapped[Address] = mapped_column(primary_key=True)
    currency: Mapped[Address]
    amount: Mapped[Wei]
    fee_bps: Mapped[int]
    expires_at: Mapped[UnixTime]
    created_at: Mapped[UnixTime]


class Auction(Mirrored):
    """A token up to the highest bidder, the zero address before the first bid.

    `amount` is the highest bid, or else the least that the first must be.
    """

    __tablename__ = "auctions"
    __table_args__ = (Index(None, "seller"), Index(None, "ends_at"))

    collection: Mapped[Address] = mapped_column(primary_key=True)
    token_id: Mapped[TokenId] = mapped_column(primary_key=True)
    seller: Mapped[Address]
    currency: Mapped[Address]
    amount: Mapped[Wei]
    highest_bidder: Mapped[Address]
    bid_count: Mapped[int]
    fee_bps: Mapped[int]
    ends_at: Mapped[UnixTime]
    created_at: Mapped[UnixTime]


class Bid(Appended):
    """A bid in an auction."""

    __tablename__ = "bids"
    __table_args__ = (Index(None, "collection", "token_id", "block_number", "log_index"), Index(None, "bidder"))

    collection: Mapped[Address]
    token_id: Mapped[TokenId]
    bidder: Mapped[Address]
    currency: Mapped[Address]
    amount: Mapped[Wei]


class Sale(Appended):
    """A token sold on the marketplace; `method` is listing, offer or auction. The seller got price - fee - royalty."""

    __tablename__ = "sales"
    __table_args__ = (
        Index(None, "collection", "token_id", "block_number", "log_index"),
        Index(None, "buyer"),
        Index(None, "seller"),
    )

    collection: Mapped[Address]
    token_id: Mapped[TokenId]
    buyer: Mapped[Address]
    seller: Mapped[Address]
    method: Mapped[str] = mapped_column(String(7))
    currency: Mapped[Address]
    price: Mapped[Wei]
    fee: Mapped[Wei]
    fee_recipient: Mapped[Address]
    royalty: Mapped[Wei]
    royalty_receiver: Mapped[Address]


class MarketplaceCredit(Mirrored):
    """What the marketplace holds for an account to withdraw."""

    __tablename__ = "marketplace_credits"

    account: Mapped[Address] = mapped_column(primary_key=True)
    currency: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]
