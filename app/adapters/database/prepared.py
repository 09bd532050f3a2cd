"""A constant statement, compiled once: its SQL, the order of its arguments, and how to read its rows.

SQLAlchemy looks up the compiled statement each time and builds a result object for each answer. For a statement that
every request runs, that costs ten times as much as the database itself.
"""

from __future__ import annotations

from collections import defaultdict, namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from sqlalchemy import BindParameter, ColumnElement, Dialect, Executable
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import ClauseElement

from app.domain.rows import Statement

# How many statements are kept. The program has a few hundred; updates of the columns that a client names can be many
# more.
MOST = 1000

Convert = Callable[[Any], Any]


class Prepared:
    """One statement for one dialect: a constant, or with `anew` one that may have lists of values."""

    def __init__(self, statement: Statement | Executable, dialect: Dialect, *, anew: bool = False) -> None:
        self.writes = statement.is_dml
        compiled: Any = cast("ClauseElement", statement).compile(
            dialect=dialect, compile_kwargs={"render_postcompile": anew}
        )
        self.sql = str(compiled)
        binds = [(name, _bind(compiled, name)) for name in compiled.positiontup or ()]
        self._arguments = [(name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds]
        self._constants = (
            compiled.construct_params() if anew else {name: bind.value for name, bind in binds if not bind.required}
        )
        self._parameters = set() if anew else {name for name, bind in binds if bind.required}
        self._columns = list(getattr(statement, "exported_columns", ()))
        self._dialect = dialect
        self._row = None if anew else _row_type(self._columns, dialect)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the SQL. Raises `TypeError` unless they are exactly those that it needs."""
        if parameters.keys() != self._parameters:
            raise ValueError(f"The statement takes {sorted(self._parameters)}, not {sorted(parameters)}.")
        values = {**self._constants, **parameters} if self._constants else parameters
        return [convert(values[name]) if convert else values[name] for name, convert in self._arguments]

    def read(self, answer: Sequence[Any]) -> list[Any]:
        """Return the rows, whose attributes have the types of the statement's columns."""
        row = self._row or self._row_of(answer)
        return [row(values) for values in answer]

    def _row_of(self, answer: Sequence[Any]) -> Any:
        """Return the class of the rows of a statement that was built for one call; a text may name no columns."""
        if self._columns or not answer:
            return _row_type(self._columns, self._dialect)
        values: Any = namedtuple("values", list(answer[0].keys()), rename=True)  # type: ignore[misc]  # noqa: PYI024
        return values._make


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

    def make(self, statement: Statement | Executable) -> Prepared:
        """Return a statement that was built for one call; it is not kept."""
        return Prepared(statement, self._dialect, anew=True)


def _bind(compiled: Any, name: str) -> BindParameter[Any]:
    """Return the parameter of this name; of a list of values each has the list's name, and a number."""
    while name not in compiled.binds:
        name = name.rpartition("_")[0]
    return cast("BindParameter[Any]", compiled.binds[name])


def broken(prepared: Prepared, error: Exception) -> IntegrityError:
    """Return the driver's error as SQLAlchemy's error for it, without any value."""
    return IntegrityError(prepared.sql, None, error, hide_parameters=True)


def _row_type(columns: list[ColumnElement[Any]], dialect: Dialect) -> Any:
    """Return the class of a row: a tuple of the driver's values, each converted when its attribute is read."""
    values: Any = namedtuple("values", [str(column.key) for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024
    converted = {
        str(column.key): _converted(index, convert)
        for index, column in enumerate(columns)
        if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    }
    row = type("PreparedRow", (values,), {"__slots__": (), **converted})
    return row._make  # type: ignore[attr-defined]


def _converted(index: int, convert: Convert) -> property:
    return property(lambda row: convert(row[index]))
