"""The mirror of the exchange's safeguards, and of the oracles' single reports."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Appended, Mirrored, UnixTime, Wei


class PoolGuard(Mirrored):
    """Whether a pool trades, and what its limits refer to.

    A guardian's pause, and until when the circuit breaker's lasts (0: it never tripped). As of the pool's last change
    at `changed_at`: the native reserve at the day's first trade, scaled with liquidity, and the price at the hour's
    first trade, in native wei for one token wei times 2**76 (encore.chain.safeguards.Guard).
    """

    __tablename__ = "pool_guards"

    token: Mapped[Address] = mapped_column(primary_key=True)
    is_paused: Mapped[bool]
    breaker_until: Mapped[UnixTime]
    trip_count: Mapped[int]
    reference_reserve: Mapped[Wei]
    start_price: Mapped[Wei]
    changed_at: Mapped[UnixTime]


class TradingExemption(Mirrored):
    """Until when an account's own limits do not apply to it in one pool; it may be over. A revoked one has no row."""

    __tablename__ = "trading_exemptions"
    __table_args__ = (Index(None, "token", "until"),)

    account: Mapped[Address] = mapped_column(primary_key=True)
    token: Mapped[Address] = mapped_column(primary_key=True)
    until: Mapped[UnixTime]
    guardian: Mapped[Address]


class TradingCooldown(Mirrored):
    """Until when an account that made a large trade waits for its next one in that pool; it may be over."""

    __tablename__ = "trading_cooldowns"

    token: Mapped[Address] = mapped_column(primary_key=True)
    account: Mapped[Address] = mapped_column(primary_key=True)
    until: Mapped[UnixTime]


class TradingFlow(Mirrored):
    """Native wei that an account's trades brought into and took out of a pool's reserve on the last day it traded."""

    __tablename__ = "trading_flows"

    token: Mapped[Address] = mapped_column(primary_key=True)
    account: Mapped[Address] = mapped_column(primary_key=True)
    day_started_at: Mapped[UnixTime]
    native_in: Mapped[Wei]
    native_out: Mapped[Wei]


class WhaleTrade(Appended):
    """A trade large against its pool. `native_amount` is what entered or left the reserve, without the platform fee."""

    __tablename__ = "whale_trades"
    __table_args__ = (Index(None, "token", "block_number", "log_index"),)

    token: Mapped[Address]
    trader: Mapped[Address]
    is_purchase: Mapped[bool]
    native_amount: Mapped[Wei]
    token_amount: Mapped[Wei]


class BreakerTrip(Appended):
    """A trade that moved the price too far in an hour and paused its pool. Prices in native wei for a whole token."""

    __tablename__ = "breaker_trips"
    __table_args__ = (Index(None, "token", "block_number", "log_index"),)

    token: Mapped[Address]
    trader: Mapped[Address]
    start_price: Mapped[Wei]
    price: Mapped[Wei]
    until: Mapped[UnixTime]


class MetricsReport(Appended):
    """One oracle's figures of a creator for an epoch; they count once a quorum of oracles reported for it."""

    __tablename__ = "metrics_reports"
    __table_args__ = (Index(None, "creator", "epoch"),)

    creator: Mapped[Address]
    oracle: Mapped[Address]
    epoch: Mapped[Wei]
    monthly_streams: Mapped[Wei]
    followers: Mapped[Wei]
    monthly_revenue: Mapped[Wei]
    engagement_score: Mapped[int]
    observed_at: Mapped[UnixTime]
