"""The transaction outbox: the only thing in Encore that sends transactions, each exactly once."""

from encore.chain.outbox.budget import GasBudget, Spending
from encore.chain.outbox.fees import FeePolicy
from encore.chain.outbox.node import Node
from encore.chain.outbox.queue import Intent, Status, enqueue
from encore.chain.outbox.sender import OutboxSender, Progress
from encore.chain.outbox.signer import Signer

__all__ = [
    "FeePolicy",
    "GasBudget",
    "Intent",
    "Node",
    "OutboxSender",
    "Progress",
    "Signer",
    "Spending",
    "Status",
    "enqueue",
]
