"""Listening: tracks, plays, and what listeners do about them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Base


class Track(Base):
    """One piece of a creator's."""

    __tablename__ = "tracks"
    __table_args__ = (UniqueConstraint("creator_id", "title"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"))
    title: Mapped[str] = mapped_column(String(300))
    duration_seconds: Mapped[int | None]
    created_at: Mapped[datetime]


class Play(Base):
    """Plays of one creator by one listener; `id` grows with time so that the oracle can ask what is new.

    `play_count` is 1 for a single listening event, more where a log has already summed them up (then `track_id` and
    `listened_seconds` are unknown). `event_key` names the event within its `source`: importing twice
    adds nothing.
    """

    __tablename__ = "plays"
    __table_args__ = (
        UniqueConstraint("source", "event_key"),
        CheckConstraint("play_count > 0", name="play_count_positive"),
        Index(None, "creator_id", "played_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"))
    listener_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    track_id: Mapped[int | None] = mapped_column(ForeignKey("tracks.id"))
    played_at: Mapped[datetime]
    listened_seconds: Mapped[int | None]
    play_count: Mapped[int] = mapped_column(default=1)
    source: Mapped[str] = mapped_column(String(20))
    event_key: Mapped[str] = mapped_column(String(200))


class TrackLike(Base):
    """An account likes a track; `id` grows with time so that the oracle can ask what is new."""

    __tablename__ = "track_likes"
    __table_args__ = (UniqueConstraint("track_id", "account_id"), Index(None, "creator_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"))
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]


class TrackComment(Base):
    """What an account said about a track."""

    __tablename__ = "track_comments"
    __table_args__ = (Index(None, "creator_id", "created_at"), Index(None, "track_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"))
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class TrackShare(Base):
    """An account passed a track on."""

    __tablename__ = "track_shares"
    __table_args__ = (Index(None, "creator_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"))
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
