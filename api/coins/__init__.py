"""Coins: market figures, holders, trades, candles."""
