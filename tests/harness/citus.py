"""A cluster of three PostgreSQL servers with Citus, where the distribution's PostgreSQL has the extension.

The first is the coordinator, the other two keep the rows. They listen on the loopback only, and end with the process
that started them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.settings import Settings
from app.wiring import migrate
from tests.harness.account import account_of_servers, give_to_servers
from tests.harness.postgresql import free_port

NODES = 3
# Who owns the clusters' servers, and no other server of the tests.
CLUSTER_USER = "gateway_of_cluster"
# What makes servers safe against power cuts makes tests slow, and there is nothing here to keep.
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "shared_preload_libraries": "citus",
    "max_connections": "200",
    # A transaction of several nodes is prepared on each.
    "max_prepared_transactions": "200",
    "max_worker_processes": "32",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "citus.shard_count": "4",
    # Reports to nobody.
    "citus.enable_statistics_collection": "off",
}
# What a test has left: nobody is connected any more, nothing is half committed, and no row is there. Triggers and
# foreign keys of the shards are not asked.
_EMPTYING = """
CREATE FUNCTION remove_rows_of_tests() RETURNS void LANGUAGE plpgsql
SET session_replication_role = replica SET citus.enable_manual_changes_to_shards = on
SET citus.override_table_visibility = off AS $$
DECLARE shard regclass;
BEGIN
  FOR shard IN SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname ~ '_[0-9]+$'
  LOOP EXECUTE format('DELETE FROM %s', shard); END LOOP;
END $$
"""
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_EMPTY = "SELECT bool_and(success) FROM run_command_on_workers('SELECT remove_rows_of_tests()')"


def find_programs() -> Path:
    """Return the folder of the newest PostgreSQL with Citus beside it; the test is skipped where there is none."""
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True):
        if Path(f"/usr/share/postgresql/{programs.parent.name}/extension/citus.control").is_file():
            return programs
    pytest.skip("no PostgreSQL with the extension Citus is installed")


def _version(programs: Path) -> int:
    return int(programs.parent.name)


class CitusCluster:
    """Three servers and the databases on them; the first node is the coordinator."""

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._programs = find_programs()
        self._account = account_of_servers()
        self._folder = Path(tempfile.mkdtemp(prefix="citus-"))
        give_to_servers(self._folder)
        self.ports = [free_port() for _ in range(NODES)]
        self._options = _OPTIONS | {"unix_socket_directories": str(self._folder), **(options or {})}
        self._made = 0
        self._crashed = -1
        self._undertaker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the servers and start them; returns when they answer."""
        for node in range(NODES):
            self._run(
                "initdb", "-D", self._data(node), "-U", CLUSTER_USER, "--auth=trust",
                "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
            )  # fmt: skip
            self.start_node(node)
        # Ends the servers when our end of the pipe closes: at the latest when this process is gone, however it went.
        stops = "".join(
            f'"{self._programs}/pg_ctl" -D "{self._data(node)}" -m immediate stop >/dev/null 2>&1;'
            for node in range(NODES)
        )
        self._undertaker = subprocess.Popen(
            ["sh", "-c", f'read _; {stops} rm -rf "{self._folder}"/*'],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=self._account,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Stop the servers and remove their folder."""
        if self._undertaker is not None:
            self._undertaker.communicate(timeout=60)
        shutil.rmtree(self._folder)

    def start_node(self, node: int) -> None:
        """Start one server, the first time or after `stop_node`; returns when it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in self._options.items())
        self._run("pg_ctl", "-D", self._data(node), "-w", "-l", self._folder / f"{node}.log",
                  "-o", f"-p {self.ports[node]} {options}", "start")  # fmt: skip

    def stop_node(self, node: int) -> None:
        """End one server as a crash does."""
        self._run("pg_ctl", "-D", self._data(node), "-w", "-m", "immediate", "stop")

    def restart_at_once(self) -> None:
        """End one server as a crash does, another one each time, and start it again."""
        self._crashed = (self._crashed + 1) % NODES
        self.stop_node(self._crashed)
        self.start_node(self._crashed)

    def freeze_node(self, node: int) -> None:
        """Let one server take connections and say nothing, until `thaw_node`."""
        self._signal(node, signal.SIGSTOP)

    def thaw_node(self, node: int) -> None:
        """Let a frozen server go on."""
        self._signal(node, signal.SIGCONT)

    def url(self, database: str, node: int = 0, user: str = CLUSTER_USER) -> str:
        """Return the DATABASE_URL of one database, by way of one of the nodes."""
        return f"postgresql://{user}@127.0.0.1:{self.ports[node]}/{database}"

    def create_database(self) -> str:
        """Make an empty database of all three servers and return its name."""
        self._made += 1
        name = f"test_{self._made}"
        for node in range(NODES):
            self.run(f"CREATE DATABASE {name} TEMPLATE template0", node=node)
            self.run("CREATE EXTENSION citus", database=name, node=node)
        self.run(
            f"SELECT citus_set_coordinator_host('127.0.0.1', {self.ports[0]})",
            *(f"SELECT citus_add_node('127.0.0.1', {port})" for port in self.ports[1:]),
            database=name,
        )
        return name

    def create_migrated_database(self) -> str:
        """Make a database with distributed tables, which `empty` can empty."""
        name = self.create_database()
        migrate(Settings.load({"DATABASE_URL": self.url(name), "DATABASE_SHARDING": "citus"}))
        self.run(_EMPTYING, database=name)
        return name

    @property
    def port(self) -> int:
        """Where the coordinator listens."""
        return self.ports[0]

    def dump(self, name: str) -> bytes:
        """Return all that is in a database, as pg_dump writes it."""
        return self._run("pg_dump", "--inserts", self.url(name)).encode()

    def copy(self, name: str, other: str) -> None:
        """Dump what the coordinator has of a database, and restore it into another one, as backups do."""
        dump = self._folder / f"{name}.dump"
        self._run("pg_dump", "--format=custom", f"--file={dump}", self.url(name))
        self._run("pg_restore", "--exit-on-error", f"--dbname={self.url(other)}", dump)

    def empty(self, name: str) -> None:
        """End all connections to a migrated database and remove all rows."""
        answers = self.run(_END_OTHERS, "SELECT recover_prepared_transactions()", _EMPTY, database=name)
        assert answers.splitlines()[-1] == "t", answers

    def drop_database(self, name: str) -> None:
        """Remove a database from all three servers, whoever is still connected to it."""
        for node in range(NODES):
            self.run(f"DROP DATABASE {name} WITH (FORCE)", node=node)

    def run(self, *statements: str, database: str = "postgres", node: int = 0) -> str:
        """Run statements as the owner of the servers, each in a transaction, and return what they print."""
        return self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.ports[node],
            "-U", CLUSTER_USER, "-d", database, *(part for statement in statements for part in ("-c", statement)),
        ).strip()  # fmt: skip

    def _data(self, node: int) -> Path:
        return self._folder / str(node)

    @property
    def pids(self) -> list[int]:
        """The first process of each server; they run."""
        return [self._pid(node) for node in range(NODES)]

    def _pid(self, node: int) -> int:
        return int((self._data(node) / "postmaster.pid").read_text().split()[0])

    def _signal(self, node: int, number: signal.Signals) -> None:
        os.kill(self._pid(node), number)

    def _run(self, program: str, *arguments: object) -> str:
        command = [str(self._programs / program), *map(str, arguments)]
        # HOME, where libpq looks for certificates, is that of another account.
        environment = {**os.environ, "HOME": str(self._folder)}
        with tempfile.TemporaryFile() as output:  # a pipe would stay open in the server that pg_ctl starts
            done = subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, check=False, cwd="/", user=self._account,
                env=environment, timeout=120,
            )  # fmt: skip
            output.seek(0)
            text = output.read().decode()
        assert done.returncode == 0, text
        return text
