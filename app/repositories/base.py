"""What all repositories share: one tenant, put into every statement, and rows read as their model.

A row has the attributes of the model that it was selected from; it is handed on as that model, read-only and without
the cost of building an object for each. Statements that many requests run are constants, made with `mine`;
`_fetch` and `_change` give them the tenant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Insert, Select, Update, and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import SQLCoreOperations

from app.domain.ports import Connection
from app.models.base import TenantRow

Model = TypeVar("Model", bound=TenantRow)
Condition = ColumnElement[bool] | SQLCoreOperations[bool] | bool


def mine(model: type[TenantRow], *conditions: Condition) -> ColumnElement[bool]:
    """Return the WHERE of a constant statement: the tenant's rows, and conditions whose values are `bindparam`s."""
    return and_(model.__table__.c.tenant_id == bindparam("tenant_id"), *conditions)  # type: ignore[arg-type]


def select_mine(model: type[TenantRow], *conditions: Condition, order_by: Sequence[Any] = ()) -> Select[Any]:
    """Return the constant SELECT of the tenant's rows that meet the conditions."""
    return select(model.__table__).where(mine(model, *conditions)).order_by(*order_by)


@cache
def _insert(model: type[TenantRow]) -> Insert:
    return insert(model.__table__)


@cache
def constant_update(
    model: type[TenantRow], where: ColumnElement[bool], columns: tuple[str, ...], counted: str = ""
) -> Update:
    """Return the constant UPDATE that sets `columns` to the parameters `new_…` and adds one to the column `counted`."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    if counted:
        values[counted] = model.__table__.c[counted] + 1
    return update(model.__table__).where(where).values(values)


def new_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a `constant_update` that these values are."""
    return {f"new_{name}": value for name, value in values.items()}


@cache
def _returning(statement: Update) -> Update:
    return statement.returning(*statement.table.c)


class Repository:
    """Statements about one noun, bound to one tenant."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def _mine(self, model: type[TenantRow], *conditions: Condition) -> ColumnElement[bool]:
        return and_(model.__table__.c.tenant_id == self._tenant_id, *conditions)  # type: ignore[arg-type]

    async def _fetch(self, statement: Select[Any], **parameters: Any) -> Sequence[Any]:
        """Return all rows of a constant statement."""
        return await self._connection.fetch_prepared(statement, {"tenant_id": self._tenant_id, **parameters})

    async def _fetch_one(self, statement: Select[Any], **parameters: Any) -> Any:
        """Return the first row of a constant statement, or None."""
        rows = await self._fetch(statement, **parameters)
        return rows[0] if rows else None

    async def _change(
        self, model: type[TenantRow], where: ColumnElement[bool], given: Mapping[str, Any], **values: Any
    ) -> int:
        """Set columns of the rows that meet a constant condition, made with `mine`; return how many they are."""
        statement = constant_update(model, where, tuple(values))
        return await self._connection.execute_prepared(statement, self._changing(given, values))

    async def _change_one(
        self,
        model: type[TenantRow],
        where: ColumnElement[bool],
        given: Mapping[str, Any],
        *,
        counted: str = "",
        **values: Any,
    ) -> Any:
        """Do as `_change` does to a single row, add one to its column `counted`, and return it changed, or None."""
        statement = _returning(constant_update(model, where, tuple(values), counted))
        rows = await self._connection.execute_prepared_returning(statement, self._changing(given, values))
        return rows[0] if rows else None

    def _changing(self, given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        return {"tenant_id": self._tenant_id, **given, **new_values(values)}

    async def _list(self, model: type[Model], *conditions: Condition, order_by: Sequence[Any] = ()) -> Sequence[Model]:
        statement = select(model.__table__).where(self._mine(model, *conditions)).order_by(*order_by)
        return cast("Sequence[Model]", await self._connection.fetch(statement))

    async def _find(self, model: type[Model], *conditions: Condition) -> Model | None:
        rows = await self._list(model, *conditions)
        return rows[0] if rows else None

    async def _lock(self, statement: Select[Any], **parameters: Any) -> Any:
        """Return the first row of a constant SELECT … FOR UPDATE, and keep it from changing elsewhere, or None."""
        await self._connection.begin()
        return await self._fetch_one(statement, **parameters)

    async def _add(self, row: TenantRow) -> None:
        await self._connection.execute_prepared(_insert(type(row)), row.model_dump())

    async def _add_unless(self, row: TenantRow, *unique: str) -> bool:
        """Write the row; False when another one has the same `unique` columns, however close in time.

        With no columns named, any unique key counts.
        """
        # PostgreSQL's INSERT compiles to the very words that SQLite understands as well.
        statement = postgresql.insert(type(row).__table__).values(**row.model_dump())
        return await self._connection.execute(statement.on_conflict_do_nothing(index_elements=unique or None)) == 1

    async def _update(self, model: type[TenantRow], *conditions: Condition, **values: Any) -> int:
        statement = update(model.__table__).where(self._mine(model, *conditions)).values(**values)
        return await self._connection.execute(statement)

    async def _delete(self, model: type[TenantRow], *conditions: Condition) -> int:
        return await self._connection.execute(delete(model.__table__).where(self._mine(model, *conditions)))
