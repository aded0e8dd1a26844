"""The HTTP API: reads the mirror, prepares transactions that wallets sign."""
