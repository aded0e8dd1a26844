"""People: accounts, and who follows whom."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Base


class Account(Base):
    """A listener or fan. Imported ones are known by (`source`, `external_id`)."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class AccountFollow(Base):
    """One account follows another."""

    __tablename__ = "account_follows"
    __table_args__ = (Index(None, "followed_id"),)

    follower_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    followed_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    created_at: Mapped[datetime]


class CreatorFollow(Base):
    """One account follows a creator; `id` grows with time so that the oracle can ask what is new."""

    __tablename__ = "creator_follows"
    __table_args__ = (UniqueConstraint("creator_id", "follower_id"), Index(None, "follower_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
