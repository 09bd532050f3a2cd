"""Builds the ASGI application from the settings; nothing runs at import."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from multiprocessing import parent_process

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from app.domain.profile import Profile
from app.domain.tools import Tools
from app.ending import ENDING
from app.graphql.context import make_context
from app.graphql.operation_lists import KnownOperations
from app.graphql.schema import build_documents
from app.http.client_address import ClientAddresses
from app.http.cors import Cors
from app.http.first_steps import first_steps
from app.http.graphql import GraphQLEndpoint
from app.http.logs import configure_logging
from app.http.mailbox import mailbox_routes
from app.http.middleware import Edge
from app.http.oauth import oauth_routes
from app.http.playground import Playground, playground_routes
from app.http.probes import probe_routes
from app.http.problem_details import answer_problem
from app.http.request_log import RequestLog
from app.http.welcome import welcome_routes
from app.services.worker.metrics import show_process
from app.settings import Settings
from app.wiring import build_tools, close_tools, open_mailbox, run_metrics
from app.worker import work

_log = logging.getLogger(__name__)

# Seconds between two looks at what the process has under way, for the metrics.
WATCH_PAUSE = 5.0


def create_app() -> Starlette:
    """Return the application of this process's environment: the factory that the server calls."""
    ENDING.watch()
    settings = Settings.load()
    configure_logging(production=settings.profile is Profile.PRODUCTION)
    try:
        app = build_app(settings, build_tools(settings))
    except Exception:
        if parent_process() is None:
            raise  # `serve` tells what it is, in a line where that can be
        # multiprocessing would write the traceback as it is; the process that watches over this one starts another.
        _log.critical("The process cannot start", exc_info=True)
        sys.exit(1)
    # What is here now stays: a full collection need not look through it, which would stop all requests for 0.1 s.
    gc.collect()
    gc.freeze()
    return app


def build_app(settings: Settings, tools: Tools) -> Starlette:
    """Return the application that serves with these tools, and closes them when it ends."""
    production = settings.profile is Profile.PRODUCTION
    endpoint = GraphQLEndpoint(
        build_documents(production=production),
        partial(make_context, tools),
        known=KnownOperations(tools.tenants),
        playground=None if production else Playground(),
    )
    edge = Middleware(
        Edge,
        new_id=tools.random.new_id,
        clock=tools.clock,
        addresses=ClientAddresses(str(network) for network in settings.trusted_proxies),
        cors=Cors(lambda: tools.tenants.origins),
        log=RequestLog(tools.clock, sys.stderr, production=production),
        observers=tools.observers,
    )
    routes: list[BaseRoute] = [
        Route("/graphql", endpoint),
        *oauth_routes(tools),
        *probe_routes(tools.database, tools.limiter, tools.signer),
    ]
    mailbox = open_mailbox(settings)
    if not production:
        steps = first_steps(tools.tenants, settings.address, built_in=settings.tenants_file is None)
        routes += [*welcome_routes(steps, has_mailbox=mailbox is not None), *playground_routes(steps)]
    if mailbox is not None:
        routes += mailbox_routes(mailbox)
    app = Starlette(
        routes=routes,
        middleware=[edge],
        exception_handlers={HTTPException: answer_problem},
        lifespan=partial(_lifespan, settings=settings, tools=tools),
    )
    # A redirect would lead to any host that the caller has named.
    app.router.redirect_slashes = False
    return app


@asynccontextmanager
async def _lifespan(_app: Starlette, *, settings: Settings, tools: Tools) -> AsyncIterator[None]:
    """Run the worker beside the server, unless it has its own process. At the end, finish the running work."""
    stop = asyncio.Event()
    jobs = [work(tools, stop)] if settings.worker else []
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
