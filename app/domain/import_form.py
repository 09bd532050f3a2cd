"""The form of a file to import: says what it is if it does not have one JSON object on each line."""

from __future__ import annotations

import codecs
import json
from itertools import islice

WANTED = (
    'write one customer as a JSON object on each line, such as {"email": "ada@example.com"}, in UTF-8 without a byte '
    "order mark"
)

# How many lines are checked. If one is wrong, only that line is faulty; if all are wrong, the file is.
_LINES = 20
_PACKED = {
    b"\x1f\x8b": "is packed by gzip",
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet",
    b"BZh": "is packed by bzip2",
    b"\xfd7zXZ\x00": "is packed by xz",
    b"\x28\xb5\x2f\xfd": "is packed by zstd",
    b"SQLite format 3\x00": "is a SQLite database",
}
# The marks of UTF-32 begin with those of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "begins with a byte order mark",
    codecs.BOM_UTF32_LE: "is UTF-32",
    codecs.BOM_UTF16_LE: "is UTF-16",
    codecs.BOM_UTF16_BE: "is UTF-16",
    codecs.BOM_UTF32_BE: "is UTF-32",
}


def fault_of_form(head: bytes) -> str | None:
    """Return what is wrong with a file that begins so, as words to put after its name; None if nothing is."""
    for marks in (_PACKED, _MARKS):
        for mark, fault in marks.items():
            if head.startswith(mark):
                return fault
    # JSON in UTF-8 has no NUL; in UTF-16 every second byte of plain text is NUL.
    if b"\x00" in head[:200]:
        return "is UTF-16, or no text"
    lines = [line.strip() for line in head.split(b"\n") if line.strip()]
    if not lines:
        return "is empty"
    if lines[0].startswith(b"["):
        return "holds a JSON array"
    return _fault_of_lines(list(islice(lines, _LINES)))


def _fault_of_lines(lines: list[bytes]) -> str | None:
    if all(line.endswith(b",") for line in lines[:-1]) and all(_is_object(line.rstrip(b",")) for line in lines[:2]):
        return "has a comma after each line" if len(lines) > 1 else None
    if any(_is_object(line) for line in lines):
        return None
    if not any(line.startswith(b"{") for line in lines):
        return "holds no JSON, but something like CSV" if _is_table(lines) else "holds no JSON"
    if len(lines) > 1:
        return "has no whole JSON object on any of its first lines"
    return None


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_table(lines: list[bytes]) -> bool:
    return any(separator in lines[0] for separator in (b",", b";", b"\t", b"|"))
