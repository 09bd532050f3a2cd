"""The requirements files: what each wants, and what it pins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness.source import ROOT

SCRIPTS = ROOT / "scripts"
# How pins are installed everywhere. pip decides nothing: not which packages and versions (`--no-deps`), not which files
# (`--require-hashes`), and it builds nothing, for which it would fetch build tools that nobody has pinned.
FLAGS = ("--no-deps", "--require-hashes", "--only-binary", ":all:")

_CONTINUED = re.compile(r"\\\n")
_AFTERTHOUGHT = re.compile(r"\s+(#|--hash=).*")


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """A pair of files: `NAME.in`, which people write, and `NAME.txt`, which pins it."""

    pinned: Path

    @property
    def name(self) -> str:
        """What people call it."""
        return self.pinned.name

    def wanted(self) -> list[Requirement]:
        """Return what was asked for, with the extras."""
        return list(_read(self.pinned.with_suffix(".in")))

    def pins(self) -> list[Requirement]:
        """Return what is installed."""
        return list(_read(self.pinned))


def requirements_files(folder: Path = SCRIPTS) -> list[RequirementsFile]:
    """Find all that the folder has."""
    return [RequirementsFile(path) for path in sorted(folder.glob("requirements*.txt"))]


def versions(pins: list[Requirement], environment: dict[str, str]) -> dict[str, str]:
    """Return the pinned version of each package that is installed there; raises `ValueError` for what is no pin."""
    found: dict[str, str] = {}
    for pin in pins:
        match = re.fullmatch(r"==([^*,]+)", str(pin.specifier))
        if match is None or pin.extras:
            raise ValueError(f"{pin} is no pin.")
        if pin.marker is None or pin.marker.evaluate(environment):
            found[canonicalize_name(pin.name)] = match[1]
    return found


def _read(path: Path) -> Iterator[Requirement]:
    for line in _CONTINUED.sub("", path.read_text()).splitlines():
        text = _AFTERTHOUGHT.sub("", line).strip()
        if text.startswith("-r "):
            yield from _read(path.with_name(text.removeprefix("-r ").strip()))
        elif text and not text.startswith(("#", "-")):
            yield Requirement(text)
