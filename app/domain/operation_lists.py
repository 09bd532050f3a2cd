"""The operations that a tenant's storefronts may run: a list with the SHA-256 of each text."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

_MANIFEST = "apollo-persisted-query-manifest"


def hash_operation(text: str) -> str:
    """Return the hash that clients and lists use for an operation: the SHA-256 of its text, in hexadecimal."""
    return sha256(text.encode()).hexdigest()


def read_operations(content: Any) -> dict[str, str]:
    """Return the texts by their hash, of Apollo's manifest or of a plain object `{hash: text}`.

    Raises `ValueError` for anything else, and for a hash that is not its text's.
    """
    operations = dict(_entries(content))
    if not operations:
        raise ValueError("it lists no operation")
    for known_as, text in operations.items():
        if not isinstance(text, str) or known_as != hash_operation(text):
            raise ValueError(f"'{known_as}' must be the SHA-256 of its operation's text, in hexadecimal")
    return operations


def _entries(content: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, dict):
        raise ValueError(f"write the manifest of {_MANIFEST}, or an object {{hash: text}}")
    if "format" not in content:
        yield from content.items()
        return
    operations = content.get("operations")
    if (content["format"], content.get("version")) != (_MANIFEST, 1) or not isinstance(operations, list):
        raise ValueError(f"the manifest must be of the format {_MANIFEST}, version 1, with its operations")
    for each in operations:
        if not isinstance(each, dict) or not isinstance(each.get("id"), str):
            raise ValueError("each operation of the manifest must have its id and its body")
        yield each["id"], each.get("body")
