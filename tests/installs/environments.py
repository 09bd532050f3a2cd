"""Empty environments, of the Pythons of this machine, and what a pip installs into them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness.source import ROOT
from tests.installs.pins import FLAGS, RequirementsFile

_PROBE = """
import json, os, platform, sys, ensurepip
implementation = sys.implementation
print(json.dumps({
    "implementation_name": implementation.name,
    "implementation_version": platform.python_version(),
    "os_name": os.name,
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(),
    "platform_release": platform.release(),
    "platform_system": platform.system(),
    "platform_version": platform.version(),
    "python_full_version": platform.python_version(),
    "python_version": "%d.%d" % sys.version_info[:2],
    "sys_platform": sys.platform,
}))
"""


class InstallFailed(Exception):
    """A program that installs had an error; the text is its own."""


@dataclass(frozen=True, slots=True)
class Python:
    """A Python of this machine, and the values of the markers there."""

    program: Path
    environment: dict[str, str]

    @property
    def version(self) -> str:
        """All of it, such as 3.11.7."""
        return self.environment["python_full_version"]


def find_python(minor: str) -> Python | None:
    """Return the oldest Python of that minor version, which knows and brings the least; none where there is none."""
    folders = [Path(each) for each in os.get_exec_path()]
    folders += Path.home().glob(f".pyenv/versions/{minor}.*/bin")
    found = [_probe(folder / f"python{minor}") for folder in folders if (folder / f"python{minor}").exists()]
    working = [python for python in found if python is not None and python.environment["python_version"] == minor]
    return min(working, key=lambda python: [int(digits) for digits in re.findall(r"\d+", python.version)], default=None)


def _probe(program: Path) -> Python | None:
    asked = subprocess.run([program, "-I", "-c", _PROBE], capture_output=True, text=True, check=False)
    return Python(program, json.loads(asked.stdout)) if asked.returncode == 0 else None


def fetch_pip(requirement: str, folder: Path) -> Path:
    """Fetch a pip, such as `pip==22.3`, and return what a Python runs as one."""
    options = ("--quiet", "--no-cache-dir", "--no-deps", "--only-binary", ":all:")
    _run([sys.executable, "-m", "pip", "install", *options, "--target", str(folder), requirement])
    return folder / "pip"


def download(python: Python, pip: Path, files: Iterable[RequirementsFile], folder: Path) -> Path:
    """Have a pip download all that the files pin, for its Python, and return the folder of it."""
    arguments = [argument for file in files for argument in ("--requirement", str(file.pinned))]
    options = ("--quiet", "--no-cache-dir", *FLAGS, "--dest", str(folder))
    _run([str(python.program), str(pip), "download", *options, *arguments])
    return folder


def install(python: Python, pip: Path, file: RequirementsFile, wheels: Path, place: Path) -> Path:
    """Install the file into an environment that has nothing else, not even pip; return its packages' folder."""
    _run([str(python.program), "-m", "venv", "--without-pip", str(place)])
    options = ("--quiet", "--no-compile", *FLAGS, "--no-index", "--find-links", str(wheels))
    # Settings of this machine, such as further folders of wheels, would help.
    settings = {"PIP_CONFIG_FILE": os.devnull}
    _run([str(place / "bin/python"), str(pip), "install", *options, "--requirement", str(file.pinned)], settings)
    return place / f"lib/python{python.environment['python_version']}/site-packages"


def run_in(place: Path, arguments: Sequence[str]) -> None:
    """Run the environment's Python in the project's folder."""
    _run([str(place / "bin/python"), "-W", "ignore", *arguments])


def remove(place: Path) -> None:
    """Remove an environment."""
    shutil.rmtree(place)


def _run(command: Sequence[str], settings: dict[str, str] | None = None) -> None:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if settings is not None:
        surroundings = {name: value for name, value in surroundings.items() if not name.startswith("PIP_")} | settings
    surroundings |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise InstallFailed(f"{' '.join(command)}\n{ended.stderr}")
