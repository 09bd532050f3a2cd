"""The command line: what each command prints, and that a fault of the configuration is a clear line and exit 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.__main__ import main
from app.domain.operation_lists import hash_operation
from app.graphql.schema import build_schema
from app.settings import Settings


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
        monkeypatch.setenv("SIGNING_KEYS_FILE", str(file))
        assert main(["worker"]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


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
