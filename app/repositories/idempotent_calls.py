"""Calls with an `Idempotency-Key`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import col

from app.models.idempotent_calls import IdempotentCall
from app.repositories.base import Repository, Rows

_IS_OPEN = col(IdempotentCall.sealed_answer).is_(None)
_CALL = Rows(IdempotentCall, "key_hash")
_EXPIRED = Rows(IdempotentCall, "key_hash", col(IdempotentCall.expires_at) <= bindparam("now"))
_GIVEN_UP = Rows(IdempotentCall, "key_hash", _IS_OPEN, col(IdempotentCall.busy_until) <= bindparam("now"))
_RUNNING = Rows(IdempotentCall, "key_hash", "attempt", _IS_OPEN)


class IdempotentCallRepository(Repository):
    """The calls of one tenant."""

    async def find(self, key_hash: bytes) -> IdempotentCall | None:
        """Return the call with this key."""
        return await self._find(_CALL, key_hash=key_hash)

    async def claim(self, call: IdempotentCall) -> bool:
        """Begin a call; False if there is one with this key."""
        return await self._add_unless(call, "key_hash", "tenant_id")

    async def take_over(self, key_hash: bytes, now: datetime, attempt: str, busy_until: datetime) -> bool:
        """Run a call anew whose request has ended without a word; False if it has not."""
        given = {"key_hash": key_hash, "now": now}
        return await self._change(_GIVEN_UP, given, attempt=attempt, busy_until=busy_until) == 1

    async def finish(self, key_hash: bytes, attempt: str, sealed_answer: str, customer_id: str | None) -> bool:
        """Write the answer; False if another request runs the call by now."""
        given = {"key_hash": key_hash, "attempt": attempt}
        return await self._change(_RUNNING, given, sealed_answer=sealed_answer, customer_id=customer_id) == 1

    async def release(self, key_hash: bytes, attempt: str) -> None:
        """Forget a call that has had no effect, so that it can be made again."""
        await self._delete(_RUNNING, key_hash=key_hash, attempt=attempt)

    async def delete_expired(self, key_hash: bytes, now: datetime) -> None:
        """Forget a call that is too old to be repeated."""
        await self._delete(_EXPIRED, key_hash=key_hash, now=now)
