"""Folders of this one with npm packages of their own: installs them from the lock file, and runs their programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.harness.server import PATIENCE

HERE = Path(__file__).parent


def installed(name: str) -> Path:
    """Return the folder, with its packages; skips the test where there is no Node.js."""
    npm, folder = shutil.which("npm"), HERE / name
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    # What npm writes last, once all packages are there.
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


def run_node(folder: Path, program: str, text: str = "", **variables: str) -> Any:
    """Run a program with this standard input, and return what it printed."""
    ended = subprocess.run(
        ["node", program],
        cwd=folder,
        env={**os.environ, **variables},
        input=text,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)
