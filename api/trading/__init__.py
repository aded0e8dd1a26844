"""Quotes, and transactions for the user's wallet to sign."""
