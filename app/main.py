"""Builds the ASGI application from the settings; nothing runs at import."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from multiprocessing import parent_process
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from app.domain.profile import Profile
from app.domain.tenants import Tenant
from app.domain.tools import LiveTools, Tools
from app.ending import ENDING
from app.graphql.context import make_context
from app.graphql.operation_lists import KnownOperations, faults_of_lists
from app.graphql.schema import build_documents
from app.http.client_address import ClientAddresses
from app.http.cors import Cors
from app.http.first_steps import FirstSteps, first_steps
from app.http.form_posts import form_post_routes
from app.http.graphql import GraphQLEndpoint
from app.http.logs import configure_logging
from app.http.mail_previews import preview_routes
from app.http.mailbox import mailbox_routes
from app.http.middleware import Edge
from app.http.oauth import oauth_routes
from app.http.playground import Playground, playground_routes
from app.http.probes import probe_routes
from app.http.problem_details import answer_problem
from app.http.refresh_cookies import RefreshCookies
from app.http.request_log import RequestLog
from app.http.shortcut import Shortcut
from app.http.staff.routes import staff_routes
from app.http.storefront import is_bundled, storefront_routes
from app.http.welcome import welcome_page, welcome_routes
from app.reloading import follow_tenants
from app.services.worker.metrics import show_process
from app.settings import Settings
from app.wiring import (
    Reading,
    TenantFiles,
    build_tools,
    close_tools,
    faults_of_mail,
    open_mailbox,
    open_previews,
    open_tenants,
    run_metrics,
)
from app.worker import work

_log = logging.getLogger(__name__)

# Seconds between two looks at what the process has under way, for the metrics.
WATCH_PAUSE = 5.0


def create_app(reading: Reading | None = None) -> Starlette:
    """Return the application of this process's environment: the factory that the server calls.

    `reading` are the tenants as the process has read them that has started this one.
    """
    ENDING.watch()
    # Thousands of shops are a million objects that stay: the collection below need not look through them.
    gc.freeze()
    settings = Settings.load()
    configure_logging(production=settings.profile is Profile.PRODUCTION)
    try:
        files = open_tenants(settings, reading)
        app = build_app(settings, build_tools(settings, tenants=files.reading.tenants), files)
    except Exception:
        if parent_process() is None:
            raise  # `serve` tells what it is, in a line where that can be
        # multiprocessing would write the traceback as it is; the process that watches over this one starts another.
        _log.critical("The process cannot start", exc_info=True)
        sys.exit(1)
    # What is here now stays: a full collection need not look through it, which would stop all requests for 0.1 s.
    gc.collect()
    gc.freeze()
    gc.enable()  # a process that the server has started has begun without
    return app


def build_app(settings: Settings, tools: Tools, files: TenantFiles | None = None) -> Starlette:
    """Return the application that serves with these tools, and closes them when it ends.

    With `files` it takes up what changes there.
    """
    production = settings.profile is Profile.PRODUCTION
    live = LiveTools(tools)
    documents = build_documents(production=production)
    base = urlsplit(tools.public_url).path
    endpoint = GraphQLEndpoint(
        documents,
        lambda facts: make_context(live.now, facts),
        known=KnownOperations(lambda known_as: live.now.tenants.find_operation(known_as)),
        playground=None if production else Playground(base),
        cookies=RefreshCookies(tools.public_url),
    )
    edge = Middleware(
        Edge,
        new_id=tools.random.new_id,
        clock=tools.clock,
        addresses=ClientAddresses(map(str, settings.trusted_proxies), settings.client_ip_header),
        cors=Cors(lambda: live.now.tenants.origins),
        log=RequestLog(tools.clock, sys.stderr, production=production),
        observers=tools.observers,
    )
    graphql = Route("/graphql", endpoint)
    routes: list[BaseRoute] = [
        graphql,
        *oauth_routes(live),
        *form_post_routes(live),
        *probe_routes(tools.database, tools.limiter, tools.signer),
    ]
    mailbox = open_mailbox(settings)
    if not production:

        def steps() -> FirstSteps:
            return first_steps(live.now.tenants, settings.address, built_in=settings.tenants_file is None)

        routes += playground_routes(steps, base, has_mailbox=mailbox is not None)
        routes += staff_routes(documents, live, base)
    if mailbox is not None:
        routes += [*preview_routes(open_previews(), live, base), *mailbox_routes(mailbox, base)]
    if not production:
        welcome = welcome_page(steps, has_storefront=is_bundled(), has_mailbox=mailbox is not None, base=base)
        shops = storefront_routes(settings.storefront_address, base, lambda: live.now.tenants, welcome)
        routes += [*shops, *welcome_routes(welcome)]

    def faults_of(tenants: Collection[Tenant]) -> Iterator[str]:
        yield from faults_of_mail(tenants, settings)
        yield from faults_of_lists(tenants, documents)

    following = partial(follow_tenants, files, live, faults_of=faults_of)
    app = Starlette(
        routes=routes,
        middleware=[edge, Middleware(Shortcut, route=graphql)],
        exception_handlers={HTTPException: answer_problem},
        lifespan=partial(_lifespan, settings=settings, live=live, following=following),
    )
    # A redirect would lead to any host that the caller has named.
    app.router.redirect_slashes = False
    return app


@asynccontextmanager
async def _lifespan(
    _app: Starlette, *, settings: Settings, live: LiveTools, following: partial[Coroutine[Any, Any, None]]
) -> AsyncIterator[None]:
    """Run the worker beside the server, unless it has its own process. At the end, finish the running work."""
    stop = asyncio.Event()
    tools = live.now
    jobs = [following(stop=stop)]
    if settings.worker:
        jobs.append(work(live, stop))
    if settings.metrics_port is not None:
        jobs.append(_watch(tools, stop))
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        with run_metrics(settings, tools):
            yield
    finally:
        stop.set()
        await ENDING.finish(tasks, partial(close_tools, tools))


async def _watch(tools: Tools, stop: asyncio.Event) -> None:
    while not stop.is_set():
        show_process(tools)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), WATCH_PAUSE)
