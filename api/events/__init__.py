"""Live events of the chain."""
