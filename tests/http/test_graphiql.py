"""The page at GET /graphql in a real browser: it loads, walks the journey by clicking, and asks no other host."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.harness.server import ROOT, ServerProcess

CHROMIUM = shutil.which("chromium")
BUNDLE = ROOT / "app/http/graphiql/dist/index.html"
# Chromium's own services would look for hosts that are none of ours.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def bundle() -> None:
    if shutil.which("npm") is None:
        pytest.skip("Node.js is not installed")
    subprocess.run([ROOT / "scripts/graphiql"], check=True)
    assert BUNDLE.is_file()


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """Return that of SQLite only: the page is the same on both databases."""
    database = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, database)
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state")}


@pytest.fixture
def faults() -> list[str]:
    """Collect what the browser complains of, and every other host that it asks."""
    return []


@contextmanager
def open_browser(url: str, faults: list[str]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(
            viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
        )
        page.on("console", lambda line: faults.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith((url, "data:")) else None)
        yield page
        browser.close()


class GraphiqlPage:
    """What a newcomer does with the page."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        page.goto(f"{url}/graphql")
        page.locator(".graphiql-execute-button").wait_for()

    def run(self, tab: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Click the tab and the button, and return the data of the answer."""
        page = self._page
        page.locator(".graphiql-tab-button", has_text=tab).first.click()
        page.locator(".graphiql-query-editor", has_text=tab).wait_for()
        if variables is not None:
            page.locator(".graphiql-editor-tool .monaco-editor").first.click()
            page.keyboard.press("Control+A")
            page.evaluate("text => navigator.clipboard.writeText(text)", json.dumps(variables))
            page.keyboard.press("Control+V")
        with page.expect_response(lambda response: tab in (response.request.post_data or "")) as answered:
            page.locator(".graphiql-execute-button").click()
        answer = answered.value.json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def read_mailed_token(self) -> str:
        """Follow the link to the mailbox and return the token of the newest mail."""
        with self._page.expect_popup() as opened:
            self._page.get_by_role("link", name="Mailbox").click()
        mailbox = opened.value
        while mailbox.get_by_role("listitem").count() == 0:
            mailbox.reload()
        mailbox.get_by_role("listitem").first.get_by_role("link").click()
        token = mailbox.locator("dd code").inner_text()
        mailbox.close()
        return token

    def wait_for(self, who: str) -> None:
        """Wait until the page says this about the token at hand."""
        self._page.locator(".session .who", has_text=who).wait_for()


class TestGraphiql:
    @pytest.mark.usefixtures("bundle")
    def test_walks_the_journey_by_clicking(self, server: ServerProcess, faults: list[str], tmp_path: Path) -> None:
        with open_browser(server.url, faults) as page:
            graphiql = GraphiqlPage(page, server.url)
            graphiql.run("Begin")
            graphiql.wait_for("Anonymous session")
            assert graphiql.run("LookAround")["storefront"]["name"] == "Demo shop"
            assert graphiql.run("SignUp")["signup"]["status"] == "CONFIRMATION_SENT"
            token = graphiql.read_mailed_token()
            assert graphiql.run("Confirm", {"input": {"token": token}})["confirmSignup"]["userErrors"] == []
            assert graphiql.run("LogIn")["login"]["userErrors"] == []
            graphiql.wait_for("Customer session")
            assert graphiql.run("Me")["me"]["email"] == "grace@example.com"
            assert graphiql.run("ChangeProfile")["updateMe"]["customer"]["firstName"] == "Grace Brewster"
            assert graphiql.run("AddAddress")["createAddress"]["address"]["isDefault"] is True
            assert graphiql.run("Refresh")["refresh"]["userErrors"] == []
            page.screenshot(path=tmp_path / "graphiql.png")
            assert graphiql.run("LogOut")["logout"]["loggedOut"] is True
            graphiql.wait_for("No token yet")
            # Whoever walks through the tabs again goes on with the login.
            assert graphiql.run("Begin")["anonymousLogin"]["userErrors"] == []
            assert graphiql.run("SignUp")["signup"]["status"] == "CONFIRMATION_SENT"
            assert graphiql.run("LogIn")["login"]["userErrors"] == []
        assert faults == []


class TestPlainPage:
    def test_walks_the_first_steps_without_graphiql(
        self, server: ServerProcess, faults: list[str], tmp_path: Path
    ) -> None:
        with open_browser(server.url, faults) as page:
            page.goto(f"{server.url}/playground/plain/plain.html")
            page.get_by_role("button", name="1 Begin").click()
            page.get_by_role("button", name="Run").click()
            page.get_by_text("Anonymous session").wait_for()
            page.get_by_role("button", name="2 Look around").click()
            page.get_by_role("button", name="Run").click()
            page.get_by_text('"Demo shop"').wait_for()
            page.screenshot(path=tmp_path / "plain.png")
        assert faults == []
