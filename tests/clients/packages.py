"""The folders with npm packages: installs them from the lock file, makes each thing once, and runs their programs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness.server import PATIENCE

CLIENTS = Path(__file__).parent
NODE = shutil.which("node")
NPM = shutil.which("npm")


def install(folder: Path) -> Path:
    """Install what a folder's lock file names; skips the test where Node.js is not installed."""
    if NODE is None or NPM is None:
        pytest.skip("node and npm are not installed")
    with made_once(folder, "node_modules", [folder / "package-lock.json"]) as is_made:
        if not is_made:
            subprocess.run([NPM, "ci", "--ignore-scripts"], cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


@contextmanager
def made_once(folder: Path, made: str, sources: Iterable[Path]) -> Iterator[bool]:
    """Tell whether `made` is there and of these very sources; several processes of tests come here one by one."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    stamp = folder / made / ".made-of"
    alone = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(alone, fcntl.LOCK_EX)
        yield stamp.is_file() and stamp.read_text() == digest
        stamp.write_text(digest)
    finally:
        os.close(alone)


def run_command(command: list[str], folder: Path, variables: dict[str, str], text: str = "") -> str:
    """Run a command in a folder with this standard input; return what it printed, or fail if it does."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        input=text,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def run_node(folder: Path, program: str, text: str = "", **variables: str) -> Any:
    """Run a program of a folder with this standard input, and return the JSON that it printed."""
    return json.loads(run_command([str(NODE), program], folder, variables, text))
