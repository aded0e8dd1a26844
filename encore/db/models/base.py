"""The declarative base: naming conventions and the Python types that map to columns."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from encore.db.types import Uint256, UtcDateTime

Address = Annotated[str, mapped_column(String(42))]
"""A lower-case 0x address; the API checksums on the way out."""
Hash = Annotated[str, mapped_column(String(66))]
"""A lower-case 0x 32-byte hash."""
Wei = Annotated[int, mapped_column(Uint256())]
"""An unsigned 256-bit integer."""
UnixTime = Annotated[int, mapped_column(BigInteger)]
"""Seconds since 1970, as block timestamps are."""
TokenId = Annotated[int, mapped_column(Uint256())]
"""An ERC-721 token's or a proposal's number, which takes all of 256 bits."""
BigInt = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key that SQLite can number by itself."""


class Base(DeclarativeBase):
    """Base of all models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInt,
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
    }


class Mirrored(Base):
    """A table of the mirror of the chain: written by the indexer alone, undone with the blocks that it tells of."""

    __abstract__ = True


class Appended(Mirrored):
    """A mirrored table that events only append to: one row an event, its time in seconds."""

    __abstract__ = True

    block_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=-4)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=-3)
    transaction_hash: Mapped[Hash] = mapped_column(String(66), sort_order=-2)
    timestamp: Mapped[UnixTime] = mapped_column(BigInteger, sort_order=-1)
