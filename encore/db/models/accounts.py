"""People: accounts, how they sign in, and who follows whom."""

from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Base

SIGN_IN_SOURCE: Final = "wallet"
"""The `source` of accounts that signed in here; others are as an imported log named them."""


class Account(Base):
    """A listener or fan, known by (`source`, `external_id`): as a log named them, or since they signed in."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class AccountWallet(Base):
    """A wallet that proved to be an account's, and signs in to it."""

    __tablename__ = "account_wallets"

    address: Mapped[Address] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    linked_at: Mapped[datetime]


class SignInNonce(Base):
    """A nonce that a wallet may sign once (EIP-4361): the row goes with its first use.

    `account_id` is who may link a wallet with it; None: it is for signing in.
    """

    __tablename__ = "sign_in_nonces"

    nonce: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LoginSession(Base):
    """A sign-in on one device. Each refresh token is of one `generation`, and only the newest one is good."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    wallet: Mapped[Address]
    user_agent: Mapped[str] = mapped_column(String(200))
    generation: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


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
