"""Tells of a statement whether it names its tenant: then it goes to one server, where the tenants are spread over many.

Each table of it, in each of its parts, must have its `tenant_id` equal to a parameter, or to that of a table that has.
The equality must hold for every row: it is joined by AND to all else. The ON of an outer join holds for the rows of the
side that may be missing, and for no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    CompoundSelect,
    Delete,
    Executable,
    Insert,
    Join,
    Select,
    Subquery,
    TextClause,
    TextualSelect,
    Update,
)
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BooleanClauseList, ClauseElement, ColumnClause, Grouping
from sqlalchemy.sql.selectable import CTE, AliasedReturnsRows, FromClause, SelectBase, SelectStatementGrouping

from app.models import TABLES

TENANT = "tenant_id"
_NAMES = re.compile(rf"\b(?:{'|'.join(str(model.__tablename__) for model in TABLES)})\b")
_READS = re.compile(r"\b(?:from|join)\b", re.IGNORECASE)

# The tables that a part of a statement sees, each with the number that it has here.
_Scope = Mapping[Any, int]


def faults_of(statement: Executable) -> list[str]:
    """Return what keeps the statement from going to one server: a line for each table that is of any tenant."""
    return _Check().run(statement)


class _Check:
    """One look at one statement."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._tables: list[str] = []
        # Of each table, or parameter, the tables that have its tenant.
        self._follow: dict[Any, set[int]] = {}
        self._tenants: set[tuple[str, Any]] = set()
        self._seen: set[int] = set()

    def run(self, statement: Any) -> list[str]:
        self._statement(statement, {})
        named: set[int] = set()
        found: list[Any] = list(self._tenants)
        while found:
            following = self._follow.get(found.pop(), set()) - named
            named |= following
            found += following
        self._faults += [
            f"{name} is read or written whatever its tenant"
            for number, name in enumerate(self._tables)
            if number not in named
        ]
        if len(self._tenants) > 1:
            self._faults.append("several tenants are named")
        return self._faults

    def _statement(self, statement: Any, outer: _Scope, *, is_from: bool = False) -> None:
        for cte in getattr(statement, "_independent_ctes", ()):
            self._source(cte, outer)
        match statement:
            case SelectStatementGrouping():
                self._statement(statement.element, outer, is_from=is_from)
            case CompoundSelect():
                for each in statement.selects:
                    self._statement(each, outer, is_from=is_from)
            case Select():
                self._select(statement, {} if is_from else outer)
            case Insert():
                self._insert(statement)
            case Update() | Delete():
                self._change(statement)
            case TextualSelect():
                self._text(str(statement.element))
            case TextClause():
                self._text(statement.text)
            case _:
                self._faults.append(f"nobody can tell of a {type(statement).__name__}")

    def _text(self, sql: str) -> None:
        self._faults += [f"{name} is in a text that nobody reads" for name in sorted(set(_NAMES.findall(sql)))]

    def _select(self, select: Select[Any], outer: _Scope) -> None:
        scope = dict(outer)
        # What holds in a sub-select says nothing of the rows around it.
        around = frozenset(outer.values())
        for each in _own_froms(select, outer):
            self._from(each, scope, around)
        self._conditions(select.whereclause, scope, around)
        for part in (
            *select._raw_columns,
            *select._order_by_clauses,
            *select._group_by_clauses,
            *select._having_criteria,
        ):
            self._nested(part, scope)

    def _from(self, source: Any, scope: dict[Any, int], around: frozenset[int]) -> None:
        """Give numbers to the tables of a FROM, and note what its joins make equal."""
        if not isinstance(source, Join):
            self._source(source, scope)
            return
        self._from(_plain(source.left), scope, around)
        before = frozenset(scope.values())
        self._from(_plain(source.right), scope, around)
        if source.full:
            self._nested(source.onclause, scope)
            return
        self._conditions(source.onclause, scope, before if source.isouter else around)

    def _source(self, source: Any, scope: Any) -> None:
        """Give a number to a table or an alias of one; look into what is selected from."""
        if isinstance(source, Subquery | CTE):
            if id(source.element) not in self._seen:
                self._seen.add(id(source.element))
                self._statement(source.element, {}, is_from=True)
            return
        if isinstance(source, AliasedReturnsRows) and isinstance(source.element, SelectBase):
            self._statement(source.element, scope)
            return
        if TENANT in source.c:
            self._number(source, scope)

    def _number(self, table: Any, scope: dict[Any, int]) -> None:
        scope[table] = len(self._tables)
        self._tables.append(str(getattr(table, "name", table)))

    def _insert(self, insert: Insert) -> None:
        conflict = insert._post_values_clause
        target = getattr(conflict, "inferred_target_elements", None)
        if target is not None and TENANT not in {getattr(each, "name", each) for each in target}:
            self._faults.append("what it may conflict with is unique whatever the tenant")
        if insert.select is not None:
            self._statement(insert.select, {})
            return
        # With no values it takes those of all columns, each time anew.
        rows = [dict(insert._values or {})] if insert._values else []
        rows += [row for rows_at_once in insert._multi_values for row in rows_at_once]  # type: ignore[misc]
        for row in rows:
            values = {getattr(column, "name", column): value for column, value in row.items()}
            if TENANT not in values:
                self._faults.append(f"{insert.table.name} gets a row of no tenant")
            else:
                self._tenants.add(_identity(values[TENANT]))

    def _change(self, change: Update | Delete) -> None:
        scope: dict[Any, int] = {}
        table = _plain(change.table)
        if TENANT in table.c:
            self._number(table, scope)
        values = dict(getattr(change, "_values", None) or {})
        if TENANT in {getattr(column, "name", column) for column in values}:
            self._faults.append("the tenant of a row is changed")
        for others in _tables_in(change.whereclause):
            if others not in scope:
                self._source(others, scope)
        self._conditions(change.whereclause, scope)
        for value in values.values():
            self._nested(value, scope)

    def _conditions(self, clause: Any, scope: _Scope, fixed: frozenset[int] = frozenset()) -> None:
        """Note what the conditions make equal; nothing follows from that for the `fixed` tables."""
        for each in _conjuncts(clause):
            if isinstance(each, BinaryExpression) and each.operator is operators.eq:
                self._equal(self._term(each.left, scope), self._term(each.right, scope), fixed)
        self._nested(clause, scope)

    def _equal(self, one: Any, other: Any, fixed: frozenset[int]) -> None:
        if one is None or other is None or not {type(one), type(other)} & {int}:
            return
        for leader, follower in ((one, other), (other, one)):
            if isinstance(leader, tuple):
                self._tenants.add(leader)
            if isinstance(follower, int) and follower not in fixed:
                self._follow.setdefault(leader, set()).add(follower)

    def _term(self, side: Any, scope: _Scope) -> Any:
        """Return the number of a table whose tenant this is, what a parameter is known by, or None."""
        while isinstance(side, Grouping):
            side = side.element
        if isinstance(side, BindParameter) and not side.expanding:
            return _identity(side)
        if isinstance(side, ColumnClause) and side.name == TENANT and side.table is not None:
            return scope.get(_plain(side.table))
        return None

    def _nested(self, element: Any, scope: _Scope) -> None:
        for select in _selects_in(element):
            if isinstance(select, TextClause):
                self._text(select.text) if _READS.search(select.text) else None
            else:
                self._statement(select, scope)


def _identity(value: Any) -> tuple[str, Any]:
    """Return what tells one tenant from another: a parameter's name, or its value if it has one already."""
    if isinstance(value, BindParameter):
        return ("parameter", value.key) if value.required else ("value", value.value)
    return "value", value


def _plain(element: Any) -> Any:
    """Return the table itself, without what the ORM notes about it."""
    return element._deannotate() if hasattr(element, "_deannotate") and element._annotations else element


def _own_froms(select: Select[Any], outer: _Scope) -> list[Any]:
    """Return what the SELECT itself reads from, as SQLAlchemy decides when it writes the SQL."""
    froms = [_plain(each) for each in select.get_final_froms()]
    correlated = {_plain(each) for each in select._correlate}
    own = [each for each in froms if each not in correlated]
    return [each for each in own if each not in outer] if len(own) > 1 and select._auto_correlate else own


def _conjuncts(clause: Any) -> Iterator[Any]:
    while isinstance(clause, Grouping):
        clause = clause.element
    if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for each in clause.clauses:
            yield from _conjuncts(each)
    elif clause is not None:
        yield clause


def _selects_in(element: Any) -> Iterator[Any]:
    """Return the sub-selects, and the texts, of an expression; not those within them."""
    if isinstance(element, SelectBase | TextClause):
        yield element
    elif isinstance(element, ClauseElement) and not isinstance(element, FromClause):
        for child in element.get_children():
            yield from _selects_in(child)


def _tables_in(element: Any) -> Iterator[Any]:
    """Return the tables of the columns of an expression; not those within its sub-selects."""
    if isinstance(element, ColumnClause):
        if element.table is not None:
            yield _plain(element.table)
    elif isinstance(element, ClauseElement) and not isinstance(element, FromClause | SelectBase):
        for child in element.get_children():
            yield from _tables_in(child)
