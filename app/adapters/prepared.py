"""A constant statement compiled once: its SQL, the order of its parameters, and how to read a row of its answer.

SQLAlchemy finds the compiled form of a statement anew each time, and builds a result around every answer. For a statement
that every request runs, that costs ten times what the database does.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Dialect, Select


class Prepared:
    """One constant SELECT for one dialect."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        columns = list(statement.selected_columns)
        self.sql = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        # A tuple with the columns as attributes, like the rows of SQLAlchemy.
        self._row: Any = namedtuple("PreparedRow", [str(column.key) for column in columns])  # type: ignore[misc]  # noqa: PYI024
        self._processors = [
            (index, processor)
            for index, column in enumerate(columns)
            if (processor := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    def arguments(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the parameters in the order in which the SQL wants them."""
        return tuple(parameters[name] for name in self._order)

    def read(self, answer: Iterable[Iterable[Any]]) -> list[Any]:
        """Return the rows with the types that the statement's columns have."""
        return [self._read_row(list(values)) for values in answer]

    def _read_row(self, values: list[Any]) -> Any:
        for index, processor in self._processors:
            values[index] = processor(values[index])
        return self._row._make(values)
