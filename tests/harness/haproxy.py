"""A real HAProxy in front of a gateway, for TCP: the loopback only, its own folder, gone after the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.postgresql import free_port

PATIENCE = 30.0
_CONFIGURATION = """
global
    maxconn 256
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen gateway
    bind 127.0.0.1:{port}
    option httpchk GET /readyz
    server one {server} {options} check inter 200ms
"""


@contextmanager
def run_haproxy(folder: Path, server: str, options: str) -> Iterator[int]:
    """Run one, and give its port as soon as it finds the server in order; skips the test where there is no HAProxy."""
    if shutil.which("haproxy") is None:
        pytest.skip("HAProxy is not installed")
    folder.mkdir()
    port = free_port()
    file = folder / "haproxy.cfg"
    file.write_text(_CONFIGURATION.format(port=port, server=server, options=options))
    process = subprocess.Popen(["haproxy", "-db", "-f", str(file)])
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            assert process.poll() is None, "HAProxy has ended."
            assert time.monotonic() < deadline, "HAProxy does not reach the gateway."
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in connection.recv(100)
    except OSError:
        return False
