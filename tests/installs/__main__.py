"""Whether everything can be installed from nothing: `scripts/installs`.

Each requirements file goes into an empty environment of each Python that is supported, by today's pip, and by the
oldest that such a Python brings. What they install is fetched in the same run. Then the environment has what is
pinned and nothing else, lacks nothing that any package of it needs, and does what it is for.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.installs.closure import gaps, installed_in
from tests.installs.environments import (
    InstallFailed,
    Python,
    download,
    fetch_pip,
    find_python,
    install,
    remove,
    run_in,
)
from tests.installs.pins import SCRIPTS, RequirementsFile, requirements_files, versions

TODAYS_PIP = "pip"
OLDEST_PIP = "pip==22.3"  # that of Python 3.11.0
# What scripts/setup takes, and who installs there.
PYTHONS = {"3.11": (OLDEST_PIP, TODAYS_PIP), "3.12": (TODAYS_PIP,), "3.13": (TODAYS_PIP,), "3.14": (TODAYS_PIP,)}

# What each file is for.
USES: dict[str, Sequence[str]] = {
    "requirements.txt": ("-m", "app", "schema"),
    "requirements-demo.txt": ("-c", "import app.adapters.social.demo_provider_process"),
    "requirements-sqlite.txt": ("-c", "import sqlean"),
    "requirements-tracing.txt": ("-c", "from app.adapters.traces import OpenTelemetryTraces as T; T()"),
    "requirements-test.txt": ("-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider", "tests/domain"),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One file, to be installed by one pip of one Python."""

    python: Python
    pip: str
    file: RequirementsFile

    def __str__(self) -> str:
        return f"{self.file.name}, Python {self.python.version}, {self.pip}"

    def run(self, pip: Path, wheels: Path, place: Path) -> Iterator[str]:
        """Install and look; yield what is wrong."""
        environment = self.python.environment
        installed = installed_in(install(self.python, pip, self.file, wheels, place))
        pinned = versions(self.file.pins(), environment)
        yield from (f"{name} is installed and not pinned." for name in installed.keys() - pinned.keys())
        yield from gaps(self.file, installed, environment)
        if self.file.name in USES:
            run_in(place, USES[self.file.name])
        remove(place)


def main() -> int:
    """Install everything, print what is wrong; 1 when anything is."""
    parser = argparse.ArgumentParser(prog="scripts/installs", description=__doc__)
    parser.add_argument("--folder", type=Path, default=SCRIPTS, help="where the requirements files are")
    parser.add_argument("--python", action="append", choices=list(PYTHONS), help="only this one; may be repeated")
    arguments = parser.parse_args()
    found = {minor: find_python(minor) for minor in arguments.python or PYTHONS}
    files = requirements_files(arguments.folder)
    pythons = [python for python in found.values() if python is not None]
    with tempfile.TemporaryDirectory(prefix="installs-") as folder:
        wrong = list(_check(pythons, files, Path(folder)))
    sys.stdout.writelines(f"{message}\n" for message in wrong)
    tried = ", ".join(python.version for python in pythons)
    skipped = [minor for minor, python in found.items() if python is None]
    sys.stdout.write(f"{len(files)} files, {len(pythons)} Pythons ({tried}); {len(wrong)} faults.\n")
    if skipped:
        sys.stdout.write(f"{len(skipped)} skipped, not on this machine: {', '.join(skipped)}\n")
    return int(bool(wrong) or not pythons or not files)


def _check(pythons: list[Python], files: list[RequirementsFile], folder: Path) -> Iterator[str]:
    installers = {python.version: PYTHONS[python.environment["python_version"]] for python in pythons}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = {name for each in installers.values() for name in each}
        pips = dict(zip(names, pool.map(lambda name: fetch_pip(name, folder / name), names), strict=True))

        def fetch(python: Python) -> Path:
            return download(python, pips[installers[python.version][0]], files, folder / f"wheels-{python.version}")

        wheels = {python.version: at for python, at in zip(pythons, pool.map(fetch, pythons), strict=True)}
        tasks = [Task(each, pip, file) for file in files for each in pythons for pip in installers[each.version]]

        def run(numbered: tuple[int, Task]) -> list[str]:
            number, task = numbered
            place = folder / f"environment-{number}"
            try:
                return [f"{task}: {wrong}" for wrong in task.run(pips[task.pip], wheels[task.python.version], place)]
            except InstallFailed as failed:
                return [f"{task}: {failed}"]

        for wrong in pool.map(run, enumerate(tasks)):
            yield from wrong


if __name__ == "__main__":
    sys.exit(main())
