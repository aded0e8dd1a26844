"""The transaction outbox: what Encore means to send, and every transaction it signed for it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from encore.db.models.base import Address, Base, Hash, Wei


class OutboxEntry(Base):
    """One intended transaction; `idempotency_key` makes queueing it twice impossible.

    `status` is pending (no nonce yet), sent (signed and stored, so that it may be on its way), confirmed (mined) or
    failed (reverted when estimated, and then without a nonce, or when mined). `transaction_hash` is the last signed
    one until one is mined, then that one; `block_number` and `block_hash` are where, `fee_paid` the wei of its gas and
    `mined_at` when that was noticed. A row that has a nonce is watched until `is_final`: a reorg takes it back to sent.
    `subject` is what it is about, in operators' words.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("chain_id", "sender", "nonce"),
        Index(None, "kind", "subject"),
        Index(None, "sender", "mined_at"),
        Index(
            "ix_outbox_open",
            "chain_id",
            "sender",
            "id",
            sqlite_where=text("NOT is_final"),
            postgresql_where=text("NOT is_final"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(100))
    chain_id: Mapped[int]
    sender: Mapped[Address]
    to_address: Mapped[Address]
    data: Mapped[str] = mapped_column(Text)
    value: Mapped[Wei]
    status: Mapped[str] = mapped_column(String(9), default="pending")
    is_final: Mapped[bool] = mapped_column(default=False)
    nonce: Mapped[int | None]
    transaction_hash: Mapped[Hash | None] = mapped_column(unique=True)
    block_number: Mapped[int | None]
    block_hash: Mapped[Hash | None]
    gas_used: Mapped[int | None]
    fee_paid: Mapped[Wei | None]
    mined_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OutboxTransaction(Base):
    """One signed form of an outbox entry. A stuck one is replaced by another with the same nonce and higher fees.

    `raw` is the very bytes to broadcast, 0x hex: the same again after a crash, so that the chain itself takes it once.
    Fees in wei per gas (EIP-1559).
    """

    __tablename__ = "outbox_transactions"
    __table_args__ = (Index(None, "outbox_id"),)

    hash: Mapped[Hash] = mapped_column(primary_key=True)
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))
    raw: Mapped[str] = mapped_column(Text)
    gas_limit: Mapped[int]
    max_fee_per_gas: Mapped[Wei]
    max_priority_fee_per_gas: Mapped[Wei]
    signed_at: Mapped[datetime]
