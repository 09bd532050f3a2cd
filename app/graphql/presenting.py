"""Presents rows as types of the schema: the only place where a row gets such a type.

Nothing is copied: a field without a resolver is an attribute of the row. The presenter checks once, when it is made at
the start of the program, that the row has all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, cast, get_args, get_type_hints

from strawberry.types.base import StrawberryContainer, get_object_definition

from app.domain.rows import RowT, attributes_of

Shown = TypeVar("Shown")


class Presenter(Generic[RowT, Shown]):
    """Presents rows of one type as one type of the schema. Raises `TypeError` if the row lacks an attribute."""

    def __init__(self, row: type[RowT], shown: type[Shown]) -> None:
        missing = sorted(_missing(row, shown))
        if missing:
            raise TypeError(
                f"{shown.__name__} shows {', '.join(missing)}: {row.__name__} has no such attribute, so give the field "
                "a resolver or the row a column."
            )

    def __call__(self, row: RowT) -> Shown:
        """Return the row as the type of the schema."""
        return cast("Shown", row)

    def or_none(self, row: RowT | None) -> Shown | None:
        """Return the row as the type of the schema, or None for none."""
        return cast("Shown | None", row)

    def each(self, rows: Sequence[RowT]) -> list[Shown]:
        """Return all rows as the type of the schema."""
        return cast("list[Shown]", rows if isinstance(rows, list) else list(rows))


def _missing(row: type[Any], shown: type[Any]) -> Iterator[str]:
    """Yield the fields without a resolver that are no attribute of the row, or of an object in it."""
    attributes = attributes_of(row)
    for field in get_object_definition(shown, strict=True).fields:
        if field.base_resolver is not None:
            continue
        if field.python_name not in attributes:
            yield field.python_name
            continue
        below = _inner(field.type)
        if get_object_definition(below) is not None:
            held = _held(get_type_hints(row)[field.python_name])
            yield from (f"{field.python_name}.{name}" for name in _missing(held, below))


def _inner(type_: Any) -> Any:
    """Return the type in a list or in what may be null."""
    return _inner(type_.of_type) if isinstance(type_, StrawberryContainer) else type_


def _held(hint: Any) -> Any:
    """Return the class in an annotation such as `X | None` or `list[X]`."""
    options = [each for each in get_args(hint) if each is not type(None)]
    return _held(options[0]) if options else hint
