"""What a wallet has."""
