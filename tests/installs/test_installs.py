"""What `scripts/installs` finds amiss, with a real pip, a real environment, and packages of our own making."""

from __future__ import annotations

import sys
from pathlib import Path

import pip
import pytest

from tests.installs.__main__ import Task
from tests.installs.environments import InstallFailed, Python, find_python
from tests.installs.pins import RequirementsFile
from tests.installs.wheels import make_wheel, pin

PIP = Path(pip.__file__).parent


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    make_wheel(folder, "alpha", "1", ["beta>=1; extra == 'fast'", "gone; python_version < '3.0'"], ["fast"])
    make_wheel(folder, "beta", "1")
    make_wheel(folder, "beta", "2", ["gamma"])
    make_wheel(folder, "gamma", "1")
    return folder


@pytest.fixture
def python() -> Python:
    found = find_python(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found is not None
    return found


class TestInstalling:
    def faults(self, python: Python, wheels: Path, pins: str) -> list[str]:
        file = RequirementsFile(wheels.parent / "requirements-own.txt")
        file.pinned.write_text(pins)
        file.pinned.with_suffix(".in").write_text("alpha[fast]==1  # with what makes it fast\n")
        return list(Task(python, "pip", file).run(PIP, wheels, wheels.parent / "environment"))

    def test_finds_nothing_in_pins_that_are_closed(self, python: Python, wheels: Path) -> None:
        assert self.faults(python, wheels, pin(wheels, "alpha==1", "beta==1")) == []

    def test_misses_the_pin_of_an_extra_that_was_taken_out(self, python: Python, wheels: Path) -> None:
        assert self.faults(python, wheels, pin(wheels, "alpha==1")) == [
            "alpha[fast] needs beta>=1, which is not pinned."
        ]

    def test_misses_what_a_newer_version_needs(self, python: Python, wheels: Path) -> None:
        assert self.faults(python, wheels, pin(wheels, "alpha==1", "beta==2")) == [
            "beta needs gamma, which is not pinned."
        ]

    def test_misses_what_is_wanted_and_not_pinned(self, python: Python, wheels: Path) -> None:
        assert self.faults(python, wheels, pin(wheels, "beta==1")) == [
            "requirements-own.in needs alpha==1, which is not pinned."
        ]

    def test_takes_nothing_whose_hash_is_another(self, python: Python, wheels: Path) -> None:
        pins = pin(wheels, "alpha==1", "beta==1")
        make_wheel(wheels, "beta", "1", ["gamma"])
        with pytest.raises(InstallFailed, match=r"(?s)DO NOT MATCH THE HASHES.*beta==1"):
            self.faults(python, wheels, pins)

    def test_takes_nothing_without_a_hash(self, python: Python, wheels: Path) -> None:
        with pytest.raises(InstallFailed, match="Hashes are required"):
            self.faults(python, wheels, pin(wheels, "alpha==1") + "beta==1\n")

    def test_takes_nothing_that_is_no_pin(self, python: Python, wheels: Path) -> None:
        with pytest.raises(InstallFailed, match="pinned with =="):
            self.faults(python, wheels, pin(wheels, "alpha==1", "beta==1").replace("beta==1", "beta>=1"))


class TestPythons:
    def test_are_found_by_their_minor_version(self, python: Python) -> None:
        assert python.environment["python_version"] == f"{sys.version_info.major}.{sys.version_info.minor}"
        assert find_python("3.0") is None
