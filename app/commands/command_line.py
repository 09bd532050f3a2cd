"""The command line: `python -m app COMMAND`."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from pkgutil import resolve_name

from app.commands.tools import INTERRUPTED
from app.domain.import_form import Form
from app.domain.moving.systems import SYSTEMS
from app.settings import Settings, SettingsError
from app.wiring import TenantsFileError


def parse(arguments: list[str] | None) -> Callable[[Settings], None]:
    """Return what runs the command; only then its module is imported."""
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    serving = commands.add_parser("serve", help="serve the API; the worker runs in the same process unless WORKER=off")
    serving.add_argument("--migrate", action="store_true", dest="migrate_first", help="migrate the database first")
    serving.add_argument(
        "--demo-social", action="store_true", help="also start the demo's provider of social login; scripts/serve does"
    )
    serving.set_defaults(run="app.commands.serving:serve")
    commands.add_parser(
        "worker", help="deliver mail and events, run due anonymizations, delete what has expired"
    ).set_defaults(run="app.commands.serving:run_worker")
    migrating = commands.add_parser("migrate", help="migrate the database to the newest schema")
    migrating.add_argument(
        "--finish",
        action="store_true",
        help="once the last host is upgraded: no release before this one may serve any more",
    )
    migrating.set_defaults(run="app.commands.database:migrate_database")
    schema = commands.add_parser("schema", help="print the GraphQL schema (SDL)")
    schema.add_argument("--federation", action="store_true", help="print it as a subgraph of Apollo Federation 2")
    schema.set_defaults(run="app.commands.schema:print_schema")
    tenants = commands.add_parser("tenants", help="check the tenants file").add_subparsers(
        required=True, metavar="command"
    )
    tenants.add_parser("check", help="check the whole tenants file and list the tenants").set_defaults(
        run="app.commands.tenants:check_tenants"
    )
    _add_outbox(commands)
    _add_customers(commands)
    _add_webhooks(commands)
    _add_keys(commands)
    options = vars(parser.parse_args(arguments))
    return partial(resolve_name(options.pop("run")), **options)


def _add_outbox(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    outbox = commands.add_parser("outbox", help="show what waits to be delivered, and what was given up and why")
    outbox.set_defaults(run="app.commands.outgoing:show_outbox")
    again = outbox.add_subparsers(metavar="command").add_parser(
        "retry", help="try at once what was given up, and what waits after a failure"
    )
    which = again.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_const", const=None, dest="message_id", help="all of it, as without an id")
    which.add_argument("message_id", nargs="?", metavar="id", help="a message that python -m app outbox lists")
    again.set_defaults(run="app.commands.outgoing:retry_outbox")


def _add_webhooks(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    webhooks = commands.add_parser("webhooks", help="show the events for webhooks, send one again, or end pauses")
    which = webhooks.add_subparsers(required=True, metavar="command")
    listing = which.add_parser("deliveries", help="list the events: delivered, waiting or dead, with the last error")
    listing.add_argument("--tenant", dest="tenant_id", metavar="id", help="only events of this tenant")
    listing.add_argument(
        "--failed", action="store_true", dest="only_failed", help="only events that were not delivered"
    )
    listing.set_defaults(run="app.commands.outgoing:show_deliveries")
    again = which.add_parser("replay", help="send an event again, with the same id")
    again.add_argument("event_id", metavar="id", help="an event that python -m app webhooks deliveries lists")
    again.set_defaults(run="app.commands.outgoing:replay_event")
    resuming = which.add_parser("resume", help="end the pauses of failing webhooks, and send what waits for them")
    resuming.add_argument("--tenant", dest="tenant_id", metavar="id", help="only webhooks of this tenant")
    resuming.add_argument("--url", metavar="url", help="only the webhook with this URL")
    resuming.set_defaults(run="app.commands.outgoing:resume_webhooks")


def _add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    keys = commands.add_parser("keys", help="list or rotate the keys that sign tokens")
    which = keys.add_subparsers(required=True, metavar="command")
    rotation = which.add_parser("rotate", help="sign with the next key from now on, and make a new next key")
    rotation.set_defaults(run="app.commands.keys:rotate_keys")
    listing = which.add_parser("list", help="list the names of the keys: current, next, previous")
    listing.set_defaults(run="app.commands.keys:show_keys")
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
    run.set_defaults(run="app.commands.customers:import_customers")
    _add_export(which)


def _add_export(which: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = which.add_parser("export", help="export the customers in the form that the import takes")
    run.add_argument("file", type=Path, nargs="?", help="where to (default: the standard output)")
    _add_tenant(run, "the tenant whose customers to export (default: demo)")
    run.add_argument("--format", dest="form", choices=["jsonl", "csv"], default="jsonl", help="default: jsonl")
    run.add_argument("--with-hashes", action="store_true", help="with the hashes of the passwords")
    run.set_defaults(run="app.commands.customers:export_customers")


def _add_tenant(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("--tenant", default="demo", dest="tenant_id", metavar="id", help=text)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Each fault in the configuration is one line, and the exit code is 2."""
    run = parse(arguments)
    if not gc.isenabled():
        # What was imported stays: no collection need look through it.
        gc.freeze()
        gc.enable()
    try:
        run(Settings.load())
    except (SettingsError, TenantsFileError) as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        return 2
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:  # somebody pressed Ctrl-C, and knows
        return INTERRUPTED
    return 0
