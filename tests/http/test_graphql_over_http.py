"""The audits of npm's graphql-http against a real server: no error, no warning."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from tests.http.example import Gateway

AUDIT = Path(__file__).parent / "audit"
NODE = shutil.which("node")
NPM = shutil.which("npm")


@pytest.fixture(scope="module")
def audit() -> Path:
    if NODE is None or NPM is None:
        pytest.skip("node and npm are not installed")
    if not (AUDIT / "node_modules" / "graphql-http").is_dir():
        subprocess.run([NPM, "ci", "--ignore-scripts"], cwd=AUDIT, check=True, capture_output=True, timeout=120)
    return AUDIT / "audit.mjs"


class TestServerAudits:
    """In development: two of the audits ask for the schema, which production does not tell."""

    def test_find_nothing(
        self, audit: Path, serve: Callable[[ASGIApp], AbstractContextManager[str]], gateway: Gateway
    ) -> None:
        with serve(gateway.build()) as address:
            run = [str(NODE), str(audit), f"{address}/graphql"]
            output = subprocess.run(run, check=True, capture_output=True, timeout=60).stdout
        results = json.loads(output)
        assert len(results) > 50
        assert [result for result in results if result["status"] != "ok"] == []
