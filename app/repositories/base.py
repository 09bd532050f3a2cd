"""What all repositories share: one tenant, put into every statement, and rows read as their model.

A row has the attributes of the model that it was selected from; it is handed on as that model, read-only and without
the cost of building an object for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Select, and_, delete, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import SQLCoreOperations

from app.domain.ports import Connection
from app.models.base import TenantRow

Model = TypeVar("Model", bound=TenantRow)
Condition = ColumnElement[bool] | SQLCoreOperations[bool] | bool


class Repository:
    """Statements about one noun, bound to one tenant."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def _mine(self, model: type[TenantRow], *conditions: Condition) -> ColumnElement[bool]:
        return and_(model.__table__.c.tenant_id == self._tenant_id, *conditions)  # type: ignore[arg-type]

    async def _list(self, model: type[Model], *conditions: Condition, order_by: Sequence[Any] = ()) -> Sequence[Model]:
        statement = select(model.__table__).where(self._mine(model, *conditions)).order_by(*order_by)
        return cast("Sequence[Model]", await self._connection.fetch(statement))

    async def _find(self, model: type[Model], *conditions: Condition) -> Model | None:
        rows = await self._list(model, *conditions)
        return rows[0] if rows else None

    async def _lock(self, statement: Select[Any]) -> Any:
        """Return the first row and keep others from changing it until the transaction ends, or None."""
        await self._connection.begin()
        rows = await self._connection.fetch(statement.with_for_update())
        return rows[0] if rows else None

    async def _add(self, row: TenantRow) -> None:
        await self._connection.execute(insert(type(row).__table__).values(**row.model_dump()))

    async def _add_unless(self, row: TenantRow, *unique: str) -> bool:
        """Write the row; False when another one has the same `unique` columns, however close in time."""
        # PostgreSQL's INSERT compiles to the very words that SQLite understands as well.
        statement = postgresql.insert(type(row).__table__).values(**row.model_dump())
        return await self._connection.execute(statement.on_conflict_do_nothing(index_elements=unique)) == 1

    async def _update(self, model: type[TenantRow], *conditions: Condition, **values: Any) -> int:
        statement = update(model.__table__).where(self._mine(model, *conditions)).values(**values)
        return await self._connection.execute(statement)

    async def _delete(self, model: type[TenantRow], *conditions: Condition) -> int:
        return await self._connection.execute(delete(model.__table__).where(self._mine(model, *conditions)))
