"""Every command of every README works: it is run here, or stands below with the test that runs it, or why none does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands.command_line import parse
from app.settings import Settings
from app.wiring import rotate
from tests.adapters.keys.foreign_hashes import FIREBASE_PARAMETERS, PEPPER
from tests.harness.postgresql import PostgresqlServer
from tests.harness.readmes import documents
from tests.harness.server import ROOT

DOCUMENTS = documents()
COMMANDS = list(dict.fromkeys(command for document in DOCUMENTS for command in document.commands))
MENTIONED = re.compile(r"python -m app( [^`\n]*)?")

# Commands that another test runs.
RUN_ELSEWHERE: dict[str, str] = {
    r"scripts/serve": "tests/test_serve_script.py::test_answers_soon_when_everything_is_installed",
    r"curl .*": "tests/test_readme.py::test_work_as_they_stand",
    r"ACCESS_TOKEN=.*": "tests/test_readme.py::test_work_as_they_stand",
    r"cd app/http/storefront/client && npm .*": "tests/clients/test_library.py::test_is_built_as_its_readme_says",
    r"cd app/http/storefront && npm .*": "tests/storefront/test_types.py::test_fit_the_schema",
    r"scripts/format": "tests/test_scripts.py::test_mends_what_can_be_mended",
    r"scripts/test tests/\S+\.py( -k \w+)?": "tests/test_scripts.py::test_runs_what_is_named",
    r"python -m app serve": "tests/test_production.py::test_is_json_and_holds_nothing_private_of_a_whole_journey",
    r"WORKER=off python -m app serve": "tests/test_worker.py::test_deliver_each_mail_once",
    r"OTEL_\S+ OTEL_\S+ python -m app serve": (
        "tests/test_tracing.py::test_sends_a_span_of_each_request_with_nothing_of_the_person"
    ),
    r"python -m app worker": "tests/test_worker.py::test_deliver_each_mail_once",
    r"python -m app webhooks replay .*": "tests/services/outgoing/test_webhooks.py::test_send_again",
}
# Commands that no test runs, and why.
RUN_NOWHERE: dict[str, str] = {
    r"scripts/test": "It is what runs this test.",
    r"scripts/test --fast": "It is a part of this very suite.",
    r"scripts/check": "Continuous integration runs it before the tests; it would check this very tree once more.",
    r"scripts/installs": "Continuous integration runs it before the tests: it installs from the network, for minutes.",
    r"scripts/bench( --quick)?": "Continuous integration runs it after the tests: it takes minutes.",
    r"python -m tests.bench.scale.costs": "It takes minutes, and writes other numbers into its file each time.",
    r"scripts/faults .*": "Continuous integration runs it after the tests: it takes minutes.",
    r"docker .*": "There is no container engine here; tests/test_containers.py reads what it would read.",
    r"pip install .*": "It installs from the network, into the environment that these tests run in.",
}
# Places of an operator's machine that a test must not write to.
ELSEWHERE = {"/etc/gateway/keys": "keys"}


def matching(command: str, patterns: dict[str, str]) -> list[str]:
    return [pattern for pattern in patterns if re.fullmatch(pattern, command)]


RUN_HERE = [each for each in COMMANDS if not matching(each, RUN_ELSEWHERE) and not matching(each, RUN_NOWHERE)]


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """Return the folder of somebody who has served the gateway for a while, and has a file to import."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "gateway.db")
    rotate(Settings.load({"STATE_DIR": str(tmp_path / "var")}), None)
    examples = [text for document in DOCUMENTS for text in document.texts("json") if '"passwordHash"' in text]
    (tmp_path / "customers.jsonl").write_text("".join(examples))
    shutil.copy(ROOT / "tests/services/staff/files/shopify_old.csv", tmp_path / "customers.csv")
    (columns,) = [text for document in DOCUMENTS for text in document.texts("toml") if "E-Mail" in text]
    (tmp_path / "map.toml").write_text(columns)
    (tmp_path / "old-shop.csv").write_text(
        "E-Mail;Vorname;Name;Straße;Ort;Land;Verwendung;Bemerkung\n"
        "eva@example.com;Eva;Eva Roth;Weg 1;Ulm;DE;Billing, Shipping;Stammkundin\n"
    )
    (tmp_path / "pepper.txt").write_text(PEPPER)
    (tmp_path / "firebase.txt").write_text(FIREBASE_PARAMETERS)
    return tmp_path


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it in that folder, with nothing of what this process has set."""
    for place, name in ELSEWHERE.items():
        command = command.replace(place, str(folder / name))
    ours = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    path = f"{Path(sys.executable).parent}:{ours['PATH']}"
    environment = {**ours, "PATH": path, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        ["sh", "-c", command], check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


class TestCommands:
    @pytest.mark.parametrize("command", [each for each in RUN_HERE if not each.startswith("pg_dump")])
    def test_work_as_they_stand(self, folder: Path, command: str) -> None:
        if command.startswith("sqlite3") and shutil.which("sqlite3") is None:
            pytest.skip("sqlite3 is not installed")
        done = run(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def test_back_up_postgresql(self, folder: Path, postgresql: PostgresqlServer, postgresql_template: str) -> None:
        (command,) = [each for each in RUN_HERE if each.startswith("pg_dump")]
        path = f"{postgresql.programs}:{os.environ['PATH']}"
        done = run(command, folder, DATABASE_URL=postgresql.url(postgresql_template), PATH=path)
        assert done.returncode == 0, done.stderr
        assert (folder / "gateway.dump").stat().st_size > 10_000

    @pytest.mark.parametrize(("pattern", "test"), RUN_ELSEWHERE.items())
    def test_that_another_test_runs_have_that_test(self, pattern: str, test: str) -> None:
        assert any(re.fullmatch(pattern, each) for each in COMMANDS), "No README has the command any more."
        file, _, name = test.partition("::")
        assert re.search(rf"def {name}\(", (ROOT / file).read_text()), f"There is no {test}."

    @pytest.mark.parametrize("pattern", RUN_NOWHERE)
    def test_that_no_test_runs_are_still_there(self, pattern: str) -> None:
        assert any(re.fullmatch(pattern, each) for each in COMMANDS), "No README has the command any more."

    @pytest.mark.parametrize("command", COMMANDS)
    def test_have_one_answer_to_who_runs_them(self, command: str) -> None:
        patterns = matching(command, RUN_ELSEWHERE) + matching(command, RUN_NOWHERE)
        assert len(patterns) <= 1, f"{command} is listed twice: {patterns}"

    @pytest.mark.parametrize("command", COMMANDS)
    def test_name_scripts_and_files_that_are_there(self, command: str) -> None:
        named = re.findall(r"(?<![\w/.])(?:scripts|tests|app)/[\w./-]+", command)
        assert [name for name in named if not (ROOT / name).exists()] == []


class TestTheProgramsOwn:
    @pytest.mark.parametrize(
        "arguments", sorted({found.strip() for each in DOCUMENTS for found in MENTIONED.findall(each.text)} - {""})
    )
    def test_are_such_as_there_are(self, arguments: str) -> None:
        parse(shlex.split(arguments, comments=True))

    def test_are_all_said_somewhere(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            parse(["--help"])
        commands = re.findall(r"^    (\w+)  ", capsys.readouterr().out, re.MULTILINE)
        assert len(commands) >= 8
        texts = "".join(document.text for document in DOCUMENTS)
        assert [command for command in commands if f"python -m app {command}" not in texts] == []


class TestScripts:
    def test_are_all_said_in_their_readme(self) -> None:
        text = (ROOT / "scripts" / "README.md").read_text()
        scripts = [path for path in (ROOT / "scripts").iterdir() if not path.suffix and path.is_file()]
        assert len(scripts) >= 8
        assert [path.name for path in scripts if f"`scripts/{path.name}" not in text] == []
