"""The page at GET /graphql in a real browser: it loads, walks the journey by clicking, and asks no other host."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import FieldNode, OperationDefinitionNode, parse
from playwright.sync_api import Page, sync_playwright

from tests.harness.nginx import run_nginx
from tests.harness.postgresql import free_port
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


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the list: its name in the document, and its root field."""

    name: str
    field: str


def operation_of(query: str) -> Operation:
    definition = parse(query).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name is not None
    field = definition.selection_set.selections[0]
    assert isinstance(field, FieldNode)
    return Operation(definition.name.value, field.name.value)


OPERATIONS = {
    step["name"]: operation_of(step["query"])
    for group in json.loads((ROOT / "app/http/graphiql/journey.json").read_text())
    for step in group["steps"]
    if "again" not in step
}

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

    @property
    def variables(self) -> str:
        """What the editor of the variables shows."""
        lines = self._page.locator(".graphiql-editor-tool .view-line").all_inner_texts()
        return "".join(lines).replace("\N{NO-BREAK SPACE}", " ")

    def choose(self, group: str, name: str) -> None:
        """Open an operation from the list, and wait until it is in a tab, with its documentation."""
        page = self._page
        listed = page.locator(".journey details", has=page.locator("summary", has_text=group))
        if listed.get_attribute("open") is None:
            listed.locator("summary").click()
        listed.get_by_role("button", name=re.compile(rf"^[0-9]+ {name}( again)?$")).first.click()
        operation = OPERATIONS[name]
        page.locator(".graphiql-query-editor", has_text=operation.name).wait_for()
        page.locator(".graphiql-tab-active", has_text=operation.name).wait_for()
        page.locator(".journey-docs .graphiql-doc-explorer-title", has_text=operation.field).wait_for()

    def wait_for_variables(self, pattern: str) -> None:
        """Wait until the page has filled in what matches."""
        for _ in range(100):
            if re.search(pattern, self.variables):
                return
            self._page.wait_for_timeout(100)
        raise AssertionError(self.variables)

    def take_from_the_mail(self, pattern: str) -> None:
        """Press the button until the mail is there: it comes a moment after the answer."""
        for _ in range(100):
            self._page.get_by_role("button", name="Take from the mail").click()
            if re.search(pattern, self.variables):
                return
            self._page.wait_for_timeout(100)
        raise AssertionError(self.variables)

    def execute(self, name: str) -> Any:
        """Run the operation that is open, and return what its field answers."""
        operation = OPERATIONS[name]
        with self._page.expect_response(
            lambda response: operation.name in (response.request.post_data or "")
        ) as answered:
            self._page.locator(".graphiql-execute-button").click()
        answer = answered.value.json()
        assert "errors" not in answer, answer
        payload = answer["data"][operation.field]
        assert not isinstance(payload, dict) or payload.get("userErrors", []) == [], answer
        return payload

    def run(self, group: str, name: str, filled: str = "") -> Any:
        """Choose an operation and run it when the page has filled in its variables."""
        self.choose(group, name)
        self.wait_for_variables(filled)
        return self.execute(name)

    def wait_for(self, who: str) -> None:
        """Wait until the page says this about the token at hand."""
        self._page.locator(".session .who", has_text=who).wait_for()


@pytest.fixture(params=["", "/customers"], ids=["at the root", "below a path"])
def address(
    request: pytest.FixtureRequest, start_server: Callable[..., ServerProcess], tmp_path: Path
) -> Iterator[str]:
    """Return where the gateway is found: by itself, and behind nginx, which takes a prefix off."""
    if not request.param:
        yield start_server().url
        return
    nginx_port = free_port()
    server = start_server(PUBLIC_URL=f"http://127.0.0.1:{nginx_port}{request.param}")
    with run_nginx(tmp_path / "nginx", [server.port], prefix=request.param) as nginx:
        yield f"{nginx.url}{request.param}"


class TestGraphiql:
    @pytest.mark.usefixtures("bundle")
    def test_walks_the_journey_by_clicking(self, address: str, faults: list[str], tmp_path: Path) -> None:
        with open_browser(address, faults) as page:
            graphiql = GraphiqlPage(page, address)
            graphiql.run("Visit", "Begin")
            graphiql.wait_for("Anonymous session")
            assert graphiql.run("Visit", "Look around")["name"] == "Demo shop"
            assert graphiql.run("Visit", "Sign up")["status"] == "CONFIRMATION_SENT"
            graphiql.choose("Visit", "Confirm")
            graphiql.take_from_the_mail("cg_ot_")
            assert graphiql.execute("Confirm")["alreadyConfirmed"] is False
            assert graphiql.run("Visit", "Log in")["nextStep"] is None
            graphiql.wait_for("Customer session")
            assert graphiql.run("Account", "Me")["email"] == "grace@example.com"
            made = graphiql.run("Account", "Add address")["address"]["id"]
            assert graphiql.run("Account", "Change address", made)["address"]["streetNumber"] == "14"
            assert graphiql.run("Account", "Refresh", "cg_")["tokens"]["accessToken"]
            secret = graphiql.run("Credentials", "Begin TOTP")["secret"]
            assert secret
            assert len(graphiql.run("Credentials", "Confirm TOTP", '"code": "[0-9]{6}"')["recoveryCodes"]) > 1
            page.screenshot(path=tmp_path / "graphiql.png")
            card = graphiql.run("Shopper", "Add card")["paymentInstrument"]["id"]
            assert graphiql.run("Shopper", "Change card", card)["paymentInstrument"]["expiryYear"] == 2034
            assert graphiql.run("Privacy", "Consents")["customer"]["mixins"]["consents"]["newsletter"]["given"] is True
            graphiql.choose("Staff", "Search")
            graphiql.wait_for("No staff token yet")
            page.get_by_role("button", name="Get a staff token").click()
            graphiql.wait_for("Staff token of demo-backend")
            (found,) = graphiql.execute("Search")["nodes"]
            assert graphiql.run("Staff", "Hold", found["id"])["customer"]["onHold"] is True
            page.screenshot(path=tmp_path / "graphiql-staff.png")
        assert faults == []


class TestPlainPage:
    def test_walks_the_first_steps_without_graphiql(
        self, server: ServerProcess, faults: list[str], tmp_path: Path
    ) -> None:
        with open_browser(server.url, faults) as page:
            page.goto(f"{server.url}/playground/plain/plain.html")
            page.get_by_role("button", name="1 Begin", exact=True).click()
            page.get_by_role("button", name="Run").click()
            page.get_by_text("Anonymous session").wait_for()
            page.get_by_role("button", name="2 Look around", exact=True).click()
            page.get_by_role("button", name="Run").click()
            page.get_by_text('"Demo shop"').wait_for()
            page.screenshot(path=tmp_path / "plain.png")
        assert faults == []
