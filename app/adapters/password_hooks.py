"""Asks a tenant's old shop whether a password is right, by Standard Webhooks 1.0, and never waits long."""

from __future__ import annotations

import asyncio
import logging

import orjson

from app.domain.ports import PasswordQuestion, Webhook, WebhookSender
from app.domain.tenants import PasswordHook

# How many questions one process asks at once.
MOST_AT_ONCE = 32
_RIGHT, _WRONG = 200, 401
# What an answer takes as long as none has come, in seconds.
_EXPECTED = 0.5

logger = logging.getLogger(__name__)


class WebhookPasswordHooks:
    """Posts each question, signed, to the address that the shop has named; `sender` bounds how long that may take."""

    def __init__(self, sender: WebhookSender) -> None:
        self._sender = sender
        self._asking = 0
        # How many seconds each old shop takes, as it was seen.
        self._seconds: dict[str, float] = {}

    async def is_right(self, hook: PasswordHook, question: PasswordQuestion) -> bool:
        """Ask; see the port."""
        if self._asking >= MOST_AT_ONCE:
            raise ConnectionError("too many questions at once")
        body = orjson.dumps({"email": question.email, "password": question.password}).decode()
        webhook = Webhook(id=question.id, url=hook.url, body=body, secrets=(hook.secret.get_secret_value(),))
        self._asking += 1
        now = asyncio.get_running_loop().time
        began = now()
        try:
            status = await self._sender.send(webhook)
            if status not in {_RIGHT, _WRONG}:
                raise ConnectionError(f"it answers {status}")
        except OSError as error:
            logger.warning("password hook does not answer", extra={"cause": f"{type(error).__name__}: {error}"})
            raise
        finally:
            self._asking -= 1
        self._learn(hook, now() - began)
        return status == _RIGHT

    def seconds(self, hook: PasswordHook) -> float:
        """Return how long an answer takes; see the port."""
        return self._seconds.get(hook.url, _EXPECTED)

    def _learn(self, hook: PasswordHook, took: float) -> None:
        # A slower one counts at once, a faster one little by little: it was perhaps only a busy moment.
        so_far = self._seconds.get(hook.url, 0)
        self._seconds[hook.url] = max(took, so_far + (took - so_far) / 10)
