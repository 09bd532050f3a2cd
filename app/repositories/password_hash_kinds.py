"""Which kinds of password hashes of other systems a tenant's customers have, or had."""

from __future__ import annotations

from app.models.password_hash_kinds import PasswordHashKind
from app.repositories.base import Repository, Rows

_ALL = Rows(PasswordHashKind)


class PasswordHashKindRepository(Repository):
    """The kinds of hashes of one tenant."""

    async def list(self) -> list[str]:
        """Return the kinds, each written as a hash that is nobody's."""
        return [row.kind for row in await self._list(_ALL)]

    async def add_unless_known(self, kind: str) -> bool:
        """Note that there are hashes of this kind; False when that is known."""
        return await self._add_unless(PasswordHashKind(tenant_id=self._tenant_id, kind=kind))
