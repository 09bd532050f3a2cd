"""A join of a tenant's rows as a function on the tenant's node, which reads there one table after the other.

Citus plans a join anew for each call, where the gateway connects and on the node. A call of a function is handed on to
the node as it is, and there the statement of one table is planned once.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast

import asyncpg
from sqlalchemy import Connection, FromClause, Join, Select, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.elements import Label

from app.domain.rows import Reading

_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]
# A name stands for a column where the statement reads that table, and else for the row that was read before.
_BODY = """#variable_conflict use_column
DECLARE
{rows}
BEGIN
{steps}
RETURN QUERY SELECT {columns};
END"""
# All its statements see the same moment, as a join does: that of the call.
_FUNCTION = "CREATE OR REPLACE FUNCTION {}({}) RETURNS TABLE ({}) LANGUAGE plpgsql STABLE ROWS 1 AS $${}$$"
_STEP = "SELECT * INTO {0} FROM {1}{0} WHERE {2};"
_DISTRIBUTE = "SELECT create_distributed_function('{}', '${}', colocate_with => '{}')"
_CALL = "SELECT * FROM {}({})"
_IS_DISTRIBUTED = """SELECT EXISTS (SELECT FROM pg_dist_object d JOIN pg_proc p ON p.oid = d.objid
    WHERE d.classid = 'pg_proc'::regclass AND d.distribution_argument_index IS NOT NULL
    AND p.pronamespace = current_schema()::regnamespace AND p.proname = '{}')"""


class NodeFunction:
    """Does what a SELECT does that finds one row of a tenant by a key, and joins one row of each further table to it.

    Its name has a hash of what it does: a release that reads other columns has another function, and leaves the one of
    the release that still serves.
    """

    def __init__(self, reading: Reading[Any]) -> None:
        self._statement = cast("Select[Any]", reading.statement)
        (source,) = self._statement.get_final_froms()
        self._steps = list(_steps(source))
        compiled: Any = self._statement.compile(dialect=_DIALECT)
        self.replaces = str(compiled)
        self._types = [_type(compiled.binds[name]).partition("(")[0] for name in compiled.positiontup]
        self._place_of_tenant = compiled.positiontup.index("tenant_id") + 1
        digest = sha256(self._definition("").encode()).hexdigest()
        self.name = f"find_{reading.row.__name__.lower()}_{digest[:12]}"
        arguments = (f"${place}::{type_}" for place, type_ in enumerate(self._types, start=1))
        self.call = _CALL.format(self.name, ", ".join(arguments))

    async def is_distributed(self, driver: asyncpg.Connection) -> bool:
        """Tell whether Citus hands its calls on."""
        return bool(await driver.fetchval(_IS_DISTRIBUTED.format(self.name)))

    def distribute(self, connection: Connection) -> None:
        """Make it, unless it is there."""
        if connection.exec_driver_sql(_IS_DISTRIBUTED.format(self.name)).scalar():
            return
        # A node looks where its own settings say, not where the gateway's connection says.
        schema = connection.exec_driver_sql("SELECT quote_ident(current_schema()) || '.'").scalar_one()
        connection.exec_driver_sql(self._definition(schema, self.name))
        signature = f"{schema}{self.name}({', '.join(self._types)})".replace("'", "''")
        beside = self._steps[0][0].name
        connection.exec_driver_sql(_DISTRIBUTE.format(signature, self._place_of_tenant, beside))

    def _definition(self, schema: str, name: str = "") -> str:
        columns = list(self._statement.selected_columns)
        rows, steps = [], []
        for table, condition, may_lack in self._steps:
            found_by = _text(self._statement.whereclause if condition is None else condition)
            rows.append(f"{table.name} {schema}{table.name}%ROWTYPE;")
            steps.append(_STEP.format(table.name, schema, found_by))
            if not may_lack:
                steps.append("IF NOT FOUND THEN RETURN; END IF;")
        body = _BODY.format(rows="\n".join(rows), steps="\n".join(steps), columns=", ".join(map(_value, columns)))
        answer = ", ".join(f"c{place} {_type(column)}" for place, column in enumerate(columns))
        return _FUNCTION.format(schema + name, ", ".join(self._types), answer, body)


def _steps(source: FromClause) -> Iterator[tuple[Table, ClauseElement | None, bool]]:
    """Return each table in the order of the join, what its row is found by, and whether there may be none."""
    if isinstance(source, Join):
        yield from _steps(source.left)
        yield cast("Table", source.right), source.onclause, source.isouter
    else:
        yield cast("Table", source), None, False


def _text(clause: Any) -> str:
    return str(clause.compile(dialect=_DIALECT))


def _value(column: Any) -> str:
    return _text(column.element if isinstance(column, Label) else column)


def _type(element: Any) -> str:
    return str(element.type.compile(dialect=_DIALECT)).partition(" COLLATE")[0]
