"""Every table. The `chain` modules mirror the chain, written by the indexer alone; each other one is of one area."""

from encore.db.models import (
    accounts,
    chain,
    chain_exchange,
    chain_governance,
    chain_market,
    chain_nft,
    chain_tokens,
    creators,
    listening,
    oracle,
    outbox,
    revenue,
    webhooks,
)
from encore.db.models.base import Base

__all__ = [
    "Base",
    "accounts",
    "chain",
    "chain_exchange",
    "chain_governance",
    "chain_market",
    "chain_nft",
    "chain_tokens",
    "creators",
    "listening",
    "oracle",
    "outbox",
    "revenue",
    "webhooks",
]
