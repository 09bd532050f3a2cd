"""Writes an export of customers to a file or to the standard output, as JSON lines or as a table."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import orjson

from app.domain.import_form import Form
from app.domain.moving.csv_records import escape_cell
from app.domain.moving.own import flatten, in_order
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.services.staff.exports import export_customers

# Customers that are written in one go; then Ctrl-C may end it, which SQLite, that never waits, gives no chance to.
_AT_ONCE = 500


async def export_file(tools: Tools, tenant: Tenant, file: Path | None, form: Form, *, with_hashes: bool) -> int:
    """Write all customers and return how many they are; the file is there when it is whole, for its owner alone.

    Raises `OSError` where it cannot be written.
    """
    with _written(file) as output:
        if form is not Form.CSV:
            count = await _write_lines(tools, tenant, output, with_hashes=with_hashes)
            await _let_stop()
            return count
        # How many addresses there are at most is known at the end.
        with tempfile.TemporaryFile(dir=file.parent if file is not None else None) as spool:
            count = await _write_lines(tools, tenant, spool, with_hashes=with_hashes)
            await _write_table(spool, output)
            await _let_stop()
            return count


async def _write_lines(tools: Tools, tenant: Tenant, output: BinaryIO, *, with_hashes: bool) -> int:
    count = 0
    async for customer in export_customers(tools, tenant, with_hashes=with_hashes):
        output.write(orjson.dumps(customer, option=orjson.OPT_APPEND_NEWLINE))
        count += 1
        if count % _AT_ONCE == 0:
            await _let_stop()
    return count


async def _let_stop() -> None:
    await asyncio.sleep(0)


async def _write_table(spool: BinaryIO, output: BinaryIO) -> None:
    """Write the spooled lines as a table, whose columns are those that any of them has."""
    columns = {"email"}
    async for cells in _cells(spool):
        columns |= cells.keys()
    header = in_order(columns)
    text = TextIOWrapper(output, encoding="utf-8", newline="", write_through=True)
    table = csv.writer(text)
    table.writerow(header)
    async for cells in _cells(spool):
        table.writerow([escape_cell(cells.get(name, "")) for name in header])
    text.flush()
    text.detach()


async def _cells(spool: BinaryIO) -> AsyncIterator[dict[str, str]]:
    spool.seek(0)
    for number, line in enumerate(spool):
        if number % _AT_ONCE == 0:
            await _let_stop()
        yield flatten(orjson.loads(line))


@contextmanager
def _written(file: Path | None) -> Iterator[BinaryIO]:
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if file.is_dir():
        raise IsADirectoryError(21, os.strerror(21), str(file))
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as output:
            yield output
        Path(name).replace(file)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
