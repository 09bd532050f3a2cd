"""Input objects: the patch of what was given, which services take, and fields that several inputs describe alike."""

from __future__ import annotations

import dataclasses
from typing import Any

import strawberry
from strawberry.types.base import get_object_definition

from app.domain.patches import Patch

# The numbers are those of a shop that has not set its own.
HOW_TO_CHOOSE = (
    "The new password, exactly as typed. 8 to 256 characters, unless `storefront { passwordRules }` says otherwise."
)


def to_patch(value: Any, *leave_out: str) -> Patch:
    """Return the given fields of an input object by the names of the model, nested ones and lists as well."""
    return {
        field.name: _plain(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.name not in leave_out and getattr(value, field.name) is not strawberry.UNSET
    }


def patch_field(creating: type[Any], name: str) -> Any:
    """Return the field of a merge patch: it may be left out, and has the description of the input that creates."""
    (created,) = [field for field in get_object_definition(creating, strict=True).fields if field.python_name == name]
    return strawberry.field(default=strawberry.UNSET, description=created.description)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return to_patch(value)
    return value
