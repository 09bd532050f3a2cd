"""Sign-ups that wait for the proof of their address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from app.domain.rows import Reading
from app.models.pending_signups import PendingSignup
from app.repositories.base import Repository, Rows

_ONE = Rows(PendingSignup, "id")
_OPEN = col(PendingSignup.ended_at).is_(None)
_ONE_OPEN = Rows(PendingSignup, "id", _OPEN)
_OPEN_OF_ADDRESS = Rows(PendingSignup, "email_key", _OPEN)
_OF_ADDRESS = Rows(PendingSignup, "email_key")
_OF_CUSTOMER = Rows(PendingSignup, "customer_id")


def _newest(rows: Rows[PendingSignup]) -> Reading[PendingSignup]:
    newest_first = select(PendingSignup.__table__).where(rows.where).order_by(col(PendingSignup.id).desc())
    return Reading(PendingSignup, newest_first.limit(1))


_NEWEST_OPEN = _newest(_OPEN_OF_ADDRESS)
_NEWEST_OF_SESSION = _newest(Rows(PendingSignup, "email_key", "session_id"))
# What is left of a sign-up whose address is somebody's by now.
_NOTHING: dict[str, Any] = {"password_hash": None, "data": {}}


class PendingSignupRepository(Repository):
    """The pending sign-ups of one tenant."""

    async def add(self, signup: PendingSignup) -> None:
        """Write a new one."""
        await self._add(signup)

    async def find(self, signup_id: str) -> PendingSignup | None:
        """Return one, pending or not."""
        return await self._find(_ONE, id=signup_id)

    async def find_newest(self, email_key: str) -> PendingSignup | None:
        """Return the newest one for an address that still waits for its proof."""
        return await self._find(_NEWEST_OPEN, email_key=email_key)

    async def find_of_session(self, email_key: str, session_id: str) -> PendingSignup | None:
        """Return the newest one for an address that was made in this session, pending or not."""
        return await self._find(_NEWEST_OF_SESSION, email_key=email_key, session_id=session_id)

    async def list(self, customer_id: str) -> Sequence[PendingSignup]:
        """Return those whose address has turned out to be this customer's."""
        return await self._list(_OF_CUSTOMER, customer_id=customer_id)

    async def confirm(self, signup_id: str, customer_id: str, now: datetime) -> None:
        """Note that this sign-up was confirmed, and which customer came of it."""
        await self._change(_ONE, {"id": signup_id}, customer_id=customer_id, confirmed_at=now, ended_at=now, **_NOTHING)

    async def end(self, signup_id: str, customer_id: str | None, now: datetime) -> bool:
        """End one whose address is this customer's; False when it has ended before."""
        ended = {"customer_id": customer_id, "ended_at": now, **_NOTHING}
        return await self._change(_ONE_OPEN, {"id": signup_id}, **ended) == 1

    async def end_all(self, email_key: str, customer_id: str, now: datetime) -> int:
        """End all that wait for an address that has turned out to be this customer's, and return how many."""
        ended = {"customer_id": customer_id, "ended_at": now, **_NOTHING}
        return await self._change(_OPEN_OF_ADDRESS, {"email_key": email_key}, **ended)

    async def delete_all(self, email_key: str) -> int:
        """Remove all for an address, pending or not, and return how many."""
        return await self._delete(_OF_ADDRESS, email_key=email_key)
