"""Reads JSON strictly (RFC 8259 and I-JSON, RFC 7493), without anything that a database cannot store."""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_DEPTH = 64


class BadJsonError(ValueError):
    """The text is not JSON that we accept. The message says why, without any part of the text."""


def read_json(text: bytes) -> Any:
    """Return the value of a JSON text; raises `BadJsonError`.

    Refused beside broken syntax: any encoding but UTF-8, a byte order mark, NaN and Infinity, lone surrogates,
    duplicate keys, NUL characters and more than 64 levels. If the text is exactly what orjson would write, as from most
    clients, it has no duplicate keys; otherwise the standard library reads it again to find them.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadJsonError("The text is not valid JSON in UTF-8.") from None
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise BadJsonError(f"The JSON is nested more than {MAX_DEPTH} levels deep.")
    if b"\\u0000" in text and _holds_nul(value):
        raise BadJsonError("The JSON has a NUL character.")
    if orjson.dumps(value) != text:
        _check_keys_are_unique(text)
    return value


def _check_keys_are_unique(text: bytes) -> None:
    _DUPLICATE_FINDER.decode(text.decode())


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise BadJsonError("The JSON has an object with the same key twice.")


# Numbers stay text, because only the keys matter here, and long numbers are slow to read.
_DUPLICATE_FINDER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str, parse_float=str)


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return any(isinstance(value, dict | list) for value in level)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(child) for key, child in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))
