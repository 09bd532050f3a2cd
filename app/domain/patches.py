"""A merge patch of named fields (RFC 7396): a field left out stays, null clears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What the caller has given, by the names of the model. A field that was left out is not a key.
Patch = Mapping[str, Any]


def input_name(name: str) -> str:
    """Return the name of a field in `input`: `firstName` for `first_name`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
