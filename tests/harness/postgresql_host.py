"""A PostgreSQL server of a test's own, to be encrypted, stopped, filled up, copied and promoted: the distribution's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.account import account_of_servers, give_to_servers
from tests.harness.postgresql import free_port

PASSWORD = "correct-horse"
_USER = "postgres"
_PATIENCE = 60.0
_FIXED = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "max_wal_senders": "4",
    "hot_standby": "on",
}


def find_programs() -> Path:
    """Return the folder of the distribution's newest server; the test is skipped where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("no PostgreSQL of the distribution is installed")
    return found[-1].parent


class PostgresqlHost:
    """One server. Its user `gateway` has a password, and owns the database `gateway`."""

    def __init__(self, *, options: Mapping[str, str] | None = None, encoding: str = "UTF8") -> None:
        self._programs = find_programs()
        self._user = account_of_servers()
        self.folder = Path(tempfile.mkdtemp(prefix="host-"))
        self.give(self.folder)
        self.data = self.folder / "data"
        self.port = free_port()
        self._options = {**_FIXED, "unix_socket_directories": str(self.folder), **(options or {})}
        self._encoding = encoding
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of its database."""
        return f"postgresql://gateway:{PASSWORD}@127.0.0.1:{self.port}/gateway"

    @property
    def pid(self) -> int:
        """The first of its processes; it runs."""
        assert self._process is not None
        return self._process.pid

    def make(self) -> None:
        """Make the data folder, start, and make user and database."""
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            _USER,
            "--auth=trust",
            f"--encoding={self._encoding}",
            "--no-sync",
            "--locale=C",
        )
        (self.data / "pg_hba.conf").write_text(
            "local all all trust\nhost replication all 127.0.0.1/32 trust\n"
            "hostssl all cert_user 127.0.0.1/32 cert\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        self.give(self.data / "pg_hba.conf")
        self.start()
        self.sql(f"CREATE ROLE gateway LOGIN PASSWORD '{PASSWORD}'")
        self.sql("CREATE DATABASE gateway OWNER gateway")

    def copy(self) -> PostgresqlHost:
        """Return a standby that follows this server, started."""
        standby = PostgresqlHost()
        self._run(
            "pg_basebackup", "-D", standby.data, "-h", "127.0.0.1", "-p", self.port, "-U", _USER, "-R", "-c", "fast"
        )
        standby.start()
        return standby

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", "promote", "-D", self.data, "-w")

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self.data), "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                user=self._user,
            )
        deadline = time.monotonic() + _PATIENCE
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it: SIGQUIT at once, SIGINT after telling its clients."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_PATIENCE)
            self._process = None

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the server's owner, and return what it prints."""
        answer = self._run(
            "psql",
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            self.folder,
            "-p",
            self.port,
            "-U",
            _USER,
            "-d",
            database,
            "-c",
            statement,
        )
        return answer.strip()

    def give(self, path: Path) -> None:
        """Give a file or folder to the account that the server runs as."""
        give_to_servers(path)

    def _run(self, program: str, *arguments: object) -> str:
        command = [str(self._programs / program), *map(str, arguments)]
        # HOME, where libpq looks for certificates, is that of another account.
        environment = {**os.environ, "HOME": str(self.folder), "PGOPTIONS": "-c default_transaction_read_only=off"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", user=self._user, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
