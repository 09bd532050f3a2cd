"""A file to import: how it is encoded and written, and the customers in it as records of our own fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from app.domain.import_form import WANTED, Form, fault_of_bytes, fault_of_text, form_of
from app.domain.moving.csv_records import Table
from app.domain.moving.drafts import Draft, Row, System, column_name
from app.domain.moving.encodings import BROKEN, find_encoding, shown_encoding
from app.domain.moving.json_records import read_json_document, read_json_lines
from app.domain.moving.own import is_own_column, map_records, read_map
from app.domain.moving.records import Record, UnreadableError
from app.domain.moving.systems import SYSTEMS

# How much of a file is read to find its form, and at once.
_PIECE = 1_000_000
_OWN_PATHS = ("item", "customers.item", "users.item", "")
_FORMS = {Form.CSV: "a table (CSV)", Form.JSON: "a JSON document", Form.JSONL: "JSON lines"}


@dataclass(slots=True)
class Source:
    """A file that can be read, and how. `columns` are theirs by our names, where a map or a header tells them.

    `unread` are the columns whose values go nowhere; of another system's table they are known at the end.
    """

    file: Path
    form: Form
    encoding: str
    system: System | None = None
    columns: Mapping[str, str] | None = None
    header: tuple[str, ...] = ()
    reading: BinaryIO | None = None
    _asked: set[str] = field(default_factory=set)

    @property
    def described(self) -> str:
        """How the file is read, in words."""
        whose = f" of {self.system.name}" if self.system is not None else ""
        return f"{_FORMS[self.form]}{whose} in {shown_encoding(self.encoding)}"

    @property
    def unread(self) -> list[str]:
        """The columns of the table that nothing was read from."""
        if self.columns is not None:
            used = set(self.columns.values())
            return [name for name in self.header if name and name not in used]
        return [name for name in self.header if name and column_name(name) not in self._asked]

    @property
    def place(self) -> int:
        """How many bytes were read by now."""
        return self.reading.tell() if self.reading is not None and not self.reading.closed else 0

    def records(self) -> Iterator[Record]:
        """Read the customers. Raises `ValueError` for a file without any, `OSError` where it cannot be read."""
        try:
            if self.columns is not None:
                yield from map_records(self._read, self.columns)
            elif self.system is not None:
                yield from self.system.drafts(self._read, self._asked)
            else:
                yield from self._read()
        except UnreadableError as error:
            raise _fault(self.file, str(error)) from error

    def _read(self) -> Iterator[Record]:
        with ExitStack() as opened:
            stream = opened.enter_context(_open(self.file, self.encoding))
            self.reading = stream.buffer
            if self.form is Form.CSV:
                yield from Table(stream).records()
            elif self.form is Form.JSONL:
                yield from read_json_lines(stream)
            else:
                yield from read_json_document(stream, self.system.paths if self.system else _OWN_PATHS)


def open_source(
    file: Path,
    *,
    system: str | None = None,
    map_file: Path | None = None,
    form: Form | None = None,
    encoding: str | None = None,
    strict: bool = False,
) -> Source:
    """Look at a file. Raises `ValueError`, in a line, for one that holds no customers; `OSError` if it is not there."""
    if file.exists() and not file.is_file():
        raise _fault(file, "is a folder" if file.is_dir() else "is no regular file")
    with file.open("rb") as raw:
        fault = fault_of_bytes(raw.read(_PIECE))
        raw.seek(0)
        if fault is not None:
            raise _fault(file, fault)
        found = find_encoding(iter(lambda: raw.read(_PIECE), b""), encoding)
    known = SYSTEMS[system] if system is not None else None
    with _open(file, found) as stream:
        head = stream.read(_PIECE)
    if (fault := fault_of_text(head)) is not None:
        raise _fault(file, fault)
    is_whole = len(head) < _PIECE
    source = Source(file, form or form_of(head, known.paths if known else _OWN_PATHS, is_whole=is_whole), found, known)
    if map_file is not None:
        source.columns = _read_map(map_file)
    if source.form is Form.CSV:
        _look_at_header(source, strict=strict)
    return source


def _open(file: Path, encoding: str) -> TextIO:
    return file.open("r", encoding=encoding, errors=BROKEN, newline="")


def _read_map(file: Path) -> Mapping[str, str]:
    try:
        return read_map(file.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"{file} {error}") from error


def _look_at_header(source: Source, *, strict: bool) -> None:
    """Find the columns of a table. Raises `ValueError` if the e-mail address or one of the map is missing or twice."""
    try:
        with _open(source.file, source.encoding) as stream:
            table = Table(stream)
    except UnreadableError as error:
        raise _fault(source.file, str(error)) from error
    source.header = tuple(table.header)
    if source.columns is not None:
        if missing := [name for name in source.columns.values() if name not in source.header]:
            raise ValueError(f"{source.file} has no column {_quoted(missing)}, which the map names")
        used = set(source.columns.values())
    elif source.system is not None:
        used = _columns_of(source, source.system)
    else:
        source.columns = {name: name for name in source.header if is_own_column(name)}
        used = set(source.columns)
        if "email" not in used:
            raise _fault(
                source.file,
                f"has no column email, but {_quoted(source.header[:10])}; say with --from or --map what they are",
            )
        if strict and source.unread:
            raise ValueError(f"{source.file} has columns that are no fields of a customer: {_quoted(source.unread)}")
    if twice := sorted(used & table.repeated):
        raise ValueError(f"{source.file} has more than one column {_quoted(twice)}")


def _columns_of(source: Source, system: System) -> set[str]:
    asked: set[str] = set()
    system.convert(Draft(system.name), Row({}, asked))
    found = {name for name in source.header if column_name(name) in asked} if system.is_table else set(source.header)
    if not any("mail" in name.casefold() for name in found):
        raise ValueError(
            f"{source.file} has no column of {system.name}'s with the e-mail address, but {_quoted(source.header[:10])}"
        )
    return found


def _quoted(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _fault(file: Path, fault: str) -> ValueError:
    return ValueError(f"{file} {fault}: {WANTED}")
