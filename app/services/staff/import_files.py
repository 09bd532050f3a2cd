"""Imports a file of customers: in batches, with a progress bar, and a report with the result of each line."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Never

import orjson
from tqdm import tqdm

from app.domain.foreign_hashes import NO_SECRETS, FirebaseParameters, HashSecrets
from app.domain.import_form import WANTED, fault_of_form
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.services.staff.imports import Line, LineOutcome, Outcome, import_customers

# How much of a file is read to find its form.
_HEAD_BYTES = 1_000_000

# Customers in one transaction: few enough that other writers need not wait long.
BATCH = 100


def report_path(file: Path) -> Path:
    """Return where the report on a file goes."""
    return file.with_name(f"{file.name}.report.jsonl")


def check_file(file: Path) -> None:
    """Raise `ValueError`, in a line, for a file that holds no lines of customers; `OSError` where it cannot be read."""
    if file.exists() and not file.is_file():
        what = "a folder" if file.is_dir() else "no regular file"
        raise ValueError(f"{file} is {what}: {WANTED}")
    with file.open("rb") as source:
        fault = fault_of_form(source.read(_HEAD_BYTES))
    if fault is not None:
        raise ValueError(f"{file} {fault}: {WANTED}")


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


async def import_file(tools: Tools, tenant: Tenant, file: Path, secrets: HashSecrets = NO_SECRETS) -> Counter[Outcome]:
    """Import the customers of a file (one JSON object on each line) and return how many lines had which outcome.

    What was imported stays, whatever happens later; run it again to go on where it ended. Raises `OSError` for a file
    that cannot be read, or a report that cannot be written.
    """
    outcomes: Counter[Outcome] = Counter()
    with file.open("rb") as source, report_path(file).open("wb") as report, _bar(file) as bar:
        waiting = _lines(source)
        while lines := list(islice(waiting, BATCH)):
            for outcome in await import_customers(tools, tenant, lines, secrets):
                outcomes[outcome.outcome] += 1
                report.write(_report_line(outcome))
            report.flush()
            bar.update(len(lines))
    return outcomes


def _bar(file: Path) -> tqdm[Never]:
    with file.open("rb") as source:
        total = sum(1 for _ in _lines(source))
    return tqdm(total=total, unit="customers", file=sys.stderr)


def _lines(source: IO[bytes]) -> Iterator[Line]:
    """Read the lines that are not blank."""
    for number, content in enumerate(source, start=1):
        if content.strip():
            yield Line(number, content)


def _report_line(outcome: LineOutcome) -> bytes:
    content = {
        "line": outcome.number,
        "outcome": outcome.outcome,
        "customerId": outcome.customer_id,
        "errors": [{"code": each.code, "field": each.field, "message": each.message} for each in outcome.errors],
    }
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
