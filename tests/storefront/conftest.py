"""One gateway and one browser for all tests of a module.

Not for longer: while the browser runs, its library has the event loop of this thread, which other tests want.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.harness.integrations import SECRET
from tests.harness.server import ROOT, ServerProcess
from tests.storefront.shop import Shop

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def bundle() -> None:
    if shutil.which("npm") is None:
        pytest.skip("Node.js is not installed")
    subprocess.run([ROOT / "scripts/storefront"], check=True)
    assert (ROOT / "app/http/storefront/dist/index.html").is_file()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def shop(
    bundle: None, sqlite_template: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("storefront")
    shutil.copy(sqlite_template, folder / "gateway.db")
    database = {"DATABASE_URL": f"sqlite:///{folder / 'gateway.db'}", "STATE_DIR": str(folder / "state")}
    server = ServerProcess({**database, "DEMO_BACKEND_SECRET": SECRET, "TRUSTED_PROXIES": "127.0.0.1/32"})
    server.start()
    yield Shop(server, browser)
    server.stop()
