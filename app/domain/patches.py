"""A merge patch of named fields (RFC 7396): a field left out stays, null clears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What the caller gave, by the names of the model; a field that was left out is not a key.
Patch = Mapping[str, Any]


def input_name(name: str) -> str:
    """Return a field's name as it stands in `input`: `first_name` is `firstName`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
