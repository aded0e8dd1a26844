"""What creators earned off-chain."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Base, Wei


class Revenue(Base):
    """One earning of a creator's, in wei of the native coin; `event_key` makes recording it twice impossible."""

    __tablename__ = "revenues"
    __table_args__ = (UniqueConstraint("source", "event_key"), Index(None, "creator_id", "earned_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"))
    amount_wei: Mapped[Wei]
    earned_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(20))
    event_key: Mapped[str] = mapped_column(String(200))
