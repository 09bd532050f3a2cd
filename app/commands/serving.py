"""`serve` and `worker`: what runs until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import nullcontext
from functools import partial

from app.commands.tenants import faults_of_shops, read_tenants_whole
from app.domain.profile import Profile
from app.domain.tools import LiveTools
from app.ending import ENDING
from app.http.first_steps import FirstSteps, first_steps
from app.http.logs import configure_logging
from app.reloading import follow_tenants, hold_hangups
from app.server import run_server
from app.settings import Settings
from app.wiring import (
    TenantFiles,
    build_tools,
    check_migrated,
    check_state_dir,
    close_tools,
    migrate,
    run_demo_social,
    run_metrics,
)
from app.worker import work


def serve(settings: Settings, *, migrate_first: bool, demo_social: bool) -> None:
    """Serve until SIGTERM or SIGINT; with `demo_social` the demo's provider of social login runs too."""
    with run_demo_social(settings) if demo_social else nullcontext():
        _serve(settings, migrate_first=migrate_first)


def _serve(settings: Settings, *, migrate_first: bool) -> None:
    """Serve. Settings and tenants are checked first, so that a fault is one clear line."""
    hold_hangups()
    files = read_tenants_whole(settings)
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
        sys.stderr.write(greeting(steps, settings))
    run_server(settings, files)


def greeting(steps: FirstSteps, settings: Settings) -> str:
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
    files = read_tenants_whole(settings)
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
        following = follow_tenants(files, live, stop, partial(faults_of_shops, settings=settings))
        working = [asyncio.create_task(job) for job in (work(live, stop), following)]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([*working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await ENDING.finish(working, partial(close_tools, tools))
