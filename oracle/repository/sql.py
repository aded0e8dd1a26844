"""What the oracle's statements share."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from oracle.metrics import Metrics

CreatorIds = Collection[int] | None
"""Which creators; None for all of them."""


def insert_into(connection: AsyncConnection, model: Any) -> Any:
    """Return the dialect's INSERT, the one that knows ON CONFLICT."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(model)


def among(column: ColumnElement[int] | Any, creator_ids: CreatorIds) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `creator_ids`."""
    return true() if creator_ids is None else column.in_(creator_ids)


def figures(model: Any, prefix: str) -> Sequence[ColumnElement[Any]]:
    """Select the four figures of a model under names that `metrics_in` reads back."""
    return [
        getattr(model, name).label(f"{prefix}_{name}")
        for name in ("monthly_streams", "followers", "monthly_revenue", "engagement_score")
    ]


def metrics_in(row: Any, prefix: str) -> Metrics:
    """Read the four figures that `figures` selected."""
    return Metrics(
        getattr(row, f"{prefix}_monthly_streams"),
        getattr(row, f"{prefix}_followers"),
        getattr(row, f"{prefix}_monthly_revenue"),
        getattr(row, f"{prefix}_engagement_score"),
    )
