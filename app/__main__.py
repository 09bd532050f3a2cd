"""The command line: `python -m app COMMAND`."""

from __future__ import annotations

import signal
import sys

if __name__ == "__main__" and sys.argv[1:2] in (["serve"], ["worker"]):
    # What is imported below takes a second, in which SIGHUP would end the process: it waits, see `hold_hangups`.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

import argparse
import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.domain.errors import AccessError
from app.domain.import_form import Form
from app.domain.moving.systems import SYSTEMS
from app.domain.profile import Profile
from app.domain.releases import RELEASE
from app.domain.tenants import Tenant
from app.domain.tools import LiveTools, Tools
from app.ending import ENDING
from app.graphql.operation_lists import faults_of_lists
from app.graphql.schema import build_documents, build_schema
from app.http.first_steps import FirstSteps, first_steps
from app.http.logs import configure_logging
from app.reloading import follow_tenants, hold_hangups
from app.server import run_server
from app.services.outgoing.outbox import outbox_state, retry
from app.services.outgoing.webhooks import deliveries, replay, resume
from app.services.staff.export_files import export_file
from app.services.staff.import_files import Summary, import_file, read_secrets, report_path
from app.services.staff.import_sources import Source, open_source
from app.services.staff.imports import Options, Outcome
from app.settings import Settings, SettingsError
from app.wiring import (
    TenantFiles,
    TenantsFileError,
    build_tools,
    check_migrated,
    check_state_dir,
    close_tools,
    faults_of_mail,
    finish_upgrade,
    list_keys,
    migrate,
    open_tenants,
    read_tenants,
    rotate,
    run_demo_social,
    run_metrics,
)
from app.worker import work

Result = TypeVar("Result")

# The exit code of what Ctrl-C has ended.
_INTERRUPTED = 130


def serve(settings: Settings, *, migrate_first: bool, demo_social: bool) -> None:
    """Serve until SIGTERM or SIGINT; with `demo_social` the demo's provider of social login runs too."""
    with run_demo_social(settings) if demo_social else nullcontext():
        _serve(settings, migrate_first=migrate_first)


def _serve(settings: Settings, *, migrate_first: bool) -> None:
    """Serve. Settings and tenants are checked first, so that a fault is one clear line."""
    hold_hangups()
    files = _read_tenants_whole(settings)
    # Thousands of shops are a million objects that stay: no collection need look through them.
    gc.freeze()
    tenants = files.reading.tenants
    configure_logging(production=settings.profile is Profile.PRODUCTION)
    if migrate_first:
        migrate(settings)
    check_state_dir(settings)
    check_migrated(settings)
    if settings.profile is Profile.DEVELOPMENT:
        steps = first_steps(tenants, settings.address, built_in=settings.tenants_file is None)
        sys.stderr.write(_greeting(steps, settings))
    run_server(settings, files)


def _greeting(steps: FirstSteps, settings: Settings) -> str:
    """Return what the start prints in development: the addresses, and what to paste first."""
    lines = [f"Serving {steps.shop_names} at {steps.url}/graphql."]
    if steps.client is not None and settings.storefront_listens:
        lines.append(f"An example storefront is at {settings.storefront_address}/")
    elif steps.client is not None:
        lines.append(
            f"The example storefront would be at {settings.storefront_address}/, where HOST does not listen: "
            "add 127.0.0.1 to HOST, or set PUBLIC_URL to the gateway's https address."
        )
    if steps.operation is not None:
        lines += ["To begin, open it in a browser, or paste:", f"  {steps.operation}"]
    else:
        lines.append(f"{steps.hint}")
    if steps.token_command is not None:
        lines += ["To call the operations for integrations, get a token with the demo's well-known secret:"]
        lines += [f"  {steps.token_command}"]
    return "".join(f"{line}\n" for line in lines)


def run_worker(settings: Settings) -> None:
    """Deliver the outbox until SIGTERM or SIGINT."""
    hold_hangups()
    files = _read_tenants_whole(settings)
    check_state_dir(settings)
    check_migrated(settings)
    configure_logging(production=settings.profile is Profile.PRODUCTION)
    asyncio.run(_run_worker(settings, files))


async def _run_worker(settings: Settings, files: TenantFiles) -> None:
    stop = asyncio.Event()

    def end() -> None:
        ENDING.begin()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    tools = build_tools(settings, tenants=files.reading.tenants)
    live = LiveTools(tools)
    with run_metrics(settings, tools):
        following = follow_tenants(files, live, stop, partial(_faults_of_shops, settings=settings))
        working = [asyncio.create_task(job) for job in (work(live, stop), following)]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([*working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await ENDING.finish(working, partial(close_tools, tools))


def show_outbox(settings: Settings) -> None:
    """Print how many messages wait in the outbox, and which were given up, and why."""
    state = _with_tools(settings, outbox_state)
    sys.stdout.write(f"{state.waiting} waiting ({state.failing} of them failing), {state.dead} dead\n")
    for message in state.dead_messages:
        sys.stdout.write(f"{message.id}  {message.topic}  {message.attempts} attempts  {message.last_error}\n")


def retry_outbox(settings: Settings, message_id: str | None) -> None:
    """Try again one message that was given up or waits after a failure, or all; raises `ValueError` for another id."""
    woken = _with_tools(settings, partial(retry, message_id=message_id))
    if message_id is not None and not woken:
        raise ValueError(f"There is no dead or failing message {message_id}: run python -m app outbox to see them")
    sys.stdout.write(f"{woken} will be tried again\n")


def show_deliveries(settings: Settings, tenant_id: str | None, *, only_failed: bool) -> None:
    """Print the events for webhooks, sent or waiting; raises `ValueError` for an unknown tenant."""
    events = _with_tools(settings, partial(deliveries, tenant_id=tenant_id, only_failed=only_failed))
    for event in events:
        state = "dead" if event.dead_at else "delivered" if event.delivered_at else "waiting"
        parts = (event.id, event.tenant_id, event.topic, event.endpoint, state, f"{event.attempts} attempts")
        sys.stdout.write("  ".join(filter(None, (*parts, event.last_error))) + "\n")


def replay_event(settings: Settings, event_id: str) -> None:
    """Send one event again with the same id; raises `ValueError` for an unknown event."""
    _with_tools(settings, partial(replay, event_id=event_id))
    sys.stdout.write(f"{event_id} will be sent again\n")


def resume_webhooks(settings: Settings, tenant_id: str | None, url: str | None) -> None:
    """End the pauses of webhooks, and send what waits for them; raises `ValueError` for an unknown tenant or URL."""
    waiting = _with_tools(settings, partial(resume, tenant_id=tenant_id, url=url))
    sys.stdout.write(f"{waiting} waiting events will be sent now\n")


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
        summary = _with_tools(settings, partial(import_file, tenant=tenant, source=source, options=options))
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}") from error
    except AccessError as error:
        raise ValueError(f"{error.message} Run the import again: it goes on where it ended.") from error
    _print_summary(source, summary, dry_run=dry_run)
    if summary.stopped:
        sys.stderr.write("Stopped. Run the import again: it goes on where it ended.\n")
        sys.exit(_INTERRUPTED)
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
        count = _with_tools(settings, work)
    except BrokenPipeError:  # whoever reads has had enough
        _drop_output()
        return
    except KeyboardInterrupt:
        # The same Ctrl-C has ended whoever reads.
        _drop_output()
        sys.stderr.write("Stopped. Run the export again.\n")
        sys.exit(_INTERRUPTED)
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


def show_keys(settings: Settings, file: Path | None) -> None:
    """Print the names of the signing keys, and the use of each; raises `ValueError` if there are none."""
    for kid, use in zip(list_keys(settings, file), ("current", "next", "previous"), strict=False):
        sys.stdout.write(f"{kid}  {use}\n")


def rotate_keys(settings: Settings, file: Path | None) -> None:
    """Rotate the signing keys and print them; raises `ValueError` when the file cannot be read or written."""
    rotate(settings, file)
    show_keys(settings, file)
    sys.stdout.write(
        "Running processes use the new keys within a minute. Tokens and mail that the previous key signed or sealed "
        "are valid until you rotate again, so wait at least 72 hours.\n"
    )


def _with_tools(settings: Settings, work: Callable[[Tools], Awaitable[Result]]) -> Result:
    """Do something that needs the tables; raises `ValueError` if the database is not migrated."""
    check_migrated(settings)
    return asyncio.run(_do_with_tools(settings, work))


async def _do_with_tools(settings: Settings, work: Callable[[Tools], Awaitable[Result]]) -> Result:
    tools = build_tools(settings)
    try:
        return await work(tools)
    finally:
        await close_tools(tools)


def migrate_database(settings: Settings, *, finish: bool) -> None:
    """Migrate the database, or with `finish` say that no older release serves on it any more; print what is to tell."""
    if finish:
        remark = finish_upgrade(settings)
        sys.stdout.write(f"From now on no release before {RELEASE} may serve on this database.\n")
        if remark is not None:
            sys.stdout.write(f"{remark}\n")
        return
    told = migrate(settings)
    if told is not None:
        sys.stdout.write(f"{told}\n")


def check_tenants(settings: Settings) -> None:
    """Print that the tenants file is in order."""
    tenants = _read_tenants_whole(settings).reading.tenants
    sys.stdout.write(f"The tenants file is in order: {', '.join(tenant.id for tenant in tenants)}.\n")


def _read_tenants_whole(settings: Settings) -> TenantFiles:
    """Return the tenants; raises `TenantsFileError` also for a listed operation that the schema cannot run.

    And for what the environment has to have because a shop has the gateway send its mails.
    """
    files = open_tenants(settings)
    faults = list(_faults_of_shops(files.reading.tenants, settings=settings))
    if faults:
        raise TenantsFileError(faults)
    return files


def _faults_of_shops(tenants: Iterable[Tenant], *, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with the lists of operations, and what the shops' mails lack.

    The schema is built only if there are any lists.
    """
    yield from faults_of_mail(tenants, settings)
    listing = [tenant for tenant in tenants if tenant.operations is not None]
    if listing:
        yield from faults_of_lists(listing, build_documents(production=settings.profile is Profile.PRODUCTION))


def print_schema(_settings: Settings, *, federation: bool) -> None:
    """Print the SDL, for clients or for the composition with other subgraphs."""
    schema = build_schema()
    sys.stdout.write((schema.subgraph_sdl if federation else schema.as_str()) + "\n")


def _parse(arguments: list[str] | None) -> Callable[[Settings], None]:
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    serving = commands.add_parser("serve", help="serve the API; the worker runs in the same process unless WORKER=off")
    serving.add_argument("--migrate", action="store_true", dest="migrate_first", help="migrate the database first")
    serving.add_argument(
        "--demo-social", action="store_true", help="also start the demo's provider of social login; scripts/serve does"
    )
    serving.set_defaults(run=serve)
    commands.add_parser(
        "worker", help="deliver mail and events, run due anonymizations, delete what has expired"
    ).set_defaults(run=run_worker)
    migrating = commands.add_parser("migrate", help="migrate the database to the newest schema")
    migrating.add_argument(
        "--finish",
        action="store_true",
        help="once the last host is upgraded: no release before this one may serve any more",
    )
    migrating.set_defaults(run=migrate_database)
    schema = commands.add_parser("schema", help="print the GraphQL schema (SDL)")
    schema.add_argument("--federation", action="store_true", help="print it as a subgraph of Apollo Federation 2")
    schema.set_defaults(run=print_schema)
    tenants = commands.add_parser("tenants", help="check the tenants file").add_subparsers(
        required=True, metavar="command"
    )
    tenants.add_parser("check", help="check the whole tenants file and list the tenants").set_defaults(
        run=check_tenants
    )
    _add_outbox(commands)
    _add_customers(commands)
    _add_webhooks(commands)
    _add_keys(commands)
    options = vars(parser.parse_args(arguments))
    return partial(options.pop("run"), **options)


def _add_outbox(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    outbox = commands.add_parser("outbox", help="show what waits to be delivered, and what was given up and why")
    outbox.set_defaults(run=show_outbox)
    again = outbox.add_subparsers(metavar="command").add_parser(
        "retry", help="try at once what was given up, and what waits after a failure"
    )
    which = again.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_const", const=None, dest="message_id", help="all of it, as without an id")
    which.add_argument("message_id", nargs="?", metavar="id", help="a message that python -m app outbox lists")
    again.set_defaults(run=retry_outbox)


def _add_webhooks(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    webhooks = commands.add_parser("webhooks", help="show the events for webhooks, send one again, or end pauses")
    which = webhooks.add_subparsers(required=True, metavar="command")
    listing = which.add_parser("deliveries", help="list the events: delivered, waiting or dead, with the last error")
    listing.add_argument("--tenant", dest="tenant_id", metavar="id", help="only events of this tenant")
    listing.add_argument(
        "--failed", action="store_true", dest="only_failed", help="only events that were not delivered"
    )
    listing.set_defaults(run=show_deliveries)
    again = which.add_parser("replay", help="send an event again, with the same id")
    again.add_argument("event_id", metavar="id", help="an event that python -m app webhooks deliveries lists")
    again.set_defaults(run=replay_event)
    resuming = which.add_parser("resume", help="end the pauses of failing webhooks, and send what waits for them")
    resuming.add_argument("--tenant", dest="tenant_id", metavar="id", help="only webhooks of this tenant")
    resuming.add_argument("--url", metavar="url", help="only the webhook with this URL")
    resuming.set_defaults(run=resume_webhooks)


def _add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    keys = commands.add_parser("keys", help="list or rotate the keys that sign tokens")
    which = keys.add_subparsers(required=True, metavar="command")
    rotation = which.add_parser("rotate", help="sign with the next key from now on, and make a new next key")
    rotation.set_defaults(run=rotate_keys)
    listing = which.add_parser("list", help="list the names of the keys: current, next, previous")
    listing.set_defaults(run=show_keys)
    for command in (rotation, listing):
        command.add_argument("--file", type=Path, metavar="path", help="use this file instead of SIGNING_KEYS_FILE")


def _add_customers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    customers = commands.add_parser("customers", help="import and export customers")
    which = customers.add_subparsers(required=True, metavar="command")
    run = which.add_parser(
        "import", help="import customers from another system; after an interruption, run it again to go on"
    )
    run.add_argument("file", type=Path, help="a table (CSV), a JSON document, or a JSON object on each line")
    _add_tenant(run, "the tenant that gets the customers (default: demo)")
    whose = run.add_mutually_exclusive_group()
    whose.add_argument("--from", dest="system", choices=sorted(SYSTEMS), help="the system that has written the file")
    whose.add_argument(
        "--map", dest="map_file", type=Path, metavar="MAP.toml", help='a file that says our field = "their column"'
    )
    run.add_argument("--format", dest="form", choices=[*map(str, Form)], help="how the file is written (default: seen)")
    run.add_argument("--encoding", metavar="name", help="such as utf-8 or windows-1252 (default: seen)")
    run.add_argument("--strict", action="store_true", help="refuse a customer with anything wrong")
    run.add_argument("--dry-run", action="store_true", help="write the report, and no customer")
    run.add_argument("--create-groups", action="store_true", help="make the groups that the shop has not")
    run.add_argument(
        "--pepper-file",
        type=Path,
        metavar="path",
        help="Devise's config.pepper, which all bcrypt hashes of the file have",
    )
    run.add_argument(
        "--firebase-hash-config",
        type=Path,
        dest="firebase_file",
        metavar="path",
        help="the password hash parameters of the Firebase project, as its console shows them or as JSON",
    )
    run.set_defaults(run=import_customers)
    _add_export(which)


def _add_export(which: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = which.add_parser("export", help="export the customers in the form that the import takes")
    run.add_argument("file", type=Path, nargs="?", help="where to (default: the standard output)")
    _add_tenant(run, "the tenant whose customers to export (default: demo)")
    run.add_argument("--format", dest="form", choices=["jsonl", "csv"], default="jsonl", help="default: jsonl")
    run.add_argument("--with-hashes", action="store_true", help="with the hashes of the passwords")
    run.set_defaults(run=export_customers)


def _add_tenant(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("--tenant", default="demo", dest="tenant_id", metavar="id", help=text)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Each fault in the configuration is one line, and the exit code is 2."""
    run = _parse(arguments)
    try:
        run(Settings.load())
    except (SettingsError, TenantsFileError) as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        return 2
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:  # somebody pressed Ctrl-C, and knows
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    # What is written is for nobody else: keys, mail, a database of customers.
    os.umask(0o077)
    sys.exit(main())
