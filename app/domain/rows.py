"""A statement and the type of its rows, checked against each other."""

from __future__ import annotations

from inspect import get_annotations
from typing import Any, Generic, TypeVar

from sqlalchemy import CompoundSelect, Delete, Insert, Select, TextualSelect, Update

Values = tuple[Any, ...]
Writing = Insert | Update | Delete
Statement = Select[*Values] | CompoundSelect[*Values] | TextualSelect | Writing
RowT = TypeVar("RowT")


class Reading(Generic[RowT]):
    """A statement that returns rows: a SELECT, or what writes and has a RETURNING clause.

    `row` says what each row has: the columns of a model, or the attributes of a plain class. A row has nothing else, so
    none of the methods of its type. Raises `TypeError` if the statement lacks a column for one of them.
    """

    def __init__(self, row: type[RowT], statement: Statement) -> None:
        missing = attributes_of(row) - set(statement.exported_columns.keys())
        if missing:
            raise TypeError(f"The statement returns no {', '.join(sorted(missing))}, which {row.__name__} has.")
        self.row = row
        self.statement = statement


def attributes_of(row: Any) -> frozenset[str]:
    """Return the names of the attributes of such a row: the fields of a model, or else all annotated names."""
    fields = getattr(row, "model_fields", None)
    if fields is not None:
        return frozenset(fields)
    return frozenset(name for each in row.__mro__ for name in get_annotations(each))
