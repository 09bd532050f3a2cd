"""A row of any table, made from its model, so that whoever adds a table has a row of it in the tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from sqlalchemy import Table

from app.models import METADATA, TABLES
from app.models.base import TenantRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
MODELS: Mapping[Table, type[TenantRow]] = {model.__table__: model for model in TABLES}


def row_of(model: type[TenantRow], tenant: str, word: str = "a", /, **values: Any) -> TenantRow:
    """Return a row in which every text is the word: it fits anywhere, and rows of different tables belong together.

    What has no value yet when a row is young (`revoked_at`, `used_at`) has none; everything ends later than `NOW`.
    """
    made = {name: _value(name, field, word) for name, field in model.model_fields.items()}
    return model(**{**made, "tenant_id": tenant, **values})


def _value(name: str, field: FieldInfo, word: str) -> Any:
    is_nullable = get_origin(field.annotation) in (Union, UnionType)
    kinds = get_args(field.annotation) if is_nullable else (field.annotation,)
    if str in kinds:
        return word
    if bytes in kinds:
        return word.encode()
    if not field.is_required():
        return field.get_default(call_default_factory=True)
    if datetime in kinds:
        return LATER if name == "expires_at" else NOW
    return 1


def models_by_reference() -> list[type[TenantRow]]:
    """Return all models, each after those that it refers to."""
    return [MODELS[table] for table in METADATA.sorted_tables]
