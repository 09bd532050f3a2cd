"""The receiver of a webhook: believes nothing but what the shop's secret has signed (Standard Webhooks)."""

from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook

_SEEN: set[str] = set()


def receive(secret: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Return a new event; None for one that has come before. Raises `WebhookVerificationError` for a forgery.

    `body` as it came in, before anything has parsed it. Answer 2xx at once and work afterwards.
    """
    event: dict[str, Any] = Webhook(secret).verify(body, dict(headers))
    # An event is sent until it is taken, so it may come twice: its id stays. Keep the ids in your database.
    if headers["webhook-id"] in _SEEN:
        return None
    _SEEN.add(headers["webhook-id"])
    return event
