"""Customers in JSON: one object on each line, or a document, which is read as it comes and never held as a whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, TextIO

import ijson  # type: ignore[import-untyped]
from pydantic_core import from_json

from app.domain.errors import UserErrorCode
from app.domain.moving.records import MAXIMUM_LENGTH, Record, UnreadableError, faulty, numbered_lines, too_long

# How much is read at once, and how much may come without one whole value in it.
_PIECE = 65_536
_MOST_WITHOUT_A_VALUE = 16_000_000
_BROKEN = re.compile("[\ud800-\udfff]")
_NO_OBJECT = "This is no JSON object."


def read_json_lines(stream: TextIO) -> Iterator[Record]:
    """Read one JSON object from each line that is not blank."""
    for line in numbered_lines(stream):
        if not line.text.strip():
            continue
        if not line.is_whole:
            yield too_long(line.number)
            continue
        try:
            content = from_json(_without_broken(line.text.strip().removesuffix(",")), allow_inf_nan=False)
        except (ValueError, RecursionError):
            yield faulty(line.number, UserErrorCode.INVALID, "This line is no JSON.")
            continue
        if isinstance(content, dict):
            yield Record(line.number, content)
        else:
            yield faulty(line.number, UserErrorCode.INVALID, _NO_OBJECT)


def read_json_document(stream: TextIO, paths: Collection[str]) -> Iterator[Record]:
    """Read the objects that a document has at these paths, such as `item` for an array and `users.item`.

    An empty path is the document itself, or each of several. Where it stops to be JSON, the last record says so.
    Raises `UnreadableError` if nothing is there at all.
    """
    reading = _Document(paths)
    number, silent = 1, 0
    while piece := stream.readline(_PIECE):
        line = number
        number += piece.endswith(("\n", "\r"))
        fault = reading.send(piece)
        yield from reading.take(line)
        if fault is not None:
            yield _no_json(reading.began or line, line, fault)
            return
        silent = 0 if reading.has_moved() else silent + len(piece)
        if silent > _MOST_WITHOUT_A_VALUE:
            yield _no_json(reading.began or line, line, "a text in it does not end")
            return
    fault = reading.close()
    if fault is not None:
        yield _no_json(reading.began or number, number, "it ends in the middle")
    elif not reading.has_found:
        wanted = " or ".join(path.removesuffix(".item") for path in paths if path not in {"item", ""}) or "an array"
        raise UnreadableError(f"has no customers where they should be: {wanted}")


def _without_broken(text: str) -> str:
    """Return the text with an escaped NUL for what was no text: that is refused where the value is used."""
    return _BROKEN.sub(r"\\u0000", text)


def _no_json(began: int, line: int, why: str) -> Record:
    message = f"From line {line} on the file is no JSON: {why}. Nothing after that was read."
    return faulty(began, UserErrorCode.INVALID, message)


class _Document:
    """The reading of a document: pieces go in, objects come out."""

    def __init__(self, paths: Collection[str]) -> None:
        self._paths = frozenset(paths)
        self._holders = {path.removesuffix(".item") for path in paths if path.endswith("item")} - {"item"}
        self._holders |= {""} if "item" in paths else set()
        self._events: Any = ijson.sendable_list()
        self._parser = ijson.parse_coro(self._events, multiple_values=True, use_float=True)
        self._builder: Any = None
        self._path = ""
        self._size = 0
        self._moved = False
        self._top: str | None = None
        self.began: int | None = None
        self.has_found = False

    def send(self, piece: str) -> str | None:
        """Take a piece; returns what is wrong with it, without a word of the piece."""
        try:
            self._parser.send(_without_broken(piece).encode())
        except (ijson.JSONError, StopIteration, RecursionError) as error:
            return _reason(error)
        return None

    def close(self) -> str | None:
        """End; returns what is missing."""
        try:
            self._parser.close()
        except (ijson.JSONError, StopIteration) as error:
            return _reason(error)
        return None

    def has_moved(self) -> bool:
        """Tell whether anything was read since the last call."""
        moved, self._moved = self._moved, False
        return moved

    def take(self, line: int) -> Iterator[Record]:
        """Yield the records that have ended by now."""
        for path, event, value in self._events:
            self._moved = True
            if self._builder is None:
                yield from self._begin(line, path, event, value)
                continue
            self._size += len(value) if isinstance(value, str) else 4
            if self._size <= MAXIMUM_LENGTH:
                self._builder.event(event, value)
            if event == "end_map" and path == self._path:
                yield self._end()
        del self._events[:]

    def _begin(self, line: int, path: str, event: str, value: Any) -> Iterator[Record]:
        if event == "start_array" and path in self._holders:
            self.has_found = True
        if path not in self._paths:
            return
        if path == "" and event == "start_map":
            # Whether it is a customer or holds customers, its first name tells.
            self.began = line
        elif path == "" and event == "map_key":
            if self.began is not None and value not in self._holders:
                self._build(path, self.began)
                self._builder.event(event, value)
            else:
                self.began = None
        elif event == "start_map":
            self._build(path, line)
        elif path != "" and event not in {"map_key", "end_map", "end_array"}:
            yield faulty(line, UserErrorCode.INVALID, _NO_OBJECT)

    def _build(self, path: str, line: int) -> None:
        self.began, self._path, self._size, self.has_found = line, path, 0, True
        self._builder = ijson.ObjectBuilder()
        self._builder.event("start_map", None)

    def _end(self) -> Record:
        line, built, is_long = self.began or 1, self._builder, self._size > MAXIMUM_LENGTH
        self._builder = self.began = None
        return too_long(line) if is_long else Record(line, built.value)


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0].strip().rstrip(".") if lines and lines[0].strip() else "it ends in the middle"
