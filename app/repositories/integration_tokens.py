"""The tokens of integrations, and the assertions that they have used."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col

from app.models.integration_tokens import IntegrationToken, UsedAssertion
from app.repositories.base import Repository, Rows

_BY_JTI = Rows(IntegrationToken, "jti")
_UNREVOKED = Rows(IntegrationToken, "jti", col(IntegrationToken.revoked_at).is_(None))


class IntegrationTokenRepository(Repository):
    """The integration tokens of one tenant."""

    async def add(self, token: IntegrationToken) -> None:
        """Write a new token."""
        await self._add(token)

    async def find(self, jti: str) -> IntegrationToken | None:
        """Return a token by the `jti` of its JWT."""
        return await self._find(_BY_JTI, jti=jti)

    async def revoke(self, jti: str, now: datetime) -> bool:
        """End a token; False if there is none, or it has ended already."""
        return await self._change(_UNREVOKED, {"jti": jti}, revoked_at=now) == 1


class UsedAssertionRepository(Repository):
    """The assertions that the clients of one tenant have used."""

    async def add_unless_used(self, assertion: UsedAssertion) -> bool:
        """Record that an assertion was used; False if it was used before, even at the same moment."""
        return await self._add_unless(assertion, "client_id", "jti_hash", "tenant_id")
