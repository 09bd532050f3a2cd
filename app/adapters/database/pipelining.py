"""Statements that go to PostgreSQL together with the next one, and share its round trip.

Of the extended query protocol: the server answers what is not followed by a Sync message together with the next
statement that is, and after a fault it passes over all until then. asyncpg waits for each statement, and has no way to
send several; but of the answers before that of its own statement it looks at nothing but errors, which it raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from struct import Struct
from typing import Any

_LENGTH = Struct("!i")
_COUNT = Struct("!h")
_NONE = _LENGTH.pack(-1)
_EVERY_ROW = b"\0" + _LENGTH.pack(0)
# Of text, as all parameters are sent.
_NO_FORMATS = _COUNT.pack(0)


def is_plain(value: Any) -> bool:
    """Tell whether a parameter can be sent so."""
    if isinstance(value, datetime):
        return value.tzinfo is not None
    return value is None or isinstance(value, str | bytes | int | date)


def run(name: str, arguments: Sequence[Any]) -> bytes:
    """Return the messages that run a prepared statement without rows, with parameters that are all plain."""
    values = b"".join(map(_value, arguments))
    bound = b"\0" + name.encode() + b"\0" + _NO_FORMATS + _COUNT.pack(len(arguments)) + values + _NO_FORMATS
    return _message(b"B", bound) + _message(b"E", _EVERY_ROW)


def _message(kind: bytes, content: bytes) -> bytes:
    return kind + _LENGTH.pack(len(content) + 4) + content


def _value(value: Any) -> bytes:
    """Return a parameter as the server's own input functions read it, whatever the settings of the connection."""
    if value is None:
        return _NONE
    text = _text(value).encode()
    return _LENGTH.pack(len(text)) + text


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case bytes():
            return "\\x" + value.hex()
        case date():
            return value.isoformat()
    return str(value)


# An unnamed statement, and its messages: they are the same for all transactions.
BEGIN = _message(b"P", b"\0BEGIN\0" + _COUNT.pack(0)) + run("", ())
