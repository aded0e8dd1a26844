"""Webhooks: events of the chain brought to other people's servers, signed and retried."""
