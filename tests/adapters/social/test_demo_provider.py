"""The demo's provider of social login: a process of its own that ends with the one that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from socket import create_server

import httpx2
import pytest

from app.adapters.social.demo_provider import run_demo_provider
from app.settings import Settings
from app.wiring import run_demo_social
from tests.harness.postgresql import free_port
from tests.harness.social import PATIENCE, authorize_at_mock

START = """
import os, sys
from app.adapters.social.demo_provider import run_demo_provider
with run_demo_provider(sys.argv[1], os.environ):
    print("started", flush=True)
    sys.stdin.read()
"""


def answers(issuer: str) -> bool:
    try:
        response = httpx2.get(f"{issuer}/.well-known/openid-configuration", trust_env=False, timeout=PATIENCE)
    except httpx2.TransportError:
        return False
    return bool(response.json()["issuer"] == issuer)


def wait(issuer: str, *, until: bool) -> None:
    deadline = time.monotonic() + PATIENCE
    while answers(issuer) is not until:
        assert time.monotonic() < deadline
        time.sleep(0.05)


class TestRunDemoProvider:
    def test_serves_ada_with_a_proven_address(self) -> None:
        issuer = f"http://127.0.0.1:{free_port()}"
        with run_demo_provider(issuer, os.environ):
            wait(issuer, until=True)
            url = f"{issuer}/oauth2/authorize?response_type=code&client_id=demo&redirect_uri=http://localhost/&scope=openid"
            assert "code" in authorize_at_mock(url, "ada")
        assert not answers(issuer)

    def test_ends_when_the_process_that_started_it_is_killed(self) -> None:
        issuer = f"http://127.0.0.1:{free_port()}"
        root = Path(__file__).parents[3]
        with subprocess.Popen(
            [sys.executable, "-c", START, issuer], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as parent:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"started\n"
            wait(issuer, until=True)
            parent.kill()
        wait(issuer, until=False)

    def test_leaves_a_port_that_is_taken_to_whoever_has_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        with create_server(("127.0.0.1", 0)) as taken:
            issuer = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with run_demo_provider(issuer, os.environ):
                assert f"Port {taken.getsockname()[1]} is taken" in capsys.readouterr().err

    def test_says_when_it_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.adapters.social.demo_provider.find_spec", lambda _: None)
        issuer = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(ValueError, match="not installed"), run_demo_provider(issuer, os.environ):
            pass


class TestRunDemoSocial:
    def test_does_nothing_for_other_tenants(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        tenants = tmp_path / "tenants.toml"
        tenants.touch()
        with run_demo_social(Settings.load({"TENANTS_FILE": str(tenants)})):
            assert capsys.readouterr().err == ""
