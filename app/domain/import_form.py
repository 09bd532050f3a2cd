"""The form of a file to import: a table, a JSON document, or JSON lines; or what it is instead."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection
from enum import StrEnum, unique
from io import StringIO

from app.domain.moving.json_records import read_json_document

WANTED = (
    "give a table (CSV) with a header, a JSON array, or a JSON object on each line, such as "
    '{"email": "ada@example.com"}'
)

# How many lines are looked at. If one is wrong, only that line is faulty.
_LINES = 20
_PACKED = {
    b"\x1f\x8b": "is packed by gzip",
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet of an old kind",
    b"BZh": "is packed by bzip2",
    b"\xfd7zXZ\x00": "is packed by xz",
    b"\x28\xb5\x2f\xfd": "is packed by zstd",
    b"SQLite format 3\x00": "is a SQLite database",
    b"%PDF": "is a PDF",
}
# More than this share of control characters makes no text.
_MOST_CONTROLS = 0.05


@unique
class Form(StrEnum):
    """How customers are written in a file."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


def fault_of_bytes(head: bytes) -> str | None:
    """Return what a file that begins so is, if that is no text, as words to put after its name."""
    return next((fault for mark, fault in _PACKED.items() if head.startswith(mark)), None)


def fault_of_text(head: str) -> str | None:
    """Return what is wrong with a text that begins so, whatever its form; None if nothing is."""
    if not head.strip("\ufeff \t\r\n"):
        return "is empty"
    if sum(character < " " and character not in "\t\r\n\f" for character in head) > len(head) * _MOST_CONTROLS:
        return "is no text"
    return None


def form_of(head: str, paths: Collection[str], *, is_whole: bool) -> Form:
    """Return the form of a text that begins so. `paths` are where a document may have its customers."""
    begin = head.lstrip("\ufeff \t\r\n")
    if begin.startswith("["):
        return Form.JSON
    lines = [line.strip() for line in begin.splitlines()[: _LINES + 1] if line.strip()]
    if not is_whole and len(lines) > 1:
        # The last line may go on beyond the head.
        lines = lines[:_LINES]
    objects = [found for line in lines if (found := _object(line.rstrip(","))) is not None]
    if begin.startswith("{"):
        holders = {path.split(".")[0] for path in paths} - {"", "item"}
        if lines and (first := _object(lines[0])) is not None:
            return Form.JSON if len(lines) == 1 and holders & first.keys() else Form.JSONL
        return Form.JSONL if objects and not _begins_document(begin, paths, is_whole=is_whole) else Form.JSON
    return Form.JSONL if len(objects) > len(lines) / 2 or (objects and len(lines) <= 2) else Form.CSV


def _object(line: str) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _begins_document(head: str, paths: Collection[str], *, is_whole: bool) -> bool:
    """Tell whether a document of JSON may begin so."""
    try:
        last = deque(read_json_document(StringIO(head), [*paths, ""]), maxlen=1)
    except ValueError:
        return True
    if not last or not last[0].faults:
        return True
    return not is_whole and "it ends in the middle" in last[0].faults[0].message
