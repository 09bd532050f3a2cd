"""What is looked up by a secret before anybody knows whose it is: in the tenants that it hints at, or else in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

from sqlalchemy import Select, bindparam

from app.domain.ports import Connection
from app.domain.rows import Reading, RowT, Values
from app.models.base import TenantRow


class Lookup(Generic[RowT]):
    """A constant SELECT by a secret in `model`, with the tenant in it wherever that is known."""

    def __init__(self, row: type[RowT], model: type[TenantRow], statement: Select[*Values]) -> None:
        mine = statement.where(model.__table__.c.tenant_id == bindparam("tenant_id"))
        self.in_tenant = Reading(row, mine)
        self.in_all = Reading(row, statement)

    async def list(self, connection: Connection, tenant_ids: Sequence[str], **parameters: Any) -> Sequence[RowT]:
        """Return the rows of the first of these tenants that has any; with no tenants, those of all."""
        if not tenant_ids:
            return await self._list_in_all(connection, parameters)
        for tenant_id in tenant_ids:
            rows = await connection.read(self.in_tenant, {"tenant_id": tenant_id, **parameters})
            if rows:
                return rows
        return ()

    async def find(self, connection: Connection, tenant_ids: Sequence[str], **parameters: Any) -> RowT | None:
        """Return the first row of `list`, or None."""
        rows = await self.list(connection, tenant_ids, **parameters)
        return rows[0] if rows else None

    async def _list_in_all(self, connection: Connection, parameters: dict[str, Any]) -> Sequence[RowT]:
        """Look in all tenants, as a token needs that was issued before tokens had hints."""
        return await connection.read(self.in_all, parameters)
