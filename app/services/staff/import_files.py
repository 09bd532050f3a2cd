"""Imports a file of customers: in batches, with a progress bar, and a report with the result of each customer."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Never

import orjson
from tqdm import tqdm

from app.domain.errors import FieldError
from app.domain.foreign_hashes import FirebaseParameters, HashSecrets
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.services.staff.import_sources import Source
from app.services.staff.imports import Import, LineOutcome, Options, Outcome

# Customers in one transaction: few enough that other writers need not wait long.
BATCH = 100


@dataclass(slots=True)
class Summary:
    """How many customers had which outcome, and what was wrong, by code and field.

    `stopped`: somebody has pressed Ctrl-C; the report is whole up to there.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    with_remarks: int = 0
    remarks: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: bool = False

    def add(self, outcome: LineOutcome) -> None:
        """Count one more."""
        self.outcomes[outcome.outcome] += 1
        self.with_remarks += outcome.outcome is Outcome.IMPORTED and bool(outcome.remarks)
        self.remarks.update(map(_kind, outcome.remarks))
        self.errors.update(map(_kind, outcome.errors))


def _kind(error: FieldError) -> tuple[str, str]:
    return error.code.value, ".".join(part for part in error.field[:3] if not part.isdigit()) or "the whole"


def report_path(file: Path) -> Path:
    """Return where the report on a file goes."""
    return file.with_name(f"{file.name}.report.jsonl")


def read_secrets(pepper: Path | None, firebase: Path | None) -> HashSecrets:
    """Return what the old system kept apart from its hashes: each the content of a file.

    Raises `ValueError`, in a line, for what is no such file; `OSError` where it cannot be read.
    """
    content = pepper.read_bytes().rstrip(b"\r\n") if pepper is not None else b""
    if pepper is not None and not content:
        raise ValueError(f"{pepper} is empty: write Devise's config.pepper into it")
    if firebase is None:
        return HashSecrets(content)
    try:
        return HashSecrets(content, FirebaseParameters.read(firebase.read_text(errors="replace")))
    except ValueError as error:
        raise ValueError(f"{firebase} {error}: copy the password hash parameters of the project into it") from error


async def import_file(tools: Tools, tenant: Tenant, source: Source, options: Options | None = None) -> Summary:
    """Import the customers of a file and return what came of it.

    What was imported stays, whatever happens later; run it again to go on where it ended. Raises `OSError` for a file
    that cannot be read, or a report that cannot be written, and `ValueError` for a file without customers.
    """
    summary, importing = Summary(), Import(tools, tenant, options or Options())
    with _ending() as stop, _report(source.file) as report, _bar(source.file) as bar:
        waiting = source.records()
        while not stop.is_set() and (records := list(islice(waiting, BATCH))):
            outcomes = await importing.take(records)
            for outcome in outcomes:
                summary.add(outcome)
            _write(report, outcomes)
            bar.update(max(0, source.place - bar.n))
            bar.set_postfix(customers=summary.outcomes.total(), refresh=False)
        summary.stopped = stop.is_set()
    return summary


@contextmanager
def _ending() -> Iterator[asyncio.Event]:
    """Have Ctrl-C end the import after the batch that is being written, so that its report is whole; again, at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, end)
    except (RuntimeError, ValueError, NotImplementedError):
        # Not the main thread: nobody presses anything there.
        yield stop
        return
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _report(file: Path) -> BinaryIO:
    """Open the report for whoever runs the import alone, whatever an earlier one allowed."""
    descriptor = os.open(report_path(file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")


def _bar(file: Path) -> tqdm[Never]:
    """Return the progress by bytes, on a terminal only."""
    return tqdm(total=file.stat().st_size, unit="B", unit_scale=True, file=sys.stderr, disable=None)


def _write(report: BinaryIO, outcomes: Iterable[LineOutcome]) -> None:
    report.writelines(map(_report_line, outcomes))
    report.flush()


def _report_line(outcome: LineOutcome) -> bytes:
    content = {
        "line": outcome.number,
        "outcome": outcome.outcome,
        "customerId": outcome.customer_id,
        "remarks": list(map(_shown, outcome.remarks)),
        "errors": list(map(_shown, outcome.errors)),
    }
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def _shown(error: FieldError) -> dict[str, object]:
    return {"code": error.code, "field": error.field, "message": error.message}
