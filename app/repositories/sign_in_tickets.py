"""Sign-ins, and enrolments of a way in, that have begun and are not done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col

from app.models.sign_in_tickets import SignInTicket
from app.repositories.base import Repository, Rows

_LIVE = (col(SignInTicket.used_at).is_(None), col(SignInTicket.expires_at) > bindparam("now"))
_OF_SESSION = Rows(SignInTicket, "ticket_hash", "session_id")
_CLAIMABLE = Rows(SignInTicket, "ticket_hash", "session_id", *_LIVE)
_TRIABLE = Rows(SignInTicket, "ticket_hash", "session_id", col(SignInTicket.tries) < bindparam("most_tries"), *_LIVE)
_WITH_CHALLENGE = Rows(SignInTicket, "ticket_hash", "challenge", *_LIVE)
_UNSENT = Rows(SignInTicket, "ticket_hash", "code_hash", *_LIVE)
_WITH_CODE = Rows(
    SignInTicket,
    "session_id",
    "purpose",
    col(SignInTicket.code_hash).is_not(None),
    col(SignInTicket.proved).is_(None),
    *_LIVE,
)
_OF_CUSTOMER = Rows(SignInTicket, "customer_id")


class SignInTicketRepository(Repository):
    """The sign-ins of one tenant that have begun."""

    async def add(self, ticket: SignInTicket) -> None:
        """Write a new ticket."""
        await self._add(ticket)

    async def find(self, ticket_hash: bytes, session_id: str) -> SignInTicket | None:
        """Return a ticket that this session got, whatever its state."""
        return await self._find(_OF_SESSION, ticket_hash=ticket_hash, session_id=session_id)

    async def change(self, ticket_hash: bytes, session_id: str, now: datetime, **values: Any) -> SignInTicket | None:
        """Set columns of a ticket that is still open, and return it as it is then; None if it is not."""
        given = {"ticket_hash": ticket_hash, "session_id": session_id, "now": now}
        return await self._change_one(_CLAIMABLE, given, **values)

    async def count_try(
        self, ticket_hash: bytes, session_id: str, most_tries: int, now: datetime
    ) -> SignInTicket | None:
        """Count one more try; None if the ticket is used, has expired, has no tries left or is another session's."""
        given = {"ticket_hash": ticket_hash, "session_id": session_id, "most_tries": most_tries, "now": now}
        return await self._change_one(_TRIABLE, given, counted="tries")

    async def claim(self, ticket_hash: bytes, session_id: str, now: datetime) -> bool:
        """Use the ticket up; False if it was used or has expired, even at the same moment."""
        given = {"ticket_hash": ticket_hash, "session_id": session_id, "now": now}
        return await self._change(_CLAIMABLE, given, used_at=now) == 1

    async def use_challenge(self, ticket_hash: bytes, challenge: bytes, now: datetime) -> bool:
        """Use a challenge up, and leave the ticket open; False if it has another by now, or is used or over."""
        given = {"ticket_hash": ticket_hash, "challenge": challenge, "now": now}
        return await self._change(_WITH_CHALLENGE, given, challenge=None) == 1

    async def note_sent(self, ticket_hash: bytes, code_hash: bytes, now: datetime, **values: Any) -> bool:
        """Let a code count from now on; False if the ticket has another one by now, or is used or over."""
        given = {"ticket_hash": ticket_hash, "code_hash": code_hash, "now": now}
        return await self._change(_UNSENT, given, code_sent_at=now, **values) == 1

    async def end_codes(self, session_id: str, purpose: str, now: datetime) -> None:
        """End the session's sign-ins that began with a code."""
        await self._change(_WITH_CODE, {"session_id": session_id, "purpose": purpose, "now": now}, used_at=now)

    async def delete_all(self, customer_id: str) -> None:
        """Forget every ticket of a customer."""
        await self._delete(_OF_CUSTOMER, customer_id=customer_id)
