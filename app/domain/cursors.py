"""Cursors of connections: opaque to clients, a list of texts to us."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from app.domain.errors import AccessCode, AccessError
from app.domain.texts import is_well_formed


def encode_cursor(*parts: str) -> str:
    """Return the cursor of these texts, in the alphabet of base64url (RFC 4648 section 5)."""
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, count: int) -> tuple[str, ...]:
    """Return the texts of a cursor; raises `AccessError` BAD_REQUEST unless there are `count` of them."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (Error, ValueError, RecursionError):
        parts = None
    is_ours = isinstance(parts, list) and len(parts) == count
    if not is_ours or not all(isinstance(part, str) and is_well_formed(part) for part in parts):
        raise AccessError(AccessCode.BAD_REQUEST, "The cursor is not one of ours: send an `endCursor` back unchanged.")
    return tuple(parts)
