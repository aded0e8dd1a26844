"""What the oracle measured, what it wrote to the chain, and its scheduled jobs. Written by the oracle alone."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, Text, Unicode
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Base, UnixTime, Wei


class ActivityMetrics(Base):
    """A creator's off-chain figures over the last 30 days, as last computed: counts, wei, and bps for the score."""

    __tablename__ = "activity_metrics"
    __table_args__ = (Index(None, "monthly_streams", "creator_id"),)

    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"), primary_key=True, autoincrement=False)
    monthly_streams: Mapped[int]
    followers: Mapped[int]
    monthly_revenue: Mapped[Wei]
    engagement_score: Mapped[int]
    unique_listeners: Mapped[int]
    updated_at: Mapped[datetime]


class BlockchainMetrics(Base):
    """The figures that were last handed to the outbox for a creator's wallet; `outbox_id` tells how that went."""

    __tablename__ = "blockchain_metrics"
    __table_args__ = (Index(None, "outbox_id"),)

    creator_id: Mapped[int] = mapped_column(ForeignKey("creators.id"), primary_key=True, autoincrement=False)
    wallet: Mapped[Address]
    monthly_streams: Mapped[int]
    followers: Mapped[int]
    monthly_revenue: Mapped[Wei]
    engagement_score: Mapped[int]
    observed_at: Mapped[UnixTime]
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))


class OracleState(Base):
    """How the oracle of a chain stands: when all that differed was last written, and why it is paused, if it is."""

    __tablename__ = "oracle_states"

    chain_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    synced_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    pause_reason: Mapped[str | None] = mapped_column(Text)


class GasPrice(Base):
    """What gas cost in an hour (UTC): `total` is the sum of `samples` looks at it, in wei per gas."""

    __tablename__ = "gas_prices"

    chain_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    samples: Mapped[int]
    total: Mapped[Wei]


class SchedulerJob(Base):
    """APScheduler's job store; the columns are the library's."""

    __tablename__ = "apscheduler_jobs"

    id: Mapped[str] = mapped_column(Unicode(191), primary_key=True)
    next_run_time: Mapped[float | None] = mapped_column(Float(25), index=True)
    job_state: Mapped[bytes] = mapped_column(LargeBinary)
