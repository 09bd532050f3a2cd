"""Reads the hops of the header `Forwarded` (RFC 7239), strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

UNREADABLE = ""

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = re.compile(rf'\s*({_NAME})=(?:({_NAME})|"((?:[^"\\]|\\.)*)")\s*')


def forwarded_hops(values: Sequence[str]) -> Iterator[str]:
    """Yield what each proxy says the request came from, the last proxy's first; `UNREADABLE` where it does not say.

    A header that is not well-formed is unreadable as a whole: nobody can know which part of it our proxy has written.
    """
    for value in reversed(values):
        elements = _elements(value)
        if elements is None:
            yield UNREADABLE
            return
        yield from (element.get("for", UNREADABLE) for element in reversed(elements))


def _elements(value: str) -> list[dict[str, str]] | None:
    """Return the elements of one header, each with its parameters; None where the header is not well-formed."""
    elements: list[dict[str, str]] = []
    element: dict[str, str] = {}
    position = 0
    while position < len(value):
        match = _PAIR.match(value, position)
        if match is not None:
            name = match[1].lower()
            if name in element:
                return None
            element[name] = match[2] if match[2] is not None else re.sub(r"\\(.)", r"\1", match[3])
            position = match.end()
        elif value[position] in " \t":
            position += 1
            continue
        if position == len(value):
            break
        if value[position] not in ",;":
            return None
        if value[position] == "," and element:
            elements.append(element)
            element = {}
        position += 1
    return [*elements, element] if element else elements
