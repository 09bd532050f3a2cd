"""`customers import` and `customers export`."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

from app.commands.tools import INTERRUPTED, with_tools
from app.domain.errors import AccessError
from app.domain.import_form import Form
from app.domain.tenants import Tenant
from app.services.staff.export_files import export_file
from app.services.staff.import_files import Summary, import_file, read_secrets, report_path
from app.services.staff.import_sources import Source, open_source
from app.services.staff.imports import Options, Outcome
from app.settings import Settings
from app.wiring import read_tenants


def import_customers(
    settings: Settings,
    file: Path,
    tenant_id: str,
    *,
    system: str | None = None,
    map_file: Path | None = None,
    form: str | None = None,
    encoding: str | None = None,
    strict: bool = False,
    dry_run: bool = False,
    create_groups: bool = False,
    pepper_file: Path | None = None,
    firebase_file: Path | None = None,
) -> None:
    """Import a file of customers and print the result.

    Raises `ValueError` for an unknown tenant, and for a file that is missing or has no customers. Exits with code 1 if
    one was faulty, and with 130 after Ctrl-C.
    """
    tenant = _find_tenant(settings, tenant_id)
    try:
        secrets = read_secrets(pepper_file, firebase_file)
        options = Options(strict=strict, dry_run=dry_run, create_groups=create_groups, secrets=secrets)
        source = open_source(
            file,
            system=system,
            map_file=map_file,
            form=Form(form) if form is not None else None,
            encoding=encoding,
            strict=strict,
        )
        summary = with_tools(settings, partial(import_file, tenant=tenant, source=source, options=options))
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}") from error
    except AccessError as error:
        raise ValueError(f"{error.message} Run the import again: it goes on where it ended.") from error
    _print_summary(source, summary, dry_run=dry_run)
    if summary.stopped:
        sys.stderr.write("Stopped. Run the import again: it goes on where it ended.\n")
        sys.exit(INTERRUPTED)
    if summary.outcomes[Outcome.FAULTY]:
        sys.exit(1)


def export_customers(
    settings: Settings, tenant_id: str, *, file: Path | None = None, form: str, with_hashes: bool = False
) -> None:
    """Export the customers of a shop to a file, or to the standard output.

    Raises `ValueError` for an unknown tenant, and for a file that cannot be written. Exits with 130 after Ctrl-C.
    """
    tenant = _find_tenant(settings, tenant_id)
    work = partial(export_file, tenant=tenant, file=file, form=Form(form), with_hashes=with_hashes)
    try:
        count = with_tools(settings, work)
    except BrokenPipeError:  # whoever reads has had enough
        _drop_output()
        return
    except KeyboardInterrupt:
        # The same Ctrl-C has ended whoever reads.
        _drop_output()
        sys.stderr.write("Stopped. Run the export again.\n")
        sys.exit(INTERRUPTED)
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}") from error
    except AccessError as error:
        raise ValueError(f"{error.message} Run the export again.") from error
    if file is not None:
        sys.stdout.write(f"{count} customers are in {file}\n")


def _drop_output() -> None:
    """Let what is left in the buffer of the standard output go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _find_tenant(settings: Settings, tenant_id: str) -> Tenant:
    tenant = read_tenants(settings).find_tenant(tenant_id)
    if tenant is None:
        raise ValueError(f"There is no tenant '{tenant_id}': run python -m app tenants check to see them")
    return tenant


def _print_summary(source: Source, summary: Summary, *, dry_run: bool) -> None:
    """Print what came of an import, and in a table what was wrong."""
    counts = ", ".join(f"{summary.outcomes[outcome]} {outcome}" for outcome in Outcome)
    sys.stdout.write(f"{counts}; what came of each customer is in {report_path(source.file)}\n")
    if dry_run:
        sys.stdout.write("This was a dry run: no customer was written.\n")
    sys.stdout.write(f"The file was read as {source.described}.\n")
    if unread := source.unread:
        sys.stdout.write(f"Nothing was read from these columns: {', '.join(unread)}\n")
    rows = [(str(outcome), "", summary.outcomes[outcome]) for outcome in Outcome]
    rows.insert(1, ("imported with remarks", "", summary.with_remarks))
    for what, counted in (("remark", summary.remarks), ("error", summary.errors)):
        rows += [(f"{what} {code}", field, number) for (code, field), number in counted.most_common()]
    if dry_run or len(rows) > len(Outcome) + 1:
        for what, field, number in rows:
            sys.stdout.write(f"  {what:<28}{field:<36}{number:>9}\n")
