"""Compositions of containers, as `docker compose` reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

# A variable in a composition, how it goes on where it is not set, and with what.
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[-?])?([^}]*)\}")


def check_secrets_have_no_default(file: Path) -> None:
    """Fail for a variable of a secret, or of a file with secrets, that does not have to be set."""
    for name, kind, _ in VARIABLE.findall(file.read_text()):
        if re.search(r"PASSWORD|SMTP|KEYS|TENANTS_FILE", name):
            assert kind == ":?", f"{name} has a default."


def check_compose_understands(file: Path) -> None:
    """Have `docker compose` read the composition; the test is skipped on a machine that has none."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    needed = {name: "value" for name, _, _ in VARIABLE.findall(file.read_text())}
    subprocess.run([docker, "compose", "-f", file, "config", "--quiet"], env=needed, check=True)
