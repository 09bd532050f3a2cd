"""A record: what a file says about one customer, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from app.domain.errors import FieldError, UserErrorCode

# The longest line of JSON, and the longest row of a table.
MAXIMUM_LENGTH = 200_000


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """A customer as the file has it; without content, `faults` say why it could not be read.

    `line` is where it begins, the first line being 1. `remarks` are about what was left out already.
    """

    line: int
    content: dict[str, Any] | None
    faults: tuple[FieldError, ...] = ()
    remarks: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A line of text with its end; of one that is too long, only the beginning."""

    number: int
    text: str
    is_whole: bool


class UnreadableError(ValueError):
    """The file as a whole cannot be read; the message follows its name."""


def numbered_lines(stream: TextIO, most: int = MAXIMUM_LENGTH) -> Iterator[Line]:
    """Read the lines; of one with more than `most` characters the rest is skipped, so that it takes no memory."""
    number = 0
    while text := stream.readline(most + 1):
        number += 1
        is_whole = len(text) <= most or text.endswith(("\n", "\r"))
        rest = text
        while not rest.endswith(("\n", "\r")):
            rest = stream.readline(most)
            if not rest:
                break
            is_whole = is_whole and not rest.strip()
        yield Line(number, text, is_whole)


def faulty(line: int, code: UserErrorCode, message: str) -> Record:
    """Return the record of what cannot be read."""
    return Record(line, None, (FieldError(code, (), message),))


def too_long(line: int) -> Record:
    """Return the record of what is too long."""
    return faulty(line, UserErrorCode.TOO_LONG, f"A customer may have at most {MAXIMUM_LENGTH} characters.")
