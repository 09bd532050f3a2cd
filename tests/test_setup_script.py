"""`scripts/setup`: whatever `.venv` was before, afterwards it has what is pinned, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.source import ROOT
from tests.installs.wheels import make_wheel, pin

INSTALLING = "Installing"
LIST = "from importlib.metadata import *; [print(each.name, each.version, sep='==') for each in distributions()]"


class Project:
    """A project with nothing but `scripts/setup`, and requirements of small packages of our own making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._wheels = folder.parent / "wheels"
        for name, version in (("alpha", "1"), ("alpha", "2"), ("beta", "1"), ("gamma", "1")):
            make_wheel(self._wheels, name, version)
        (folder / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/setup", folder / "scripts")

    def pin(self, name: str, *packages: str) -> None:
        (self.folder / "scripts" / name).write_text(pin(self._wheels, *packages))

    def run(
        self, name: str, *, check: bool = True, path: str = "", pip: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Source the script as another script does, and list what the environment has."""
        command = f'source "{self.folder}/scripts/setup" {name}; python -c "{LIST}"'
        settings = {
            "PATH": f"{path}:{Path(sys.base_prefix) / 'bin'}:{os.defpath}",
            "HOME": str(self.folder),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self._wheels),
            **(pip or {}),
        }
        return subprocess.run(["bash", "-c", command], env=settings, check=check, capture_output=True, text=True)

    def installed(self, name: str) -> list[str]:
        lines = sorted(self.run(name).stdout.splitlines())
        return [line for line in lines if not line.startswith(("pip==", "setuptools=="))]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "a project")
    project.pin("requirements.txt", "alpha==1")
    project.pin("requirements-test.txt", "alpha==1", "beta==1")
    return project


class TestSetup:
    def test_installs_what_is_pinned_once(self, project: Project) -> None:
        first = project.run("requirements.txt")
        assert INSTALLING in first.stderr
        second = project.run("requirements.txt")
        assert (second.stdout, second.stderr) == (first.stdout, "")
        assert "alpha==1" in first.stdout

    def test_installs_the_same_whatever_pip_is_set_to(self, project: Project, tmp_path: Path) -> None:
        constraints = tmp_path / "constraints.txt"
        constraints.write_text("alpha==2\n")
        settings = {"PIP_USER": "1", "PIP_TARGET": str(tmp_path / "away"), "PIP_CONSTRAINT": str(constraints)}
        assert "alpha==1" in project.run("requirements.txt", pip=settings).stdout

    def test_installs_the_other_sqlite_besides_and_goes_without_where_it_is_not_made_for_the_machine(
        self, project: Project
    ) -> None:
        project.pin("requirements-sqlite.txt", "gamma==1")
        assert project.installed("requirements.txt") == ["alpha==1", "gamma==1"]
        pins = project.folder / "scripts/requirements-sqlite.txt"
        pins.write_text(pins.read_text().replace("gamma", "delta"))
        without = project.run("requirements.txt")
        assert "Not installed: scripts/requirements-sqlite.txt" in without.stderr
        assert "gamma" not in without.stdout
        assert project.installed("requirements.txt") == ["alpha==1"]

    def test_keeps_what_another_file_has_installed(self, project: Project) -> None:
        project.run("requirements.txt")
        assert project.installed("requirements-test.txt") == ["alpha==1", "beta==1"]
        again = project.run("requirements.txt")
        assert INSTALLING not in again.stderr
        assert "beta==1" in again.stdout

    def test_leaves_nothing_that_is_no_longer_pinned(self, project: Project) -> None:
        project.run("requirements-test.txt")
        project.pin("requirements-test.txt", "alpha==2")
        assert project.installed("requirements-test.txt") == ["alpha==2"]

    def test_leaves_nothing_of_another_file_that_has_changed(self, project: Project) -> None:
        """A branch with newer pins is tested, and the old one is served again."""
        project.run("requirements.txt")
        project.pin("requirements.txt", "alpha==2")
        project.pin("requirements-test.txt", "alpha==2", "gamma==1")
        assert project.installed("requirements-test.txt") == ["alpha==2", "gamma==1"]
        project.pin("requirements.txt", "alpha==1")
        project.pin("requirements-test.txt", "alpha==1", "beta==1")
        assert project.installed("requirements.txt") == ["alpha==1"]

    def test_begins_anew_after_an_install_that_was_cut_off(self, project: Project) -> None:
        whole = project.folder / "scripts/requirements-test.txt"
        pins = whole.read_text()
        whole.write_text(pins.replace("sha256:", "sha256:0", 1))
        assert project.run("requirements-test.txt", check=False).returncode != 0
        (site,) = (project.folder / ".venv/lib").glob("python*/site-packages")
        (site / "half.py").touch()
        whole.write_text(pins)
        assert project.installed("requirements-test.txt") == ["alpha==1", "beta==1"]
        assert not (site / "half.py").exists()

    def test_takes_no_environment_that_somebody_else_has_made(self, project: Project) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", project.folder / ".venv"], check=True)
        assert project.installed("requirements.txt") == ["alpha==1"]

    def test_empties_no_environment_that_only_a_link_leads_to(self, project: Project, tmp_path: Path) -> None:
        (tmp_path / "shared").mkdir()
        (tmp_path / "shared" / "kept").touch()
        (project.folder / ".venv").symlink_to(tmp_path / "shared")
        assert project.installed("requirements.txt") == ["alpha==1"]
        assert [path.name for path in (tmp_path / "shared").iterdir()] == ["kept"]

    def test_begins_anew_where_the_project_was_moved_to(self, project: Project) -> None:
        project.run("requirements.txt")
        project.folder = project.folder.rename(project.folder.with_name("moved"))
        assert INSTALLING in project.run("requirements.txt").stderr
        activate = (project.folder / ".venv/bin/activate").read_text()
        assert str(project.folder) in activate

    def test_begins_anew_when_its_python_is_gone(self, project: Project) -> None:
        project.run("requirements.txt")
        for program in (project.folder / ".venv/bin").glob("python*"):
            program.unlink()
            program.symlink_to("/nowhere/python")
        assert project.installed("requirements.txt") == ["alpha==1"]

    def test_begins_anew_when_its_python_has_become_another(self, project: Project) -> None:
        project.run("requirements.txt")
        (packages,) = (project.folder / ".venv/lib").glob("python*")
        packages.rename(packages.with_name("python3.0"))
        assert project.installed("requirements.txt") == ["alpha==1"]

    def test_renews_the_environment_that_is_active(self, project: Project) -> None:
        project.run("requirements.txt")
        project.pin("requirements.txt", "alpha==2")
        renewed = project.run("requirements.txt", path=str(project.folder / ".venv/bin"))
        assert "alpha==2" in renewed.stdout
        assert (project.folder / ".venv/bin/python").resolve().exists()

    def test_happens_one_at_a_time(self, project: Project) -> None:
        names = ["requirements.txt", "requirements-test.txt"] * 2
        with ThreadPoolExecutor(len(names)) as pool:
            ended = list(pool.map(lambda name: project.run(name, check=False), names))
        assert [each.stderr for each in ended if each.returncode] == []
        assert project.installed("requirements-test.txt") == ["alpha==1", "beta==1"]
        assert INSTALLING not in project.run("requirements.txt").stderr


class TestPython:
    def fake(self, folder: Path, name: str, version: tuple[int, int]) -> None:
        """Write a program that says no to every question but by the version that it claims to have."""
        folder.mkdir(exist_ok=True)
        program = f"import sys; sys.version_info = {(*version, 0)!r}; exec(sys.argv[2])"
        (folder / name).write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "{program}" "$@"\n')
        (folder / name).chmod(0o755)

    def test_is_one_that_there_are_files_for(self, project: Project, tmp_path: Path) -> None:
        self.fake(tmp_path / "bin", "python3", (3, 15))
        assert "alpha==1" in project.run("requirements.txt", path=str(tmp_path / "bin")).stdout

    def test_is_asked_for_where_there_is_none(self, project: Project, tmp_path: Path) -> None:
        for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
            self.fake(tmp_path / "bin", name, (3, 10))
        ended = project.run("requirements.txt", check=False, path=str(tmp_path / "bin"))
        assert ended.returncode == 1
        assert ended.stderr.startswith("Python 3.11 to 3.14 with venv is needed (Debian: python3-venv); python3 is: ")
        assert not (project.folder / ".venv").exists()
