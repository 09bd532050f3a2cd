"""The command line: what each command prints, and that a fault of the configuration is a clear line and exit 2."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.adapters.database.schema_version import newest_migration
from app.commands.command_line import main
from app.domain.operation_lists import hash_operation
from app.domain.releases import RELEASE
from app.graphql.schema import build_schema
from app.settings import Settings
from tests.harness.postgresql import PostgresqlServer, free_port


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave of the real environment nothing that the program reads."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))


class TestSchema:
    def test_prints_the_sdl(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["schema"]) == 0
        assert capsys.readouterr().out == build_schema().as_str() + "\n"

    def test_prints_the_sdl_of_the_subgraph(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["schema", "--federation"]) == 0
        assert capsys.readouterr().out == build_schema().subgraph_sdl + "\n"


LISTED_SHOP = """
[tenants.shop]
name = "Shop"
signup = "open"
operations_file = "operations.json"
sites.main = { url = "https://shop.example", language = "en" }
clients = [{ id = "spa", kind = "storefront" }]
"""


@pytest.fixture
def list_operations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Make the tenants file that of a shop that lists these operations."""

    def write(*texts: str) -> None:
        (tmp_path / "operations.json").write_text(json.dumps({hash_operation(text): text for text in texts}))
        (tmp_path / "tenants.toml").write_text(LISTED_SHOP)
        monkeypatch.setenv("TENANTS_FILE", str(tmp_path / "tenants.toml"))

    return write


class TestTenantsCheck:
    def test_names_the_tenants_of_a_file_in_order(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["tenants", "check"]) == 0
        assert "demo, open, staffed" in capsys.readouterr().out

    def test_says_every_fault_of_a_bad_file_and_ends_with_two(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / "tenants.toml"
        file.write_text(
            '[tenants.shop]\nname = "Shop"\ncolour = "red"\nsites.main = { url = "nowhere", language = "en" }\n'
        )
        monkeypatch.setenv("TENANTS_FILE", str(file))
        assert main(["tenants", "check"]) == 2
        errors = capsys.readouterr().err
        assert "colour" in errors
        assert "url" in errors
        assert "Traceback" not in errors

    def test_takes_a_list_of_operations_that_the_schema_runs(self, list_operations: Callable[..., None]) -> None:
        list_operations("query Me { me { email } }", "mutation Out { logout { loggedOut } }")
        assert main(["tenants", "check"]) == 0

    @pytest.mark.parametrize("command", [["tenants", "check"], ["serve"]])
    def test_says_in_a_line_what_the_schema_does_not_run(
        self, capsys: pytest.CaptureFixture[str], list_operations: Callable[..., None], command: list[str]
    ) -> None:
        list_operations("query Me { me { email } }", "query You { me { nickname } }")
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("tenants.shop.operations_file lists ")
        assert "'nickname'" in line


class TestMigrate:
    def test_makes_the_database_of_the_state_folder(self, tmp_path: Path) -> None:
        assert main(["migrate"]) == 0
        assert (tmp_path / "gateway.db").is_file()

    def test_says_when_no_older_release_serves_any_more(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["migrate", "--finish"]) == 2
        assert capsys.readouterr().err.endswith("names a database without our tables: run python -m app migrate\n")
        assert main(["migrate"]) == 0
        for _ in range(2):
            assert main(["migrate", "--finish"]) == 0
            told = f"From now on no release before {RELEASE} may serve on this database.\n"
            assert capsys.readouterr().out == told


class TestServe:
    def test_names_each_bad_variable_and_ends_with_two(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORT", "http")
        monkeypatch.setenv("DATABASE_URL", "mysql://localhost/shop")
        assert main(["serve"]) == 2
        assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == ["DATABASE_URL", "PORT"]

    def test_refuses_production_without_its_secrets(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PROFILE", "production")
        assert main(["serve"]) == 2
        missing = {line.split()[0] for line in capsys.readouterr().err.splitlines()}
        assert {"MAIL_FROM", "PUBLIC_URL", "SIGNING_KEYS_FILE", "SMTP_URL", "TENANTS_FILE"} <= missing

    def test_names_a_bad_file_of_signing_keys(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / "keys.json"
        file.write_text('{"keys": []}')
        assert main(["migrate"]) == 0
        capsys.readouterr()
        monkeypatch.setenv("SIGNING_KEYS_FILE", str(file))
        assert main(["worker"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "keys.json" in line


class TestCommandsThatNeedTheTables:
    """They say in one line that the database was not migrated, and leave everything as it is."""

    COMMANDS = (
        ["serve"],
        ["worker"],
        ["outbox"],
        ["outbox", "retry"],
        ["outbox", "retry", "--all"],
        ["outbox", "retry", "0199f0a0-0000-7000-8000-000000000000"],
        ["webhooks", "deliveries"],
        ["webhooks", "deliveries", "--failed", "--tenant", "demo"],
        ["webhooks", "resume"],
        ["webhooks", "resume", "--tenant", "demo", "--url", "https://hooks.example/customers"],
        ["webhooks", "replay", "0199f0a0-0000-7000-8000-000000000000"],
        ["customers", "import", "CUSTOMERS"],
    )

    @pytest.fixture(params=["sqlite", "postgresql"])
    def database(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> Iterator[str]:
        """Name a database without any table, of both kinds in turn."""
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path}/not/yet/gateway.db"
            return
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        name = server.create_database()
        monkeypatch.setenv("DATABASE_URL", server.url(name))
        yield server.url(name)
        server.drop_database(name)

    def refusal(self, command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
        """Run the command, which must end with exit code 2 and one line."""
        customers = folder / "customers.jsonl"
        customers.write_text('{"email": "ada@example.com"}\n')
        capsys.readouterr()
        assert main([str(customers) if part == "CUSTOMERS" else part for part in command]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        (line,) = printed.err.splitlines()
        return line

    @pytest.mark.parametrize("command", COMMANDS)
    def test_say_so_of_an_empty_one_and_make_nothing(
        self,
        command: list[str],
        database: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", database)
        state = tmp_path / "state"
        monkeypatch.setenv("STATE_DIR", str(state))
        line = self.refusal(command, tmp_path, capsys)
        assert line == "DATABASE_URL names a database without our tables: run python -m app migrate"
        assert [path.name for path in tmp_path.iterdir()] == ["customers.jsonl"]

    @pytest.mark.parametrize("command", COMMANDS)
    def test_say_so_of_an_older_one(
        self,
        command: list[str],
        database: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", database)
        assert main(["migrate"]) == 0
        monkeypatch.setattr("app.wiring.newest_migration", lambda: "9999")
        line = self.refusal(command, tmp_path, capsys)
        assert f"at migration {newest_migration()}, before 9999: run python -m app migrate" in line

    def test_run_on_one_that_is_newer_as_during_an_upgrade(
        self,
        database: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", database)
        assert main(["migrate"]) == 0
        monkeypatch.setattr("app.wiring.newest_migration", lambda: "0000")
        assert main(["outbox"]) == 0
        assert "0 waiting" in capsys.readouterr().out

    @pytest.mark.parametrize("content", [b"", b"no database, but more than a hundred bytes" * 10])
    def test_leave_a_file_as_it_is_that_is_none_of_ours(
        self, content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        file = tmp_path / "other.db"
        file.write_bytes(content)
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
        assert self.refusal(["outbox"], tmp_path, capsys).startswith("DATABASE_URL names a database")
        assert file.read_bytes() == content

    def test_name_a_server_that_does_not_answer(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", f"postgresql://gateway:hidden@127.0.0.1:{free_port()}/gateway")
        line = self.refusal(["outbox"], tmp_path, capsys)
        assert line.startswith("DATABASE_URL names a database that does not answer: ")
        assert "hidden" not in line


class TestKeys:
    def test_rotates_the_keys_of_the_state_folder_and_lists_them(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        assert main(["keys", "rotate"]) == 0
        assert main(["keys", "rotate"]) == 0
        capsys.readouterr()
        assert main(["keys", "list"]) == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert [use for _, use in lines] == ["current", "next", "previous"]
        assert (tmp_path / "signing-keys.json").is_file()

    def test_makes_another_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        file = tmp_path / "keys.json"
        assert main(["keys", "rotate", "--file", str(file)]) == 0
        assert file.is_file()
        assert capsys.readouterr().out.splitlines()[0].endswith("  current")

    def test_shows_nothing_of_a_key(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        assert main(["keys", "rotate"]) == 0
        keys = json.loads((tmp_path / "signing-keys.json").read_text())["keys"]
        shown = capsys.readouterr().out
        assert len(keys) == 2
        assert all(key["d"] not in shown for key in keys)

    def test_says_that_there_are_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["keys", "list"]) == 2
        assert "cannot be read" in capsys.readouterr().err


class TestUnknownCommand:
    def test_shows_how_it_is_used(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["dance"])
        assert "usage: python -m app" in capsys.readouterr().err
