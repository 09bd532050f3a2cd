"""The pins of the project are closed under dependencies and extras, and a pin that is taken out is missed by name."""

from __future__ import annotations

import itertools
import re
import shutil
import sysconfig
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.utils import canonicalize_name

from tests.harness.readmes import documents
from tests.harness.source import ROOT
from tests.installs.__main__ import PYTHONS
from tests.installs.closure import gaps, installed_in
from tests.installs.pins import FLAGS, SCRIPTS, RequirementsFile, requirements_files, versions

FILES = requirements_files()
INSTALLED = installed_in(sysconfig.get_path("purelib"))
PLATFORMS = [("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64")]
# The first and the last patch: packages ask for those as well.
PATCHES = [f"{minor}.{patch}" for minor in PYTHONS for patch in (0, 99)]

# Where commands that install are written, beside every README.
PLACES = ("Dockerfile", "*.md", "scripts/*", ".ci/*", ".github/**/*", "app/**/*.py", "tests/**/*.py")


def environment(version: str, platform: tuple[str, str, str] = PLATFORMS[0]) -> dict[str, str]:
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "implementation_version": version,
        **dict(zip(("sys_platform", "platform_system", "platform_machine"), platform, strict=True)),
    }


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for file in SCRIPTS.glob("requirements*"):
        shutil.copy(file, tmp_path)
    return tmp_path


def take_out(path: Path, name: str) -> None:
    text, count = re.subn(rf"^{name}==.*\n(?:    --hash.*\n)+", "", path.read_text(), flags=re.MULTILINE)
    assert count == 1
    path.write_text(text)


class TestPins:
    def test_are_those_of_five_files(self) -> None:
        assert [file.name for file in FILES] == [
            "requirements-demo.txt",
            "requirements-sqlite.txt",
            "requirements-test.txt",
            "requirements-tracing.txt",
            "requirements.txt",
        ]

    @pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
    def test_leave_nothing_open(self, file: RequirementsFile) -> None:
        for version, platform in itertools.product(PATCHES, PLATFORMS):
            assert gaps(file, INSTALLED, environment(version, platform)) == [], (version, platform)

    @pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
    def test_are_in_all_files_the_same(self, file: RequirementsFile) -> None:
        """One environment holds several files: `scripts/serve` and `scripts/test` do not undo each other's work."""
        (tests,) = (each for each in FILES if each.name == "requirements-test.txt")
        there = environment("3.11.0")
        own, those = versions(file.pins(), there), versions(tests.pins(), there)
        assert own.items() <= those.items() or own.keys().isdisjoint(those)

    @pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
    def test_have_hashes_each(self, file: RequirementsFile) -> None:
        pins = re.split(r"^(?=\S)", file.pinned.read_text(), flags=re.MULTILINE)[1:]
        assert len(pins) == len(file.pins())
        assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


class TestGaps:
    @pytest.mark.parametrize(
        ("file", "name", "who"),
        [
            ("requirements.txt", "greenlet", "sqlalchemy[asyncio]"),
            ("requirements-demo.txt", "greenlet", "sqlalchemy[asyncio]"),
            ("requirements-test.txt", "requests-toolbelt", "gql[requests]"),
            ("requirements-test.txt", "coverage", "pytest-cov"),
            ("requirements-tracing.txt", "wrapt", "deprecated"),
            ("requirements.txt", "uvicorn", "requirements.in"),
        ],
    )
    def test_name_the_pin_that_was_taken_out_and_who_needs_it(self, copy: Path, file: str, name: str, who: str) -> None:
        take_out(copy / file, name)
        found = gaps(RequirementsFile(copy / file), INSTALLED, environment("3.13.0"))
        assert any(re.fullmatch(rf"{re.escape(who)} needs {name}\S*, which is not pinned\.", each) for each in found)

    def test_are_found_for_every_pin_that_somebody_needs(self, copy: Path) -> None:
        path = copy / "requirements.txt"
        whole = path.read_text()
        missed = []
        for pin in RequirementsFile(path).pins():
            if pin.marker is None:
                take_out(path, canonicalize_name(pin.name))
                missed += [pin.name] * (not gaps(RequirementsFile(path), INSTALLED, environment("3.11.0")))
                path.write_text(whole)
        # What is pinned and needed by nobody any more is of no harm.
        assert missed == []

    def test_are_open_on_the_pythons_that_need_it_alone(self, copy: Path) -> None:
        for path in (copy / "requirements.txt", copy / "requirements.in"):
            path.write_text(
                re.sub(r"^async-timeout==.*\n(?:    --hash.*\n)*", "", path.read_text(), flags=re.MULTILINE)
            )
        file = RequirementsFile(copy / "requirements.txt")
        (gap,) = gaps(file, INSTALLED, environment("3.11.2"))
        assert gap.startswith("redis needs async-timeout")
        assert gaps(file, INSTALLED, environment("3.11.3")) == []

    def test_are_versions_that_will_not_do(self, copy: Path) -> None:
        path = copy / "requirements.txt"
        path.write_text(re.sub(r"^httpcore2==\S+", "httpcore2==0.1", path.read_text(), flags=re.MULTILINE))
        found = gaps(RequirementsFile(path), INSTALLED, environment("3.12.0"))
        assert any(each.startswith("httpx2 needs httpcore2") and each.endswith("0.1 is pinned.") for each in found)


class TestCommands:
    """Whatever installs pins takes them to the letter."""

    def commands(self, pattern: str) -> list[str]:
        paths = {path for places in PLACES for path in ROOT.glob(places) if path.is_file()}
        paths |= {document.path for document in documents()}
        texts = [path.read_text() for path in paths if not path.name.startswith("test_")]
        joined = [re.sub(r'"\n\s*"|\\\n\s*', "", text) for text in texts]
        return [found for text in joined for found in re.findall(pattern, text)]

    def test_of_pip_have_the_flags(self) -> None:
        found = self.commands(r"pip install\b.* -r .*")
        assert len(found) >= 4
        assert [each for each in found if " ".join(FLAGS) not in each] == []

    def test_of_npm_install_what_is_locked(self) -> None:
        assert self.commands(r"\bnpm (?:install|i|add|update)\b.*|\bnpx\b.*") == []
