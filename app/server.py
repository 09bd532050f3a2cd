"""Runs the HTTP server in this process, or in several processes that this one watches."""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess

from app.ending import REQUESTS
from app.settings import Settings
from app.wiring import build_tools, close_tools, run_metrics_of_processes


def run_server(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, and replace each process that dies.

    Exits with 3 when a process cannot start. Raises `ValueError` for a fault that one line can explain.
    """
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.processes,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=REQUESTS,
    )
    if settings.processes == 1:
        _run_alone(config)
    else:
        # A fault that would end every process is reported once here, and not by each of them again and again.
        asyncio.run(close_tools(build_tools(settings)))
        with run_metrics_of_processes(settings):
            _run_many(config)


def _run_alone(config: uvicorn.Config) -> None:
    server = uvicorn.Server(config)
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


class _Supervisor(Multiprocess):
    """uvicorn's, except for the end: uvicorn would keep the port open for callers that nobody answers."""

    def terminate_all(self) -> None:
        """Close the port and end the processes, so that a load balancer finds it closed and asks another host."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def _run_many(config: uvicorn.Config) -> None:
    supervisor = _Supervisor(config, sockets=[config.bind_socket()])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(STARTUP_FAILURE)
