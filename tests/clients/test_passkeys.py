"""Passkeys in a real browser, with a virtual authenticator: made on a page of the shop, and used to log in there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.clients.test_tabs import CHROMIUM, FLAGS
from tests.factories import PASSWORD, signup_input
from tests.harness.operations import ANONYMOUS_LOGIN, LOGIN, SIGNUP
from tests.harness.passkeys import BEGIN_LOGIN, PASSKEYS
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE, ServerProcess
from tests.harness.sites import serve_folder
from tests.harness.tenants import storefront, table

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

EMAIL = "ada@example.com"
PAGE = """<!doctype html>
<title>Shop</title>
<form><input name="email" autocomplete="username webauthn"></form>
<script type="module">
import { addPasskey, logInWithPasskey } from "./passkeys.js";

window.ask = async (query, variables, token) => {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query, variables });
  const answer = await (await fetch("GATEWAY/graphql", { method: "POST", headers, body })).json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
};
const as = (token) => (query, variables) => ask(query, variables, token);
window.add_passkey = (token) => addPasskey(as(token));
window.log_in = (token, mediation) => logInWithPasskey(as(token), mediation);
window.use = async (options) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey })).toJSON();
};
</script>"""


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path, settings_environment: dict[str, str]) -> dict[str, str]:
    """Return that of SQLite only: the browser is the same on both databases."""
    database = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, database)
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state"), **settings_environment}


@pytest.fixture
def origin() -> str:
    return f"http://localhost:{free_port()}"


@pytest.fixture
def settings_environment(tmp_path: Path, origin: str) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(
        table("[tenants.shop]", name="The shop", signup="open")
        + table("[tenants.shop.sites.main]", url=origin, language="en")
        + storefront("shop", "web", origins=[origin])
    )
    return {"TENANTS_FILE": str(file)}


@pytest.fixture
def page(build: Path, tmp_path: Path, origin: str, server: ServerProcess) -> Iterator[Page]:
    """Open a page of the shop, with the program that people copy, in a browser."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copy(build / "passkeys.js", folder)
    (folder / "index.html").write_text(PAGE.replace("GATEWAY", server.url))
    with serve_folder(folder, int(origin.rpartition(":")[2])), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(origin)
        page.wait_for_function("typeof window.use === 'function'")
        yield page
        browser.close()


@pytest.fixture
def devtools(page: Page) -> CDPSession:
    """Give the browser a device that verifies its owner, and keeps passkeys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def ask(page: Page, query: str, given: Any = None, token: str | None = None) -> Any:
    return page.evaluate(
        "([query, variables, token]) => ask(query, variables, token)", [query, {"input": given}, token]
    )


def visit(page: Page) -> str:
    token: str = ask(page, ANONYMOUS_LOGIN, {"clientId": "web"})["anonymousLogin"]["tokens"]["accessToken"]
    return token


def register(page: Page) -> str:
    """Sign up, log in and register a passkey on the page; return the access token."""
    token = visit(page)
    ask(page, SIGNUP, signup_input(email=EMAIL, password=PASSWORD), token)
    logged_in = ask(page, LOGIN, {"email": EMAIL, "password": PASSWORD}, token)["login"]
    token = str(logged_in["tokens"]["accessToken"])
    assert "Chrome" in page.evaluate("token => add_passkey(token)", token)
    return token


def log_in(page: Page, mediation: str) -> str:
    token: str = page.evaluate("([token, mediation]) => log_in(token, mediation)", [visit(page), mediation])
    return token


@pytest.mark.usefixtures("devtools")
class TestPasskeys:
    @pytest.mark.parametrize("mediation", ["optional", "conditional"])
    def test_log_in_without_an_address(self, page: Page, mediation: str) -> None:
        """Conditional: the browser offers the passkey in the field of the address, as the page opens."""
        register(page)
        first, second = log_in(page, mediation), log_in(page, mediation)
        assert first != second
        (passkey,) = ask(page, PASSKEYS, None, second)["me"]["passkeys"]
        assert passkey["lastUsedAt"] is not None

    def test_are_not_made_twice_on_one_device(self, page: Page) -> None:
        token = register(page)
        log_in(page, "optional")
        begun = ask(page, BEGIN_LOGIN, {}, token)["beginPasskeyLogin"]
        answer = page.evaluate("options => use(options)", begun["options"])
        prove = "mutation ($input: ReauthenticateInput!) { reauthenticate(input: $input) { authenticatedAt } }"
        ask(page, prove, {"ticket": begun["ticket"], "passkey": answer}, token)
        name = page.evaluate("token => add_passkey(token).catch((error) => error.name)", token)
        assert name == "InvalidStateError"
