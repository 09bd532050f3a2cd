"""Runs the HTTP server in this process, or in several processes that this one watches."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess

import uvicorn
from uvicorn._types import ASGIApplication
from uvicorn.config import STARTUP_FAILURE
from uvicorn.importer import import_from_string
from uvicorn.supervisors.multiprocess import Multiprocess

from app.ending import REQUESTS
from app.http.client_address import ClientAddresses
from app.listening.connection import IDLE_SECONDS, Connection, ConnectionConfig
from app.listening.sockets import ListenError, Listeners, shown
from app.packed import PackedObject
from app.settings import Settings
from app.wiring import (
    Reading,
    TenantFiles,
    TenantsFileError,
    build_tools,
    check_metrics_port,
    close_tools,
    run_metrics_of_processes,
)

# Seconds between two looks at the tenants file by the process that watches over the others.
PAUSE = 2.0
# Seconds that a process may take to answer the one that watches it. A new one answers only when it has imported
# everything, so that with uvicorn's 5 a busy machine would end each of them again before it is ready.
PATIENCE = 60

_log = logging.getLogger(__name__)


def run_server(settings: Settings, files: TenantFiles) -> None:
    """Serve until SIGTERM or SIGINT, and replace each process that dies.

    Exits with 3 when a process cannot start. Raises `ValueError` for a fault that one line can explain.
    """
    config = ConnectionConfig(
        _Application(files),
        factory=True,
        http=Connection,
        workers=settings.processes,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=REQUESTS,
        timeout_worker_healthcheck=PATIENCE,
    )
    if settings.proxy_protocol:
        config.proxies = ClientAddresses(map(str, settings.trusted_proxies))
    try:
        listeners = Listeners(settings.hosts, settings.port)
    except ListenError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(STARTUP_FAILURE)
    try:
        _serve(config, settings, files, listeners)
    finally:
        listeners.close()


def _serve(config: uvicorn.Config, settings: Settings, files: TenantFiles, listeners: Listeners) -> None:
    if settings.processes > 1:
        # A fault that would end every process is reported once here, and not by each of them again and again.
        asyncio.run(close_tools(build_tools(settings, tenants=files.reading.tenants)))
    else:
        check_metrics_port(settings)
    _log.info("Listening at %s", ", ".join(map(shown, listeners.sockets)))
    if settings.processes == 1:
        _run_alone(config, listeners)
    else:
        with run_metrics_of_processes(settings):
            _run_many(config, files, listeners)


class _Application:
    """Makes the application in this process or in another one, which is handed the tenants as they were last read."""

    def __init__(self, files: TenantFiles) -> None:
        self._files = files
        self._packed: tuple[Reading, PackedObject[Reading]] | None = None

    def __reduce__(self) -> tuple[type[_ApplicationElsewhere], tuple[PackedObject[Reading]]]:
        reading = self._files.reading
        if self._packed is None or self._packed[0] is not reading:
            self._packed = (reading, PackedObject.of(reading))
        return _ApplicationElsewhere, (self._packed[1],)

    def __call__(self) -> ASGIApplication:
        """Return the application."""
        return _make(self._files.reading)


@dataclass(frozen=True, slots=True)
class _ApplicationElsewhere:
    packed: PackedObject[Reading]

    def __call__(self) -> ASGIApplication:
        """Return the application."""
        parent, made = parent_process(), threading.Event()
        if parent is not None:
            threading.Thread(target=_end_with, args=[parent, made], daemon=True).start()
        application = _make(self.packed.unpack())
        made.set()
        return application


def _make(reading: Reading) -> ASGIApplication:
    application: ASGIApplication = import_from_string("app.main:create_app")(reading)
    return application


def _end_with(parent: BaseProcess, made: threading.Event) -> None:
    """End this process when the one is gone that watches over it: nobody else would, and it would keep the port.

    As long as the application is not `made`, nothing is under way that could be finished.
    """
    parent.join()
    if not made.is_set():
        os._exit(STARTUP_FAILURE)
    os.kill(os.getpid(), signal.SIGTERM)


class _Server(uvicorn.Server):
    """uvicorn's, which ends by the signal that has ended it, so that nothing can be done after it."""

    def __init__(self, config: uvicorn.Config, listeners: Listeners) -> None:
        super().__init__(config)
        self._listeners = listeners

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and end."""
        for server in self.servers:
            server.close()
        self._listeners.close()
        await super().shutdown(sockets)


def _run_alone(config: uvicorn.Config, listeners: Listeners) -> None:
    server = _Server(config, listeners)
    server.run(sockets=listeners.sockets)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


class _Supervisor(Multiprocess):
    """uvicorn's, except for the end and for SIGHUP.

    At the end uvicorn would keep the port open for callers that nobody answers. At SIGHUP it would replace all
    processes, and here each of them takes up what has changed in the tenants file.
    """

    def __init__(self, config: uvicorn.Config, listeners: Listeners) -> None:
        super().__init__(config, listeners.sockets)
        self._listeners = listeners

    def init_processes(self) -> None:
        """Start the processes."""
        with _hangups_held():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Replace those that have died."""
        with _hangups_held():
            super().keep_subprocess_alive()

    def handle_hup(self) -> None:
        """Tell the processes."""
        for process in self.processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, signal.SIGHUP)

    def terminate_all(self) -> None:
        """Close the port and end the processes, so that a load balancer finds it closed and asks another host."""
        self._listeners.close()
        super().terminate_all()

    def follow(self, files: TenantFiles) -> None:
        """Keep the tenants that a process begins with as new as those of the others, which tell of faults."""
        while not self.should_exit.wait(PAUSE):
            with suppress(TenantsFileError):
                change = files.look(at_once=False)
                if change is not None:
                    files.accept(change)


@contextmanager
def _hangups_held() -> Iterator[None]:
    """Keep SIGHUP waiting for the processes that are started meanwhile: it would end one that is not ready for it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def _run_many(config: uvicorn.Config, files: TenantFiles | None, listeners: Listeners) -> None:
    supervisor = _Supervisor(config, listeners)
    if files is not None and not files.is_built_in:
        threading.Thread(target=supervisor.follow, args=[files], daemon=True).start()
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(STARTUP_FAILURE)
