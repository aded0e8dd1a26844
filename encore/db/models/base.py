"""The declarative base: naming conventions and the Python types that map to columns."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, mapped_column

from encore.db.types import Uint256, UtcDateTime

Address = Annotated[str, mapped_column(String(42))]
"""A lower-case 0x address; the API checksums on the way out."""
Hash = Annotated[str, mapped_column(String(66))]
"""A lower-case 0x 32-byte hash."""
Wei = Annotated[int, mapped_column(Uint256())]
"""An unsigned 256-bit integer."""
UnixTime = Annotated[int, mapped_column(BigInteger)]
"""Seconds since 1970, as block timestamps are."""
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
