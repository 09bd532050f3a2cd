"""What all tables have in common: a tenant, and types for both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import JSON, Dialect, String, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel
from sqlmodel._compat import SQLModelConfig

# A UUIDv7 as text. An id in another form is not found.
ID_LENGTH = 36

ORIGIN_LENGTH = 16

# JSON on SQLite, JSONB on PostgreSQL.
JsonType = JSON().with_variant(JSONB(), "postgresql")


def searched_text(length: int | None = None) -> Any:
    """Return the type of a text that is searched by prefix: both databases compare it by code point.

    SQLite always does; PostgreSQL does with the collation "C". Without a length it may be as long as it wants.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class TenantRow(SQLModel):
    """A row of one tenant; `tenant_id` is part of every key."""

    __table__: ClassVar[Table]
    # A serializer and a validator are made where they are asked for, and nobody asks: rows have no use for them.
    model_config = SQLModelConfig(defer_build=True)

    tenant_id: str = Field(primary_key=True, max_length=64)

    def __init__(self, **values: Any) -> None:
        # SQLModel drops what is no column of a table. And it reports each attribute to SQLAlchemy, for the sessions of
        # an ORM: there are none here, and that takes several times as long as all else about a row.
        if unknown := sorted(values.keys() - type(self).model_fields.keys()):
            raise TypeError(f"{type(self).__name__} has no column {', '.join(unknown)}.")
        self.__pydantic_fields_set__.update(values)
        for name, field in type(self).model_fields.items():
            if name in values:
                self.__dict__[name] = values[name]
            elif not field.is_required():
                self.__dict__[name] = field.get_default(call_default_factory=True)

    def columns(self) -> dict[str, Any]:
        """Return what stands in each column."""
        return {name: self.__dict__[name] for name in type(self).model_fields if name in self.__dict__}


# As `JsonType`, with NULL where there is nothing.
JsonOrNull = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class EmptyIfNone(TypeDecorator[str]):
    """A text that is stored as an empty one where there is none: the version before reads no null there."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str:
        """Return what is stored."""
        return value or ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what was stored."""
        return value or None


def origin_field() -> Any:
    """Return the declaration of the column that says who wrote a row; null for the customer, or for nobody knows."""
    return Field(default=None, max_length=ORIGIN_LENGTH)


def json_field(default: Callable[[], Any]) -> Any:
    """Return the declaration of a JSON column that is never null."""
    return Field(default_factory=default, sa_type=JsonType, nullable=False)


class OfTenant:
    """Whose a row is, and nothing else of it."""

    tenant_id: str
