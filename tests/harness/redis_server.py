"""A real Redis server for one run of the tests: the loopback only, nothing kept."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry


class RedisServer:
    """A server of our own on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis(port=self.port, retry=Retry(ConstantBackoff(0.02), 250))
        self._folder = folder
        self.start()

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self._folder)]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        self.client.ping()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def advance(self, seconds: float) -> None:
        """Let time pass: in Redis, the limits know of it how long each key has to live, and who came when."""
        for key in self.client.scan_iter():
            if self.client.type(key) == b"zset":
                members: Any = self.client.zrange(key, 0, -1, withscores=True)
                self.client.zadd(key, {member: moment - seconds * 1000 for member, moment in members})
            self.client.pexpire(key, int(self.client.pttl(key) - seconds * 1000))


@contextmanager
def run_redis(folder: Path) -> Iterator[RedisServer]:
    """Run a server; the test is skipped on a machine that has none."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(folder)
    try:
        yield server
    finally:
        server.client.close()
        server.stop()
