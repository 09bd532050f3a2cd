"""From an input object to what the services take: a patch of the fields that were given."""

from __future__ import annotations

import dataclasses
from typing import Any

import strawberry

from app.domain.patches import Patch


def to_patch(value: Any, *leave_out: str) -> Patch:
    """Return the given fields of an input object by the names of the model, nested ones and lists as well."""
    return {
        field.name: _plain(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.name not in leave_out and getattr(value, field.name) is not strawberry.UNSET
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return to_patch(value)
    return value
