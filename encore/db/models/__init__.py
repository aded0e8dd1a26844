"""Every table. `chain` mirrors the chain, written by the indexer alone; the others belong to one area each."""

from encore.db.models import accounts, chain, creators, listening, oracle, outbox, revenue
from encore.db.models.base import Base

__all__ = ["Base", "accounts", "chain", "creators", "listening", "oracle", "outbox", "revenue"]
