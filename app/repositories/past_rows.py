"""Rows of all tenants that are past their time, for the worker to delete."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Delete, bindparam, delete, select

from app.domain.ports import Connection
from app.domain.rows import Reading, Statement
from app.models.base import OfTenant, TenantRow

Key = tuple[Any, ...]

# Keys in one statement. Neither database takes more than 32,766 parameters.
_KEYS_AT_ONCE = 500
# Up to so many rows of a tenant are deleted one by one: a constant statement costs less than one that is built for its
# list of keys, and with thousands of shops each has a few rows in every batch.
_FEW = 4


class PastRows:
    """Finds rows by a time in them, such as their end; that column should be the first of an index.

    What is past is read over all tenants, and without locks, which a database on several servers cannot take for all of
    them. It is deleted tenant by tenant.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_tenant(self, model: type[TenantRow], after: str) -> str | None:
        """Return the first tenant behind `after` that has a row, or None: one after the other, by an index."""
        rows = await self._connection.read(Reading(OfTenant, _next_tenant(model)), {"after": after})
        return rows[0].tenant_id if rows else None

    async def list(
        self, model: type[TenantRow], moment: str, before: datetime, limit: int, tenant_id: str | None = None
    ) -> dict[str, list[Key]]:
        """Return the keys of up to `limit` rows with an earlier time, the oldest first, by their tenant.

        With a tenant, only of that one; then an index should begin with the tenant and the time.
        """
        table = model.__table__
        past = select(table.c.tenant_id, *_key(model)).where(table.c[moment] < before)
        if tenant_id is not None:
            past = past.where(table.c.tenant_id == tenant_id)
        found: defaultdict[str, list[Key]] = defaultdict(list)
        statement = past.order_by(table.c[moment]).limit(limit)
        for row in await self._connection.read_anew(Reading(OfTenant, statement)):
            found[row.tenant_id].append(tuple(getattr(row, column.name) for column in _key(model)))
        return found

    async def claim(self, model: type[TenantRow], tenant_id: str, key: Key) -> bool:
        """Lock the first row of a batch; False if it is gone, or if another worker is at the same batch."""
        await self._connection.begin()
        given = {"tenant_id": tenant_id, **_parameters(model, key)}
        return bool(await self._connection.read(Reading(OfTenant, _claiming(model)), given))

    async def delete(
        self, model: type[TenantRow], moment: str, before: datetime, tenant_id: str, keys: Sequence[Key]
    ) -> int:
        """Delete those of these rows of a tenant that still have an earlier time, and return how many went."""
        if len(keys) > _FEW and len(_key(model)) == 1:
            some = [keys[start : start + _KEYS_AT_ONCE] for start in range(0, len(keys), _KEYS_AT_ONCE)]
            return sum(
                [await self._connection.write_anew(_deleting(model, moment, before, tenant_id, each)) for each in some]
            )
        removed = 0
        for key in keys:
            given = {"tenant_id": tenant_id, "before": before, **_parameters(model, key)}
            removed += await self._connection.write(_deleting_one(model, moment), given)
        return removed


def _key(model: type[TenantRow]) -> list[Column[Any]]:
    """Return what identifies a row of a tenant."""
    return [column for column in model.__table__.primary_key if column.name != "tenant_id"]


def _parameters(model: type[TenantRow], key: Key) -> dict[str, Any]:
    return {f"key_{column.name}": value for column, value in zip(_key(model), key, strict=True)}


@cache
def _next_tenant(model: type[TenantRow]) -> Statement:
    tenant_id = model.__table__.c.tenant_id
    return select(tenant_id).where(tenant_id > bindparam("after")).order_by(tenant_id).limit(1)


@cache
def _claiming(model: type[TenantRow]) -> Statement:
    table = model.__table__
    this = [column == bindparam(f"key_{column.name}") for column in _key(model)]
    locked = select(table.c.tenant_id).where(table.c.tenant_id == bindparam("tenant_id"), *this)
    return locked.with_for_update(skip_locked=True)


def _deleting(model: type[TenantRow], moment: str, before: datetime, tenant_id: str, keys: Sequence[Key]) -> Delete:
    table = model.__table__
    (key,) = _key(model)
    mine = table.c.tenant_id == tenant_id
    # In the order of their keys, so that two workers who have the same rows wait for each other in the same order.
    return delete(table).where(mine, key.in_(sorted(value for (value,) in keys)), table.c[moment] < before)


@cache
def _deleting_one(model: type[TenantRow], moment: str) -> Delete:
    table = model.__table__
    this = [column == bindparam(f"key_{column.name}") for column in _key(model)]
    return delete(table).where(
        table.c.tenant_id == bindparam("tenant_id"), *this, table.c[moment] < bindparam("before")
    )
