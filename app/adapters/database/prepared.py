"""A constant statement, compiled once: its SQL, the order of its arguments, and how to read its rows.

SQLAlchemy looks up the compiled statement each time and builds a result object for each answer. For a statement that
every request runs, that costs ten times as much as the database itself.
"""

from __future__ import annotations

from collections import defaultdict, namedtuple
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Dialect
from sqlalchemy.exc import IntegrityError

from app.domain.rows import Statement

# How many statements are kept. The program has a few hundred; updates of the columns that a client names can be many
# more.
MOST = 1000

Convert = Callable[[Any], Any]


class Prepared:
    """One constant statement for one dialect."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        self.writes = statement.is_dml
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
        self._arguments = [(name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds]
        self._constants = {name: bind.value for name, bind in binds if not bind.required}
        self._parameters = {name for name, bind in binds if bind.required}
        self._row = _row_type(list(statement.exported_columns), dialect)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the SQL. Raises `TypeError` unless they are exactly those that it needs."""
        if parameters.keys() != self._parameters:
            raise ValueError(f"The statement takes {sorted(self._parameters)}, not {sorted(parameters)}.")
        values = {**self._constants, **parameters} if self._constants else parameters
        return [convert(values[name]) if convert else values[name] for name, convert in self._arguments]

    def read(self, answer: Iterable[Iterable[Any]]) -> list[Any]:
        """Return the rows, whose attributes have the types of the statement's columns."""
        return [self._row(values) for values in answer]


class PreparedStatements:
    """The statements of one dialect: each is compiled at its first use, and kept until too many newer ones come."""

    # The statements are constants of the program, so all databases of a dialect can share them.
    _every: ClassVar[defaultdict[str, dict[Statement, Prepared]]] = defaultdict(dict)

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._ready = self._every[dialect.name]

    def get(self, statement: Statement) -> Prepared:
        """Return the statement, ready to be run."""
        prepared = self._ready.get(statement)
        if prepared is None:
            if len(self._ready) >= MOST:
                del self._ready[next(iter(self._ready))]
            prepared = self._ready[statement] = Prepared(statement, self._dialect)
        return prepared


def broken(prepared: Prepared, error: Exception) -> IntegrityError:
    """Return the driver's error as SQLAlchemy's error for it, without any value."""
    return IntegrityError(prepared.sql, None, error, hide_parameters=True)


def _row_type(columns: list[ColumnElement[Any]], dialect: Dialect) -> Any:
    """Return the class of a row: a tuple of the driver's values, each converted when its attribute is read."""
    values: Any = namedtuple("values", [str(column.key) for column in columns])  # type: ignore[misc]  # noqa: PYI024
    converted = {
        str(column.key): _converted(index, convert)
        for index, column in enumerate(columns)
        if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    }
    row = type("PreparedRow", (values,), {"__slots__": (), **converted})
    return row._make  # type: ignore[attr-defined]


def _converted(index: int, convert: Convert) -> property:
    return property(lambda row: convert(row[index]))
