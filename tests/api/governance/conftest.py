"""A governed market on a real chain."""

from tests.api.trading.conftest import chain_settings, governed

__all__ = ["chain_settings", "governed"]
