"""The mirror of the NFT collections and of who may have which content."""

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Appended, Hash, Mirrored, TokenId, UnixTime, Wei


class Nft(Mirrored):
    """A token of MusicNFT or SparkNFT and its owner. `drop_id` is 0 in SparkNFT, which has no drops.

    `approved` may move it besides the owner and its operators; the zero address is nobody.
    """

    __tablename__ = "nfts"
    __table_args__ = (Index(None, "owner", "collection"), Index(None, "collection", "drop_id"))

    collection: Mapped[Address] = mapped_column(primary_key=True)
    token_id: Mapped[TokenId] = mapped_column(primary_key=True)
    drop_id: Mapped[TokenId]
    owner: Mapped[Address]
    approved: Mapped[Address]
    minted_at: Mapped[UnixTime]


class NftTransfer(Appended):
    """An ERC-721 Transfer; mints come from the zero address."""

    __tablename__ = "nft_transfers"
    __table_args__ = (Index(None, "collection", "token_id", "block_number", "log_index"),)

    collection: Mapped[Address]
    token_id: Mapped[TokenId]
    sender: Mapped[Address]
    receiver: Mapped[Address]


class NftOperator(Mirrored):
    """Whether an operator may move all tokens of an owner."""

    __tablename__ = "nft_operators"

    collection: Mapped[Address] = mapped_column(primary_key=True)
    owner: Mapped[Address] = mapped_column(primary_key=True)
    operator: Mapped[Address] = mapped_column(primary_key=True)
    is_approved: Mapped[bool]


class Drop(Mirrored):
    """A track that is minted in editions. `price` is wei of `payment_token`, the zero address being the native coin.

    A price of 0: editions are not for sale.
    """

    __tablename__ = "drops"
    __table_args__ = (Index(None, "creator"), Index(None, "audio_piece_cid"))

    collection: Mapped[Address] = mapped_column(primary_key=True)
    drop_id: Mapped[TokenId] = mapped_column(primary_key=True)
    creator: Mapped[Address]
    title: Mapped[str] = mapped_column(String(100))
    audio_piece_cid: Mapped[str] = mapped_column(String(100))
    royalty_bps: Mapped[int]
    maximum_supply: Mapped[int]
    minted: Mapped[int]
    is_exclusive: Mapped[bool]
    payment_token: Mapped[Address]
    price: Mapped[Wei]
    created_block: Mapped[int]
    created_at: Mapped[UnixTime]


class EditionSale(Appended):
    """An edition that its drop's creator sold, for wei of `payment_token`."""

    __tablename__ = "edition_sales"
    __table_args__ = (Index(None, "collection", "drop_id", "block_number", "log_index"), Index(None, "buyer"))

    collection: Mapped[Address]
    drop_id: Mapped[TokenId]
    token_id: Mapped[TokenId]
    buyer: Mapped[Address]
    payment_token: Mapped[Address]
    price: Mapped[Wei]


class DropProceeds(Mirrored):
    """Native wei of sold editions that the collection holds for a creator to withdraw."""

    __tablename__ = "drop_proceeds"

    collection: Mapped[Address] = mapped_column(primary_key=True)
    creator: Mapped[Address] = mapped_column(primary_key=True)
    amount: Mapped[Wei]


class AccessRule(Mirrored):
    """What opens a piece of content: token wei of its creator's coin (0: none do), or an NFT (zero address: none does).

    `nft_drop_id` 0 lets every token of the collection open it. `piece_hash` is keccak256 of the CID.
    """

    __tablename__ = "access_rules"
    __table_args__ = (Index(None, "creator"), Index(None, "piece_cid"))

    piece_hash: Mapped[Hash] = mapped_column(primary_key=True)
    piece_cid: Mapped[str] = mapped_column(String(100))
    creator: Mapped[Address]
    minimum_coin_holding: Mapped[Wei]
    nft_collection: Mapped[Address]
    nft_drop_id: Mapped[TokenId]


class AccessGrant(Mirrored):
    """Until when a user may have a piece, in seconds; it may be over. A revoked one has no row."""

    __tablename__ = "access_grants"
    __table_args__ = (Index(None, "piece_hash"),)

    user: Mapped[Address] = mapped_column(primary_key=True)
    piece_hash: Mapped[Hash] = mapped_column(primary_key=True)
    piece_cid: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[Wei]
