"""Shops come and go: a change of the tenants file reaches every process of a running gateway, and no request half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from app.domain.tenants import TenantDirectory
from app.domain.tools import LiveTools
from tests.harness.gateway import Gateway
from tests.harness.server import PATIENCE, ROOT, ServerProcess
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

LOGIN = 'mutation{anonymousLogin(input:{clientId:"%s"}){tokens{accessToken refreshToken} userErrors{code}}}'
SIGNUP = """mutation { signup(input: {email: "ada@shop.example", password: "correct horse battery"}) {
  status userErrors { code } } }"""
# Seconds within which a change is taken up by itself, and what a busy machine adds.
BY_ITSELF = 10.0
SLACK = 60.0
ENOUGH = 12
STARTED = "Application startup complete"


def small_shop(tenant: str, **settings: str) -> str:
    return shop(tenant, **settings) + storefront(tenant, f"{tenant}-web", origins=[f"https://{tenant}.example"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shops"
    folder.mkdir()
    for tenant in ("first", "second"):
        (folder / f"{tenant}.toml").write_text(small_shop(tenant))
    return folder


@pytest.fixture
def settings_environment(folder: Path) -> dict[str, str]:
    return {"TENANTS_FILE": str(folder)}


def ask(server: ServerProcess, query: str, token: str | None = None, **headers: str) -> httpx2.Response:
    """Ask over a connection of its own, so that any of the processes may answer."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return httpx2.post(
        f"{server.url}/graphql", json={"query": query}, headers=headers, trust_env=False, timeout=PATIENCE
    )


def login(server: ServerProcess, client_id: str) -> str | None:
    """Return the access token of a new session; None where there is no such client."""
    answer = ask(server, LOGIN % client_id).json()
    assert answer["data"] is not None, answer
    tokens = answer["data"]["anonymousLogin"]["tokens"]
    return tokens and str(tokens["accessToken"])


def taken_up(shops: int) -> str:
    """Return what each process says when it has taken up a change, after which there are so many shops."""
    return f"TENANTS_FILE has changed, and was taken up: {shops} shops, before"


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds for a while, for all of the processes."""
    deadline = time.monotonic() + seconds
    held = 0
    while held < ENOUGH:
        assert time.monotonic() < deadline
        held = held + 1 if condition() else 0
        time.sleep(0.05)


@contextmanager
def running(environment: dict[str, str], processes: int) -> Iterator[ServerProcess]:
    server = ServerProcess({**environment, "PROCESSES": str(processes)})
    try:
        server.start()
        # The first of them answers before the others have read the shops.
        until(lambda: server.log.count(STARTED) == processes, PATIENCE)
        yield server
        server.stop()
    finally:
        server.end()


@contextmanager
def running_worker(server: ServerProcess, log: Path) -> Iterator[None]:
    """Run the worker as a process of its own, which takes SIGHUP, and ends as it should."""
    with log.open("wb") as sink:
        worker = subprocess.Popen(
            [sys.executable, "-m", "app", "worker"], cwd=ROOT, env=server._environment, stderr=sink
        )
    try:
        yield
        worker.send_signal(signal.SIGHUP)
        worker.terminate()
        assert worker.wait(PATIENCE) == 0, log.read_text()
        assert "ERROR" not in log.read_text(), log.read_text()
    finally:
        worker.kill()
        worker.wait(PATIENCE)


def children(server: ServerProcess) -> list[int]:
    """Return the processes that serve."""
    parent = server.pid
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.parametrize("processes", [1, 2])
class TestServe:
    def test_takes_up_changes_by_itself(self, environment: dict[str, str], folder: Path, processes: int) -> None:
        with running(environment, processes) as server:
            token = login(server, "first-web")
            (folder / "third.toml").write_text(small_shop("third"))
            (folder / "first.toml").unlink()
            until(lambda: login(server, "third-web") is not None, BY_ITSELF + SLACK)
            until(lambda: login(server, "first-web") is None, SLACK)
            until(lambda: server.log.count(taken_up(2)) == processes, SLACK)
            refusal = ask(server, "{ tokenInfo { kind } }", token).json()["errors"][0]["extensions"]
            assert refusal["code"] == "UNAUTHENTICATED"
            origin = {"Origin": "https://third.example"}
            assert ask(server, "{ __typename }", **origin).headers["access-control-allow-origin"] == origin["Origin"]
            gone = ask(server, "{ __typename }", Origin="https://first.example")
            assert "access-control-allow-origin" not in gone.headers

    def test_takes_up_changes_at_once_on_sighup(
        self, environment: dict[str, str], folder: Path, processes: int
    ) -> None:
        with running(environment, processes) as server:
            (folder / "third.toml").write_text(small_shop("third"))
            server.signal(signal.SIGHUP)
            until(lambda: login(server, "third-web") is not None, SLACK)
            until(lambda: server.log.count(taken_up(3)) == processes, SLACK)
            assert server.log.count(STARTED) == processes

    def test_keeps_all_as_they_were_when_a_file_is_broken(
        self, environment: dict[str, str], folder: Path, processes: int
    ) -> None:
        with running(environment, processes) as server:
            (folder / "third.toml").write_text(small_shop("third"))
            (folder / "first.toml").write_text("[tenants.first]\nname = ")
            until(lambda: server.log.count("TENANTS_FILE has a fault") == processes, BY_ITSELF + SLACK)
            time.sleep(BY_ITSELF / 2)
            assert server.log.count("TENANTS_FILE has a fault") == processes
            assert f"so all shops stay as they were: {folder}/first.toml: is not TOML in UTF-8" in server.log
            assert login(server, "first-web") is not None
            assert login(server, "third-web") is None
            (folder / "first.toml").write_text(small_shop("first"))
            until(lambda: login(server, "third-web") is not None, BY_ITSELF + SLACK)


class TestReplacedProcess:
    def test_begins_with_the_shops_of_the_others(self, environment: dict[str, str], folder: Path) -> None:
        with running(environment, 2) as server:
            (folder / "third.toml").write_text(small_shop("third"))
            until(lambda: server.log.count(taken_up(3)) == 2, BY_ITSELF + SLACK)
            (folder / "first.toml").write_text("broken")
            os.kill(children(server)[0], signal.SIGKILL)
            until(lambda: server.log.count(STARTED) == 3, PATIENCE)
            until(lambda: login(server, "third-web") is not None, SLACK)


class TestWorker:
    def test_of_its_own_process_knows_a_new_shop(self, environment: dict[str, str], folder: Path) -> None:
        log = Path(environment["STATE_DIR"]) / "worker.log"
        with running({**environment, "WORKER": "off"}, 1) as server, running_worker(server, log):
            (folder / "third.toml").write_text(small_shop("third", signup="confirm_email"))
            until(lambda: login(server, "third-web") is not None, SLACK)
            answer = ask(server, SIGNUP, login(server, "third-web")).json()
            assert answer["data"]["signup"]["status"] == "CONFIRMATION_SENT", answer
            until(lambda: any((server.state_dir / "mail").glob("*.eml")), PATIENCE)
            (folder / "fourth.toml").write_text(small_shop("fourth"))
            until(lambda: "taken up: 4 shops" in log.read_text(), PATIENCE)


class TestRequest:
    async def test_sees_the_shops_of_its_beginning_to_its_end(self, gateway: Gateway) -> None:
        live = LiveTools(gateway.tools)
        taken = live.now
        live.take_up(TenantDirectory([]))
        assert taken.tenants.find_client("first-web") is not None
        assert live.now.tenants.find_client("first-web") is None
        assert live.now.database is taken.database
