"""Open social logins, what providers have posted to them, social identities, and links that wait for a confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from app.domain.ports import Connection
from app.models.social import LinkTicket, SocialAnswer, SocialIdentity, SocialState
from app.repositories.base import Repository, Rows
from app.repositories.lookups import Lookup

_LIVE_STATE = (col(SocialState.used_at).is_(None), col(SocialState.expires_at) > bindparam("now"))
_OPEN_STATES = Rows(
    SocialState,
    "session_id",
    *_LIVE_STATE,
    order_by=(col(SocialState.created_at), col(SocialState.state_hash)),
)
_STATE = Rows(SocialState, "state_hash")
_STATE_OF_SESSION = Rows(SocialState, "state_hash", "session_id")
_CLAIMABLE_STATE = Rows(SocialState, "state_hash", "session_id", *_LIVE_STATE)
_BY_NONCE = Rows(SocialState, "nonce", "session_id")
_CLAIMABLE_BY_NONCE = Rows(SocialState, "nonce", "session_id", *_LIVE_STATE)
_BY_STATE = Lookup(
    SocialState,
    SocialState,
    select(SocialState.__table__).where(col(SocialState.state_hash) == bindparam("state_hash")),
)
_STATES_OF_CUSTOMER = Rows(SocialState, "customer_id")
_ANSWER = Rows(SocialAnswer, "state_hash")
_ANSWER_OF_CODE = Rows(SocialAnswer, "state_hash", "code_hash", col(SocialAnswer.expires_at) > bindparam("now"))
_ANSWERS_OF_CUSTOMER = Rows(SocialAnswer, "customer_id")
_BY_SUBJECT = Rows(SocialIdentity, "provider", "issuer", "subject")
_IDENTITY = Rows(SocialIdentity, "customer_id", "id")
_IDENTITIES = Rows(SocialIdentity, "customer_id", order_by=(col(SocialIdentity.id),))
_LIVE_TICKET = (col(LinkTicket.used_at).is_(None), col(LinkTicket.expires_at) > bindparam("now"))
_TICKET_OF_SESSION = Rows(LinkTicket, "ticket_hash", "session_id")
_CLAIMABLE_TICKET = Rows(LinkTicket, "ticket_hash", *_LIVE_TICKET)
_TRIABLE_TICKET = Rows(
    LinkTicket, "ticket_hash", "session_id", col(LinkTicket.tries) < bindparam("most_tries"), *_LIVE_TICKET
)
_TICKETS_OF_CUSTOMER = Rows(LinkTicket, "customer_id")


class SocialStateLookup:
    """Finds what was begun in the tenants that a state may belong to, in all for none.

    A provider posts to us in no session, and only its `state` tells for whom.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, tenant_ids: Sequence[str], state_hash: bytes) -> SocialState | None:
        """Return what was begun with this state, or None."""
        return await _BY_STATE.find(self._connection, tenant_ids, state_hash=state_hash)


class SocialStateRepository(Repository):
    """The open social logins of one tenant."""

    async def list_open(self, session_id: str, now: datetime) -> Sequence[SocialState]:
        """Return what a session has begun and not finished, the oldest first."""
        return await self._list(_OPEN_STATES, session_id=session_id, now=now)

    async def add(self, state: SocialState) -> None:
        """Write a new one."""
        await self._add(state)

    async def delete(self, state_hash: bytes) -> None:
        """Forget one."""
        await self._delete(_STATE, state_hash=state_hash)

    async def delete_all(self, customer_id: str) -> None:
        """Delete all social logins that the customer has begun while logged in."""
        await self._delete(_STATES_OF_CUSTOMER, customer_id=customer_id)

    async def find(self, state_hash: bytes, session_id: str) -> SocialState | None:
        """Return what this session began."""
        return await self._find(_STATE_OF_SESSION, state_hash=state_hash, session_id=session_id)

    async def claim(self, state_hash: bytes, session_id: str, now: datetime) -> bool:
        """Use it up; False if it was used, has expired or is another session's, even at the same moment."""
        given = {"state_hash": state_hash, "session_id": session_id, "now": now}
        return await self._change(_CLAIMABLE_STATE, given, used_at=now) == 1

    async def find_by_nonce(self, nonce: str, session_id: str) -> SocialState | None:
        """Return what this session began, by the nonce that it was told."""
        return await self._find(_BY_NONCE, nonce=nonce, session_id=session_id)

    async def claim_by_nonce(self, nonce: str, session_id: str, now: datetime) -> bool:
        """Use it up like `claim`."""
        given = {"nonce": nonce, "session_id": session_id, "now": now}
        return await self._change(_CLAIMABLE_BY_NONCE, given, used_at=now) == 1


class SocialAnswerRepository(Repository):
    """What providers have posted to one tenant, and no app has fetched yet."""

    async def add_unless_answered(self, answer: SocialAnswer) -> bool:
        """Write a new one; False if what was begun has an answer already, even at the same moment."""
        return await self._add_unless(answer, "state_hash", "tenant_id")

    async def find(self, state_hash: bytes) -> SocialAnswer | None:
        """Return the answer to what was begun with this state."""
        return await self._find(_ANSWER, state_hash=state_hash)

    async def take(self, state_hash: bytes, code_hash: bytes, now: datetime) -> SocialAnswer | None:
        """Remove the answer and return it; None for another code, or one that is over, even at the same moment."""
        given = {"state_hash": state_hash, "code_hash": code_hash, "now": now}
        answer = await self._find(_ANSWER_OF_CODE, **given)
        return answer if await self._delete(_ANSWER_OF_CODE, **given) == 1 else None

    async def delete_all(self, customer_id: str) -> None:
        """Delete all answers to what the customer has begun while logged in."""
        await self._delete(_ANSWERS_OF_CUSTOMER, customer_id=customer_id)


class SocialIdentityRepository(Repository):
    """The social identities of one tenant's customers."""

    async def find(self, provider: str, issuer: str, subject: str) -> SocialIdentity | None:
        """Return the identity with this subject at a provider."""
        return await self._find(_BY_SUBJECT, provider=provider, issuer=issuer, subject=subject)

    async def list(self, customer_id: str) -> Sequence[SocialIdentity]:
        """Return a customer's identities, the oldest first."""
        return await self._list(_IDENTITIES, customer_id=customer_id)

    async def list_of(self, customer_ids: Sequence[str]) -> Sequence[SocialIdentity]:
        """Return the identities of these customers, of each the oldest first."""
        return await self._list_of(_IDENTITIES, customer_ids)

    async def add_unless_taken(self, identity: SocialIdentity) -> bool:
        """Write a new identity; False if it is linked already, even at the same moment."""
        return await self._add_unless(identity, "tenant_id", "provider", "issuer", "subject")

    async def change(self, customer_id: str, identity_id: str, **values: Any) -> bool:
        """Set columns of a customer's identity; False when it is not linked any more."""
        return await self._change(_IDENTITY, {"customer_id": customer_id, "id": identity_id}, **values) == 1

    async def move(self, customer_id: str, to_customer_id: str, now: datetime) -> int:
        """Link all of a customer's identities to another customer, from this moment on; return how many they are."""
        given = {"customer_id": customer_id}
        return await self._change(_IDENTITIES, given, customer_id=to_customer_id, created_at=now)

    async def delete(self, customer_id: str, identity_id: str) -> None:
        """Remove one of a customer's identities."""
        await self._delete(_IDENTITY, customer_id=customer_id, id=identity_id)


class LinkTicketRepository(Repository):
    """The links of one tenant that wait for a confirmation."""

    async def add(self, ticket: LinkTicket) -> None:
        """Write a new ticket."""
        await self._add(ticket)

    async def find(self, ticket_hash: bytes, session_id: str) -> LinkTicket | None:
        """Return a ticket that this session got."""
        return await self._find(_TICKET_OF_SESSION, ticket_hash=ticket_hash, session_id=session_id)

    async def count_try(self, ticket_hash: bytes, session_id: str, most_tries: int, now: datetime) -> bool:
        """Count one more try; False if the ticket is used, has expired, has no tries left or is another session's."""
        given = {"ticket_hash": ticket_hash, "session_id": session_id, "most_tries": most_tries, "now": now}
        return await self._change(_TRIABLE_TICKET, given, counted="tries") == 1

    async def claim(self, ticket_hash: bytes, now: datetime) -> bool:
        """Use the ticket up; False if it was used or has expired, even at the same moment.

        The refresh token is the identity's from then on.
        """
        given = {"ticket_hash": ticket_hash, "now": now}
        return await self._change(_CLAIMABLE_TICKET, given, used_at=now, sealed_refresh_token=None) == 1

    async def list(self, customer_id: str) -> Sequence[LinkTicket]:
        """Return every ticket for a customer."""
        return await self._list(_TICKETS_OF_CUSTOMER, customer_id=customer_id)

    async def delete_all(self, customer_id: str) -> None:
        """Forget every ticket for a customer."""
        await self._delete(_TICKETS_OF_CUSTOMER, customer_id=customer_id)
