"""A real PgBouncer in front of a PostgreSQL server: the loopback only, its own folder, gone after the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.postgresql import free_port

_PATIENCE = 30.0
_CONFIGURATION = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file =
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 500
logfile = {folder}/log
pidfile = {folder}/pid
"""


class PgBouncer:
    """Hands its few connections to the server on after each transaction, or each session."""

    def __init__(
        self, server_port: int, user: str, *, mode: str = "transaction", size: int = 4, host: str = "127.0.0.1"
    ) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        self._folder.chmod(0o777)
        file = self._folder / "pgbouncer.ini"
        text = _CONFIGURATION.format(
            host=host, server_port=server_port, port=self.port, mode=mode, size=size, folder=self._folder
        )
        file.write_text(text.replace("* = ", f"* = user={user} "))
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        self._process = subprocess.Popen([program, "-q", file], stderr=subprocess.DEVNULL, user="nobody")
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                assert self._process.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.02)
            else:
                return

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self._folder / "log").read_text()

    def url(self, database: str) -> str:
        """Return the URL of a database behind it."""
        return f"postgresql://gateway@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(_PATIENCE)
        shutil.rmtree(self._folder)


@contextmanager
def run_pgbouncer(server_port: int, user: str, *, mode: str = "transaction", size: int = 4) -> Iterator[PgBouncer]:
    """Run one; the test is skipped on a machine that has none."""
    if shutil.which("pgbouncer") is None and not Path("/usr/sbin/pgbouncer").exists():
        pytest.skip("pgbouncer is not installed")
    pooler = PgBouncer(server_port, user, mode=mode, size=size)
    try:
        yield pooler
    finally:
        pooler.stop()
