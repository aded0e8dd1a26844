"""Listening: what people played, and the import of listening logs."""
