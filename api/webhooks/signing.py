"""Signatures of webhooks, as Standard Webhooks has them (HMAC-SHA256 over id, timestamp and body)."""

import base64
import hmac
from typing import Final

PREFIX: Final = "whsec_"


def secret_key(signing_key: bytes, webhook_id: int, generation: int) -> bytes:
    """Derive a webhook's 32-byte key from the API's own."""
    return hmac.digest(signing_key, f"{webhook_id}:{generation}".encode(), "sha256")


def shown(key: bytes) -> str:
    """Return a key as its owner is shown it."""
    return PREFIX + base64.b64encode(key).decode()


def headers(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery that was sent at `timestamp` (unix seconds)."""
    signed = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }
