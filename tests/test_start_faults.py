"""Faults of the database at the start: one line that begins with the variable's name, exit 2 within ten seconds."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from app.adapters.database.tls import tls_of
from app.commands.command_line import main
from app.domain.database_url import read_server_url
from app.settings import Settings
from tests.harness.postgresql import free_port
from tests.harness.postgresql_host import PASSWORD, PostgresqlHost

# Seconds of the contract, and some for a machine that is busy with other things.
WITHIN = 10.0 + 5.0


@dataclass
class Program:
    """The program in this process, with nothing of its real environment."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def run(self, command: str, **variables: str) -> tuple[int, str]:
        """Run a command in time, and return its exit code and what it prints of errors."""
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)
        self.capsys.readouterr()
        began = time.monotonic()
        code = main(command.split())
        assert time.monotonic() - began < WITHIN
        return code, self.capsys.readouterr().err

    def refusal(self, command: str, **variables: str) -> str:
        """Return the one line that a command ends with."""
        code, errors = self.run(command, **variables)
        assert code == 2, errors
        (line,) = errors.splitlines()
        assert PASSWORD not in line
        return line


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Program:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    return Program(monkeypatch, capsys)


def authority(host: PostgresqlHost, authority: trustme.CA) -> Path:
    """Give the server a certificate, and return the file of the authority."""
    certificate = authority.issue_cert("localhost")
    for name, blob in (("server.crt", certificate.cert_chain_pems[0]), ("server.key", certificate.private_key_pem)):
        file = host.folder / name
        blob.write_to_path(file)
        file.chmod(0o600)
        host.give(file)
    roots = host.folder / "root.crt"
    authority.cert_pem.write_to_path(roots)
    roots.chmod(0o644)
    host.give(roots)
    return roots


@pytest.fixture(scope="module")
def trusted() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def host(trusted: trustme.CA) -> Iterator[PostgresqlHost]:
    """Run a server with TLS that wants passwords."""
    server = PostgresqlHost()
    roots = authority(server, trusted)
    server._options |= {
        "ssl": "on",
        "ssl_cert_file": str(server.folder / "server.crt"),
        "ssl_key_file": str(server.folder / "server.key"),
        "ssl_ca_file": str(roots),
    }
    server.make()
    server.sql("CREATE ROLE reader LOGIN PASSWORD 'correct-horse'")
    server.sql("CREATE ROLE cert_user LOGIN SUPERUSER")
    server.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 OWNER gateway")
    yield server
    server.remove()


@pytest.fixture
def plain(request: pytest.FixtureRequest) -> Iterator[PostgresqlHost]:
    """Run a server without TLS."""
    server = PostgresqlHost()
    server.make()
    yield server
    server.remove()


@pytest.mark.parametrize("command", ["migrate", "serve"])
class TestServer:
    def test_that_takes_another_password(
        self, command: str, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        line = program.refusal(command, DATABASE_URL=host.url.replace(PASSWORD, "wrong"))
        assert line.startswith("DATABASE_URL names a database that refuses us: password authentication failed")
        assert "wrong" not in line

    def test_without_the_database(self, command: str, host: PostgresqlHost, tmp_path: Path, program: Program) -> None:
        line = program.refusal(command, DATABASE_URL=host.url + "_none")
        assert line == 'DATABASE_URL names a database that refuses us: database "gateway_none" does not exist'

    def test_whose_database_is_not_in_utf_8(
        self, command: str, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        line = program.refusal(command, DATABASE_URL=host.url.removesuffix("gateway") + "latin")
        assert line == "DATABASE_URL names a database that is in LATIN1: make it with ENCODING 'UTF8'"

    def test_that_is_down(self, command: str, tmp_path: Path, program: Program) -> None:
        line = program.refusal(command, DATABASE_URL=f"postgresql://u:p@127.0.0.1:{free_port()}/n")
        assert line.startswith("DATABASE_URL names a database that does not answer: ")

    def test_that_takes_connections_and_says_nothing(self, command: str, tmp_path: Path, program: Program) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"postgresql://u:p@127.0.0.1:{listener.getsockname()[1]}/n"
            line = program.refusal(command, DATABASE_URL=url)
        assert line == "DATABASE_URL names a database that does not answer: no answer in time"

    def test_of_a_name_that_nobody_knows(self, command: str, tmp_path: Path, program: Program) -> None:
        line = program.refusal(command, DATABASE_URL="postgresql://u:p@database.invalid/n")
        assert line.startswith("DATABASE_URL names a database that does not answer: ")

    def test_whose_certificate_is_of_another_authority(
        self, command: str, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.crt")
        url = f"{host.url}?sslmode=verify-ca&sslrootcert={tmp_path}/other.crt"
        line = program.refusal(command, DATABASE_URL=url)
        assert line.startswith("DATABASE_URL names a database that does not answer: ")
        assert "certificate verify failed" in line

    def test_whose_certificate_has_another_name(
        self, command: str, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        url = f"{host.url}?sslmode=verify-full&sslrootcert={host.folder}/root.crt"
        assert "127.0.0.1" in program.refusal(command, DATABASE_URL=url)

    @pytest.mark.parametrize("parameter", ["sslrootcert", "sslcert"])
    def test_with_a_file_that_is_no_certificate(
        self, command: str, parameter: str, tmp_path: Path, program: Program
    ) -> None:
        (tmp_path / "no.crt").write_text("no certificate")
        for name in ("no.crt", "none.crt"):
            url = f"postgresql://u@db.example/n?sslmode=verify-full&{parameter}={tmp_path / name}"
            line = program.refusal(command, DATABASE_URL=url)
            assert line.startswith(f"DATABASE_URL has an {parameter}")

    def test_without_tls_where_tls_is_asked_for(
        self, command: str, plain: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        for query in ("sslmode=require", "channel_binding=require"):
            line = program.refusal(command, DATABASE_URL=f"{plain.url}?{query}")
            assert line.startswith("DATABASE_URL names a database that does not answer: ")
            assert "SSL" in line


class TestMigrate:
    def test_says_that_its_user_may_make_no_tables(
        self, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        line = program.refusal("migrate", DATABASE_URL=host.url.replace("gateway:", "reader:"))
        assert line.startswith(
            "DATABASE_URL names a database that does not let its user create tables: permission denied"
        )

    def test_says_that_the_server_is_read_only(self, host: PostgresqlHost, tmp_path: Path, program: Program) -> None:
        url = f"{host.url}?options=-c%20default_transaction_read_only%3Don"
        line = program.refusal("migrate", DATABASE_URL=url)
        assert line.startswith("DATABASE_URL names a database that refuses us: cannot execute")


class TestFinish:
    def test_says_what_its_user_may_not_change_and_does_nothing_by_half(
        self, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        host.sql("CREATE DATABASE upgraded OWNER gateway")
        url = f"{host.url.removesuffix('gateway')}upgraded"
        assert program.run("migrate", DATABASE_URL=url) == (0, "")
        host.sql("UPDATE alembic_version SET lowest_version = NULL", "upgraded")
        host.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", "upgraded")
        line = program.refusal("migrate --finish", DATABASE_URL=url.replace("gateway:", "reader:"))
        assert line == (
            "DATABASE_URL names a database that cannot be written: permission denied for table alembic_version"
        )
        host.sql("GRANT UPDATE ON alembic_version TO reader", "upgraded")
        assert main(["migrate", "--finish"]) == 0
        assert "may not change it: must be owner of table audit_event" in program.capsys.readouterr().out
        assert host.sql("SELECT relkind FROM pg_class WHERE relname = 'audit_event'", "upgraded") == "r"
        assert host.sql("SELECT 1 FROM pg_constraint WHERE conname LIKE 'audit_event_before%'", "upgraded") == ""


@pytest.mark.parametrize("command", ["migrate", "serve"])
class TestFile:
    def test_that_is_no_database_stays_as_it_is(self, command: str, tmp_path: Path, program: Program) -> None:
        file = tmp_path / "notes.txt"
        file.write_text("no database, but more than a hundred bytes" * 10)
        line = program.refusal(command, DATABASE_URL=f"sqlite:///{file}")
        assert line.startswith("DATABASE_URL names a database that ")
        assert line.endswith(": file is not a database")
        assert file.read_text() == "no database, but more than a hundred bytes" * 10

    def test_that_is_a_folder(self, command: str, tmp_path: Path, program: Program) -> None:
        line = program.refusal(command, DATABASE_URL=f"sqlite:///{tmp_path}")
        assert line.startswith("DATABASE_URL names a database that ")

    def test_that_cannot_be_reached(self, command: str, tmp_path: Path, program: Program) -> None:
        line = program.refusal(command, DATABASE_URL=f"sqlite:///{tmp_path}/{'x' * 300}.db")
        assert line.startswith("DATABASE_URL names a database that ")


class TestStateDir:
    @pytest.mark.parametrize("command", ["migrate", "serve"])
    def test_that_is_a_file_is_named(self, command: str, tmp_path: Path, program: Program) -> None:
        (tmp_path / "state").write_text("")
        assert program.refusal(command).startswith("STATE_DIR names ")

    def test_that_cannot_be_written_is_named(self, plain: PostgresqlHost, tmp_path: Path, program: Program) -> None:
        assert program.run("migrate", DATABASE_URL=plain.url) == (0, "")
        (tmp_path / "state").write_text("")
        line = program.refusal("serve", DATABASE_URL=plain.url)
        assert line.startswith(f"STATE_DIR names '{tmp_path}/state', where nothing can be written: ")


class TestTls:
    def test_trusts_this_machine_where_no_home_can_be_looked_into(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", f"/{'x' * 300}")
        context = tls_of(read_server_url("postgresql://u@no-home.example/n?sslmode=verify-full"))
        assert isinstance(context, ssl.SSLContext)
        assert context.verify_mode is ssl.CERT_REQUIRED

    @pytest.mark.parametrize(
        ("at", "query"),
        [
            ("127.0.0.1", "sslmode=disable"),
            ("127.0.0.1", "sslmode=allow"),
            ("127.0.0.1", "sslmode=prefer"),
            ("127.0.0.1", "sslmode=require"),
            ("127.0.0.1", "sslmode=require&channel_binding=require"),
            ("127.0.0.1", "sslmode=verify-ca&sslrootcert={roots}"),
            ("localhost", "sslmode=verify-full&sslrootcert={roots}"),
        ],
    )
    def test_is_spoken_in_each_mode_by_the_program_and_by_pg_dump(
        self, at: str, query: str, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        url = f"{host.url.replace('127.0.0.1', at)}?{query.format(roots=host.folder / 'root.crt')}"
        assert program.run("migrate", DATABASE_URL=url) == (0, "")
        assert "CREATE TABLE public.customer " in host._run("pg_dump", "--schema-only", url)

    def test_shows_the_certificate_of_the_url(
        self, trusted: trustme.CA, host: PostgresqlHost, tmp_path: Path, program: Program
    ) -> None:
        certificate = trusted.issue_cert(common_name="cert_user")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "c.crt")
        certificate.private_key_pem.write_to_path(tmp_path / "c.key")
        files = f"sslcert={tmp_path}/c.crt&sslkey={tmp_path}/c.key"
        for mode in ("require", "prefer"):
            url = f"postgresql://cert_user@127.0.0.1:{host.port}/gateway?sslmode={mode}&{files}"
            assert program.run("migrate", DATABASE_URL=url) == (0, "")


class TestSocket:
    @pytest.mark.parametrize(
        "form",
        ["postgresql://gateway@{encoded}:{port}/gateway", "postgresql://gateway@/gateway?host={folder}&port={port}"],
    )
    def test_is_taken_in_both_forms(self, form: str, host: PostgresqlHost, tmp_path: Path, program: Program) -> None:
        folder = str(host.folder)
        url = form.format(encoded=folder.replace("/", "%2F"), folder=folder, port=host.port)
        assert program.run("migrate", DATABASE_URL=url) == (0, "")
