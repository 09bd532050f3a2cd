"""The command line: what each command prints, and that a fault of the configuration is a clear line and exit 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.__main__ import main
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


class TestUnknownCommand:
    def test_shows_how_it_is_used(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["dance"])
        assert "usage: python -m app" in capsys.readouterr().err
