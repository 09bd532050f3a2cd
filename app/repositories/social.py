"""Social logins under way, social identities, and links that wait for a confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col

from app.models.social import LinkTicket, SocialIdentity, SocialState
from app.repositories.base import Repository


class SocialStateRepository(Repository):
    """The social logins under way of one tenant."""

    async def list_open(self, session_id: str, now: datetime) -> Sequence[SocialState]:
        """Return what a session has begun and not finished, the oldest first."""
        return await self._list(
            SocialState,
            col(SocialState.session_id) == session_id,
            col(SocialState.used_at).is_(None),
            col(SocialState.expires_at) > now,
            order_by=(col(SocialState.created_at), col(SocialState.state_hash)),
        )

    async def add(self, state: SocialState) -> None:
        """Write a new one."""
        await self._add(state)

    async def delete(self, state_hash: bytes) -> None:
        """Forget one."""
        await self._delete(SocialState, col(SocialState.state_hash) == state_hash)

    async def delete_all(self, customer_id: str) -> None:
        """Forget everything that the customer has begun when logged in."""
        await self._delete(SocialState, col(SocialState.customer_id) == customer_id)

    async def find(self, state_hash: bytes, session_id: str) -> SocialState | None:
        """Return what this session began."""
        return await self._find(
            SocialState, col(SocialState.state_hash) == state_hash, col(SocialState.session_id) == session_id
        )

    async def claim(self, state_hash: bytes, session_id: str, now: datetime) -> bool:
        """Use it up; False when it was used, has expired or is another session's, however close in time."""
        claimed = await self._update(
            SocialState,
            col(SocialState.state_hash) == state_hash,
            col(SocialState.session_id) == session_id,
            col(SocialState.used_at).is_(None),
            col(SocialState.expires_at) > now,
            used_at=now,
        )
        return claimed == 1


class SocialIdentityRepository(Repository):
    """The social identities of one tenant's customers."""

    async def find(self, provider: str, issuer: str, subject: str) -> SocialIdentity | None:
        """Return the identity of whom a provider knows by this subject."""
        return await self._find(
            SocialIdentity,
            col(SocialIdentity.provider) == provider,
            col(SocialIdentity.issuer) == issuer,
            col(SocialIdentity.subject) == subject,
        )

    async def list(self, customer_id: str) -> Sequence[SocialIdentity]:
        """Return a customer's identities, the oldest first."""
        return await self._list(
            SocialIdentity, col(SocialIdentity.customer_id) == customer_id, order_by=(col(SocialIdentity.id),)
        )

    async def add_unless_taken(self, identity: SocialIdentity) -> bool:
        """Write a new identity; False when it is linked already, however close in time."""
        return await self._add_unless(identity, "tenant_id", "provider", "issuer", "subject")

    async def change(self, customer_id: str, identity_id: str, **values: Any) -> bool:
        """Set columns of a customer's identity; False when it is not linked any more."""
        changed = await self._update(
            SocialIdentity,
            col(SocialIdentity.customer_id) == customer_id,
            col(SocialIdentity.id) == identity_id,
            **values,
        )
        return changed == 1

    async def delete(self, customer_id: str, identity_id: str) -> None:
        """Remove one of a customer's identities."""
        await self._delete(
            SocialIdentity, col(SocialIdentity.customer_id) == customer_id, col(SocialIdentity.id) == identity_id
        )


class LinkTicketRepository(Repository):
    """The links of one tenant that wait for a confirmation."""

    async def add(self, ticket: LinkTicket) -> None:
        """Write a new ticket."""
        await self._add(ticket)

    async def find(self, ticket_hash: bytes, session_id: str) -> LinkTicket | None:
        """Return a ticket that this session got."""
        return await self._find(
            LinkTicket, col(LinkTicket.ticket_hash) == ticket_hash, col(LinkTicket.session_id) == session_id
        )

    async def count_try(self, ticket_hash: bytes, session_id: str, most_tries: int, now: datetime) -> bool:
        """Count one more try; False when the ticket is used, has expired, had its tries or is another session's."""
        counted = await self._update(
            LinkTicket,
            col(LinkTicket.ticket_hash) == ticket_hash,
            col(LinkTicket.session_id) == session_id,
            col(LinkTicket.tries) < most_tries,
            col(LinkTicket.used_at).is_(None),
            col(LinkTicket.expires_at) > now,
            tries=col(LinkTicket.tries) + 1,
        )
        return counted == 1

    async def claim(self, ticket_hash: bytes, now: datetime) -> bool:
        """Use the ticket up; False when it was used or has expired, however close in time."""
        claimed = await self._update(
            LinkTicket,
            col(LinkTicket.ticket_hash) == ticket_hash,
            col(LinkTicket.used_at).is_(None),
            col(LinkTicket.expires_at) > now,
            used_at=now,
        )
        return claimed == 1

    async def delete_all(self, customer_id: str) -> None:
        """Forget every ticket for a customer."""
        await self._delete(LinkTicket, col(LinkTicket.customer_id) == customer_id)
