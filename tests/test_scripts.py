"""The commands in scripts/ that change the source, each run on a copy of the project; and what other tools read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.source import ROOT

ENVIRONMENT = Path(sys.prefix)
COPIED = ("app", "scripts", "tests", ".github", ".ci", "pyproject.toml", "schema.graphql", "README.md")
NOT_COPIED = ("node_modules", "dist", "build", "generated", ".next", "__pycache__", "*.env")
# As other systems write them: other encodings and ends of lines are what they are there for.
FILES_OF_OTHERS = ROOT / "tests/services/staff/files"
LAST_NAME = "    last_name: str | None = Field(default=None, max_length=100)\n"
NEW_COLUMNS = """\
    call_name: str | None = Field(default=None, max_length=40)
    called_at: datetime | None = None
    calls: dict[str, Any] | None = Field(default=None, sa_type=JsonType)
"""


class Project:
    """A copy of the project in which everything is installed, to be changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of its scripts."""
        command = [str(self.path / "scripts" / script), *arguments]
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
        environment = {**ours, "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}
        return subprocess.run(
            command, check=False, cwd=self.path, env=environment, capture_output=True, text=True, timeout=300
        )

    def change(self, file: str, old: str, new: str) -> None:
        """Replace what stands there once."""
        path = self.path / file
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))

    def migrations(self) -> list[str]:
        """Return the names of the migrations, in their order."""
        return sorted(path.name for path in (self.path / "app/migrations/versions").glob("*.py"))


@pytest.fixture
def project() -> Iterator[Project]:
    """Give a copy, not in a folder of pytest, which are closed to the user that PostgreSQL runs as."""
    if not (ENVIRONMENT / "pyvenv.cfg").exists():
        pytest.skip("These tests run in no virtual environment, and the scripts need one.")
    path = Path(tempfile.mkdtemp(prefix="project-"))
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns(*NOT_COPIED))
        else:
            shutil.copy(ROOT / name, path / name)
    lend_environment(path)
    yield Project(path)
    shutil.rmtree(path)


def lend_environment(path: Path) -> None:
    """Let a project run in the environment of these tests."""
    environment = path / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(ENVIRONMENT / name)
    # How the scripts know what is installed, and that it stands where it was put: these tests have all of it.
    for name in ("requirements.txt", "requirements-test.txt"):
        shutil.copy(ROOT / "scripts" / name, environment / f"installed-{name}")
    (environment / "whole").write_text(f"{environment.resolve()}\n")


# A test of each kind; the tries of one are counted in a file, for each is in a process of its own.
SAMPLE = """\
from pathlib import Path

import pytest

from app import two

TRIES = Path(__file__).with_name("tries")


def test_passes():
    assert two() == 2


@pytest.mark.wall_clock
def test_passes_the_second_time():
    TRIES.write_text("again" if TRIES.exists() else "")
    assert TRIES.read_text() == "again"
"""
FAILS = """
def test_never_passes():
    assert two() == 3
"""
FAILS_AT_FIRST = """
@pytest.fixture(scope="module")
def cluster():
    if not TRIES.with_name("starts").exists():
        TRIES.with_name("starts").touch()
        raise RuntimeError("not yet")


@pytest.mark.parametrize("number", range(11))
@pytest.mark.wall_clock
def test_with_others(cluster, number):
    assert two() == 2
"""


@pytest.fixture
def sample(tmp_path: Path) -> Project:
    """Give a project with few tests and our scripts."""
    for folder in ("app", "scripts", "tests/harness"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("pyproject.toml", "scripts/setup", "scripts/test", "tests/harness/second_try.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "scripts/requirements-test.txt", tmp_path / "scripts")
    shutil.copy(ROOT / "scripts/requirements.txt", tmp_path / "scripts")
    (tmp_path / "app/__init__.py").write_text("def two():\n    return 2\n")
    (tmp_path / "tests/test_sample.py").write_text(SAMPLE)
    lend_environment(tmp_path)
    return Project(tmp_path)


class TestMigration:
    def test_writes_what_the_models_want_and_tries_it_on_both_databases(self, project: Project) -> None:
        before = project.migrations()
        project.change("app/models/customers.py", "import ID_LENGTH,", "import ID_LENGTH, JsonType,")
        project.change("app/models/customers.py", LAST_NAME, LAST_NAME + NEW_COLUMNS)
        done = project.run("migration", "customers", "have a call name")
        assert done.returncode == 0, done.stdout + done.stderr
        (written,) = set(project.migrations()) - set(before)
        number = int(before[-1].partition("_")[0]) + 1
        assert written == f"{number:04}_customers_have_a_call_name.py"
        assert f"app/migrations/versions/{written}" in done.stdout
        text = (project.path / "app/migrations/versions" / written).read_text()
        assert text.startswith('"""Customers have a call name."""\n')
        assert f'down_revision = "{number - 1:04}"' in text
        assert 'op.add_column("customer", sa.Column("call_name", sa.String(40), nullable=True))' in text
        assert 'op.add_column("customer", sa.Column("called_at", sa.DateTime(timezone=True), nullable=True))' in text
        assert 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")' in text
        assert "sqlmodel" not in text
        again = project.run("migration", "once more")
        assert again.returncode == 1
        assert "The models have nothing that the migrations do not make" in again.stderr
        assert len(project.migrations()) == len(before) + 1

    def test_says_which_database_does_not_take_it(self, project: Project) -> None:
        new = LAST_NAME + '    call_name: str = Field(default="", max_length=40)\n'
        project.change("app/models/customers.py", LAST_NAME, new)
        done = project.run("migration", "call_names")
        assert done.returncode == 1
        assert "SQLite does not take it where there are rows: Cannot add a NOT NULL column" in done.stderr
        assert "Mend the migration" in done.stderr
        file = f"app/migrations/versions/{project.migrations()[-1]}"
        project.change(file, "nullable=False", 'nullable=False, server_default=""')
        mended = project.run("migration")
        assert mended.returncode == 0, mended.stderr

    def test_says_where_the_models_are_more_than_the_migrations(self, project: Project) -> None:
        project.change("app/models/customers.py", LAST_NAME, LAST_NAME.replace("last_name", "family_name"))
        done = project.run("migration")
        assert done.returncode == 1
        assert "SQLite is not as the models are" in done.stderr
        assert "family_name" in done.stderr

    def test_writes_one_without_a_statement_for_what_only_people_can_write(self, project: Project) -> None:
        done = project.run("migration", "--empty", "old tags go")
        assert done.returncode == 0, done.stdout + done.stderr
        text = (project.path / "app/migrations/versions" / project.migrations()[-1]).read_text()
        assert "op." not in text
        assert text.endswith('def upgrade() -> None:\n    """Bring the database to this revision."""\n')

    def test_wants_a_name_that_says_something(self, project: Project) -> None:
        before = project.migrations()
        done = project.run("migration", "--empty", "…")
        assert done.returncode == 1
        assert "A migration has a name" in done.stderr
        assert project.migrations() == before


class TestFormat:
    def test_mends_what_can_be_mended(self, project: Project) -> None:
        file = project.path / "app" / "untidy.py"
        file.write_text("'''Untidy.'''\nimport sys\nimport os\nx = [ 1,2 ]\nprint(os.sep)\n")
        done = project.run("format")
        assert file.read_text().startswith('"""Untidy."""\n\nimport os\n\nx = [1, 2]\n')
        # What it cannot mend, it says, and formats all the same.
        assert done.returncode == 1
        assert "T201" in done.stdout


class TestSchema:
    def test_rewrites_the_sdl_and_the_table_of_who_may_call_what(self, project: Project) -> None:
        readme = ROOT / "app/graphql/README.md"
        (project.path / "schema.graphql").write_text("type Query\n")
        project.change("app/graphql/README.md", "| `me` | U |", "| `me` | ? |")
        done = project.run("schema")
        assert done.returncode == 0, done.stderr
        assert (project.path / "schema.graphql").read_text() == (ROOT / "schema.graphql").read_text()
        assert (project.path / "app/graphql/README.md").read_text() == readme.read_text()


class TestTest:
    def test_runs_what_is_named(self, project: Project) -> None:
        done = project.run("test", "tests/domain/test_tags.py", "-k", "upper_case")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout

    def test_passes_where_what_failed_passes_alone_and_names_it(self, sample: Project) -> None:
        done = sample.run("test")
        assert done.returncode == 0, done.stdout + done.stderr
        unsteady, cause, name = done.stdout.splitlines()[-3:]
        assert unsteady.startswith("Unsteady: failed among the others and passed alone.")
        assert re.fullmatch(r"  tests/test_sample\.py:\d+: AssertionError: assert '' == 'again' .*", cause)
        assert name == "    tests/test_sample.py::test_passes_the_second_time"

    def test_fails_where_a_test_fails_twice_and_names_it_in_its_last_lines(self, sample: Project) -> None:
        sample.change("tests/test_sample.py", "\n\n@pytest", f"{FAILS}\n\n@pytest")
        done = sample.run("test")
        assert done.returncode == 1
        twice, cause, name = done.stdout.splitlines()[-3:]
        assert (twice, name) == ("Failed twice:", "    tests/test_sample.py::test_never_passes")
        assert re.fullmatch(r"  tests/test_sample\.py:\d+: assert 2 == 3 .*", cause)
        assert "\n    tests/test_sample.py::test_passes_the_second_time\n" in done.stdout

    def test_tries_many_again_that_failed_for_one_cause(self, sample: Project) -> None:
        sample.change("tests/test_sample.py", "\n\n@pytest", f"{FAILS_AT_FIRST}\n\n@pytest")
        done = sample.run("test")
        assert done.returncode == 0, done.stdout + done.stderr
        _, _, unsteady = done.stdout.partition("Unsteady:")
        assert unsteady.count("RuntimeError: not yet") == 1
        assert unsteady.count("    tests/test_sample.py::test_with_others") == 11

    def test_tries_nothing_again_where_tests_could_not_be_read(self, sample: Project) -> None:
        (sample.path / "tests/test_broken.py").write_text("import nothing_of_this_name\n")
        done = sample.run("test")
        assert done.returncode == pytest.ExitCode.INTERRUPTED
        assert "too much for a second try" in done.stdout
        assert done.stdout.splitlines()[-1] == "  tests/test_broken.py"

    def test_fails_where_too_little_is_covered(self, sample: Project) -> None:
        sample.change("app/__init__.py", "    return 2\n", "    return 2\n\n\ndef three():\n    return 3\n")
        (sample.path / "tests/tries").touch()
        done = sample.run("test")
        assert done.returncode == 2
        assert "Coverage failure: total of 75 is less than fail-under=95" in done.stdout


class TestPreCommit:
    HOOKS: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())

    def test_fetches_nothing(self) -> None:
        assert [repository["repo"] for repository in self.HOOKS["repos"]] == ["local"]

    def test_runs_scripts_check_on_all_that_there_is(self) -> None:
        (hook,) = self.HOOKS["repos"][0]["hooks"]
        assert (hook["entry"], hook["language"]) == ("scripts/check", "system")
        assert (hook["pass_filenames"], hook["always_run"]) == (False, True)
        assert os.access(ROOT / hook["entry"], os.X_OK)


def own_files() -> Iterator[Path]:
    """Yield each file of text of the project."""
    for name in (*COPIED, ".editorconfig", ".gitignore", ".dockerignore", ".pre-commit-config.yaml", "Dockerfile"):
        start = ROOT / name
        for path in start.rglob("*") if start.is_dir() else [start]:
            parts = set(path.relative_to(ROOT).parts)
            if path.is_file() and not parts & set(NOT_COPIED) and path.suffix not in {".pyc", ".env"}:
                yield path


class TestFiles:
    def test_are_written_as_editorconfig_says(self) -> None:
        rules = ConfigParser()
        rules.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
        assert dict(rules["*"])["trim_trailing_whitespace"] == "true"
        (ending_in_spaces,) = (name for name in rules.sections()[2:] if "trim_trailing_whitespace" in rules[name])
        found = []
        for path in own_files():
            name = path.relative_to(ROOT).as_posix()
            if path.suffix == ".bin" or FILES_OF_OTHERS in path.parents:
                continue
            lines = path.read_bytes().decode("utf-8").split("\n")
            is_ragged = any(line != line.rstrip() for line in lines) and name not in ending_in_spaces.strip("{}").split(
                ","
            )
            if lines[-1] or is_ragged or any("\r" in line for line in lines):
                found.append(name)
        assert found == []
