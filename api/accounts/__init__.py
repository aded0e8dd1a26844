"""Accounts: signing in with a wallet, sessions, and the wallets of an account."""
