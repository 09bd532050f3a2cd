"""A real nginx in front of several gateways: the loopback only, its own folder, gone after the test."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.postgresql import free_port

PATIENCE = 30.0
# POST is tried again elsewhere only where nobody has taken the connection: nobody can have seen the request then.
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream gateway {{
{servers}
    }}
    server {{
        listen 127.0.0.1:{port};
        location {prefix}/ {{
            proxy_pass http://gateway/;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header Host $host;
            proxy_next_upstream error timeout;
        }}
    }}
}}
"""


class Nginx:
    """Takes turns between the ports, or sockets that are files; those in `away` get nothing new."""

    def __init__(self, folder: Path, ports: Sequence[int | Path], prefix: str = "") -> None:
        self._prefix = prefix
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._ports = ports
        self._file = folder / "nginx.conf"
        self._write(())
        self._process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(self._file)])
        self._wait_until_it_listens()

    @property
    def errors(self) -> str:
        """What it has complained about."""
        return (self._folder / "error.log").read_text()

    def take_away(self, *away: int) -> None:
        """Send nothing new to these ports from now on; returns when the last connection to them has ended."""
        before = self._workers()
        self._write(away)
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while before & self._workers() or not self._workers():
            assert time.monotonic() < deadline, self.errors
            time.sleep(0.02)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                assert self._process.poll() is None, "nginx has ended."
                assert time.monotonic() < deadline, "nginx does not listen."
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _workers(self) -> set[str]:
        return set(Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split())

    def _write(self, away: Sequence[int]) -> None:
        servers = "\n".join(
            f"        server {_place(port)} max_fails=0{' down' if port in away else ''};" for port in self._ports
        )
        self._file.write_text(
            _CONFIGURATION.format(folder=self._folder, port=self.port, servers=servers, prefix=self._prefix)
        )


def _place(port: int | Path) -> str:
    return f"unix:{port}" if isinstance(port, Path) else f"127.0.0.1:{port}"


@contextmanager
def run_nginx(folder: Path, ports: Sequence[int | Path], prefix: str = "") -> Iterator[Nginx]:
    """Run one in front of these ports, which takes the prefix off paths; skips the test where there is no nginx."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    folder.mkdir()
    nginx = Nginx(folder, ports, prefix)
    try:
        yield nginx
    finally:
        nginx.stop()
