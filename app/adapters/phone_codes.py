"""Hands codes for phones to the shop's own service, which calls its SMS provider, by Standard Webhooks 1.0."""

from __future__ import annotations

import orjson

from app.domain.ports import Clock, PhoneCode, Webhook, WebhookSender
from app.domain.tenants import PhoneCodes

TYPE = "phone_code.requested"


class WebhookPhoneCodes:
    """Posts each code, signed, to the address that the shop has named."""

    def __init__(self, sender: WebhookSender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock

    async def send(self, service: PhoneCodes, code: PhoneCode) -> None:
        """Post the code; see the port."""
        body = {
            "type": TYPE,
            "timestamp": self._clock.now().isoformat().replace("+00:00", "Z"),
            "data": {"phone": code.phone, "code": code.code, "expiresIn": code.expires_in},
        }
        secret = service.secret.get_secret_value()
        webhook = Webhook(id=code.id, url=service.url, body=orjson.dumps(body).decode(), secrets=(secret,))
        status = await self._sender.send(webhook)
        if not 200 <= status < 300:
            raise OSError(f"The service for phone codes answered {status}.")
