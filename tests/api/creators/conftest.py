"""A market on a real chain."""

from tests.api.trading.conftest import chain_settings, market

__all__ = ["chain_settings", "market"]
