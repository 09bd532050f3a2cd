"""What all repositories share: the tenant in every statement, and one way to write statements.

A statement is a constant, made with `Rows` or `mine`; the verbs here add the tenant. Only a statement that cannot be a
constant, such as one with a list of values, is built for each call, with `_mine`. A row has the attributes of the type
that it was selected as. It is read-only, and is no object of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Delete, Insert, Update, and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import SQLCoreOperations

from app.domain.ports import Connection
from app.domain.rows import Reading, RowT
from app.models.base import TenantRow

Model = TypeVar("Model", bound=TenantRow)
Condition = ColumnElement[bool] | SQLCoreOperations[bool] | bool

# The columns to set depend on what a client has left out. So many combinations are kept; others are built again.
MOST_CHANGES = 500


def mine(model: type[TenantRow], *conditions: Condition) -> ColumnElement[bool]:
    """Return the WHERE of a constant statement: the tenant's rows, and conditions whose values are `bindparam`s."""
    return and_(model.__table__.c.tenant_id == bindparam("tenant_id"), *conditions)  # type: ignore[arg-type]


class Rows(Reading[Model]):
    """The tenant's rows of one table with a constant condition, to read, lock, change or delete.

    A condition has `bindparam`s as values, or is the name of a column that must equal the parameter with this name.
    """

    def __init__(self, model: type[Model], *conditions: Condition | str, order_by: Sequence[Any] = ()) -> None:
        table = model.__table__
        self.where = mine(
            model, *(table.c[each] == bindparam(each) if isinstance(each, str) else each for each in conditions)
        )
        self.order_by = tuple(order_by)
        super().__init__(model, select(table).where(self.where).order_by(*order_by))


@cache
def _locking(rows: Rows[Model]) -> Reading[Model]:
    return Reading(rows.row, select(rows.row.__table__).where(rows.where).with_for_update())


@lru_cache(MOST_CHANGES)
def changing(rows: Rows[Any], columns: tuple[str, ...], counted: str = "") -> Update:
    """Return the constant UPDATE that sets `columns` to the parameters `new_…` and adds one to the column `counted`.

    Several such columns have a space between them.
    """
    table = rows.row.__table__
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    values |= {name: table.c[name] + 1 for name in counted.split()}
    return update(table).where(rows.where).values(values)


@lru_cache(MOST_CHANGES)
def _changing_one(rows: Rows[Model], columns: tuple[str, ...], counted: str) -> Reading[Model]:
    return Reading(rows.row, changing(rows, columns, counted).returning(*rows.row.__table__.c))


def new_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of `changing` that these values are."""
    return {f"new_{name}": value for name, value in values.items()}


@cache
def deleting(rows: Rows[Any]) -> Delete:
    """Return the constant DELETE of these rows."""
    return delete(rows.row.__table__).where(rows.where)


@cache
def _adding(model: type[TenantRow]) -> Insert:
    return insert(model.__table__)


@cache
def _adding_unless(model: type[TenantRow], unique: tuple[str, ...]) -> Insert:
    # PostgreSQL's INSERT compiles to the same text as SQLite's.
    return postgresql.insert(model.__table__).on_conflict_do_nothing(index_elements=unique or None)


class Repository:
    """The statements about one noun, for one tenant."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    async def _list(self, reading: Reading[RowT], **parameters: Any) -> Sequence[RowT]:
        """Return all rows."""
        return await self._connection.read(reading, {"tenant_id": self._tenant_id, **parameters})

    async def _find(self, reading: Reading[RowT], **parameters: Any) -> RowT | None:
        """Return the first row, or None."""
        rows = await self._connection.read(reading, {"tenant_id": self._tenant_id, **parameters})
        return rows[0] if rows else None

    async def _list_of(self, rows: Rows[Model], customer_ids: Sequence[str]) -> Sequence[Model]:
        """Return the rows of these customers, those of each in the order of `rows`."""
        table = rows.row.__table__
        those = (
            select(table).where(self._mine(rows.row, table.c.customer_id.in_(customer_ids))).order_by(*rows.order_by)
        )
        return await self._connection.read_anew(Reading(rows.row, those))

    async def _lock(self, rows: Rows[Model], **parameters: Any) -> Model | None:
        """Return the first row, locked until the transaction ends, or None."""
        await self._connection.begin()
        return await self._find(_locking(rows), **parameters)

    async def _add(self, row: TenantRow) -> None:
        """Write a new row. If its key is taken, the next statement or the commit says so."""
        await self._connection.write_soon(_adding(type(row)), row.columns())

    async def _add_unless(self, row: TenantRow, *unique: str) -> bool:
        """Write the row; False if another row has the same `unique` columns, even if it is written at the same moment.

        With no columns named, any unique key counts.
        """
        return await self._connection.write(_adding_unless(type(row), unique), row.columns()) == 1

    async def _change(self, rows: Rows[Any], given: Mapping[str, Any], *, counted: str = "", **values: Any) -> int:
        """Set columns of the rows, with `given` as parameters, and add one to the column `counted`.

        Returns how many rows were changed.
        """
        statement = changing(rows, tuple(values), counted)
        return await self._connection.write(statement, self._parameters(given, values))

    async def _change_soon(
        self, rows: Rows[Any], given: Mapping[str, Any], *, counted: str = "", **values: Any
    ) -> None:
        """Change like `_change`, where it does not matter how many rows it were."""
        statement = changing(rows, tuple(values), counted)
        await self._connection.write_soon(statement, self._parameters(given, values))

    async def _change_one(
        self, rows: Rows[Model], given: Mapping[str, Any], *, counted: str = "", **values: Any
    ) -> Model | None:
        """Change a single row like `_change`, and return the changed row, or None."""
        reading = _changing_one(rows, tuple(values), counted)
        changed = await self._connection.read(reading, self._parameters(given, values))
        return changed[0] if changed else None

    def _parameters(self, given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        return {"tenant_id": self._tenant_id, **given, **new_values(values)}

    async def _delete(self, rows: Rows[Any], **parameters: Any) -> int:
        """Delete the rows, and return how many they were."""
        return await self._connection.write(deleting(rows), {"tenant_id": self._tenant_id, **parameters})

    async def _delete_soon(self, rows: Rows[Any], **parameters: Any) -> None:
        """Delete like `_delete`, where it does not matter how many rows it were."""
        await self._connection.write_soon(deleting(rows), {"tenant_id": self._tenant_id, **parameters})

    def _mine(self, model: type[TenantRow], *conditions: Condition) -> ColumnElement[bool]:
        """Return the WHERE of a statement that is built for this call: the tenant's rows with these conditions."""
        return and_(model.__table__.c.tenant_id == self._tenant_id, *conditions)  # type: ignore[arg-type]
