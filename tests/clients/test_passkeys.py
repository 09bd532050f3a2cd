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
from tests.harness.passkeys import BEGIN_LOGIN, BEGIN_REGISTRATION, PASSKEYS, REGISTER
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE, ServerProcess
from tests.harness.sign_in import COMPLETE_LOGIN
from tests.harness.sites import serve_folder
from tests.harness.tenants import storefront, table

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

EMAIL = "ada@example.com"
PAGE = """<!doctype html>
<title>Shop</title>
<form><input name="email" autocomplete="username webauthn"></form>
<script type="module">
window.ask = async (query, input, token) => {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query, variables: { input } });
  const answer = await (await fetch("GATEWAY/graphql", { method: "POST", headers, body })).json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
};
window.make = async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({ publicKey })).toJSON();
};
window.use = async (options, mediation) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey, mediation })).toJSON();
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
def page(tmp_path: Path, origin: str, server: ServerProcess) -> Iterator[Page]:
    """Open a page of the shop in a browser."""
    folder = tmp_path / "site"
    folder.mkdir()
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
    return page.evaluate("([query, input, token]) => ask(query, input, token)", [query, given, token])


def visit(page: Page) -> str:
    token: str = ask(page, ANONYMOUS_LOGIN, {"clientId": "web"})["anonymousLogin"]["tokens"]["accessToken"]
    return token


def register(page: Page) -> str:
    """Sign up, log in and register a passkey on the page; return the access token."""
    token = visit(page)
    ask(page, SIGNUP, signup_input(email=EMAIL, password=PASSWORD), token)
    token = ask(page, LOGIN, {"email": EMAIL, "password": PASSWORD}, token)["login"]["tokens"]["accessToken"]
    begun = ask(page, BEGIN_REGISTRATION, {}, token)["beginPasskeyRegistration"]
    credential = page.evaluate("options => make(options)", begun["options"])
    made = ask(page, REGISTER, {"ticket": begun["ticket"], "credential": credential}, token)["registerPasskey"]
    assert made["userErrors"] == []
    assert "Chrome" in made["passkey"]["name"]
    return token


def log_in(page: Page, mediation: str) -> Any:
    token = visit(page)
    begun = ask(page, BEGIN_LOGIN, {}, token)["beginPasskeyLogin"]
    answer = page.evaluate("([options, mediation]) => use(options, mediation)", [begun["options"], mediation])
    return ask(page, COMPLETE_LOGIN, {"ticket": begun["ticket"], "passkey": answer}, token)["completeLogin"]


@pytest.mark.usefixtures("devtools")
class TestPasskeys:
    @pytest.mark.parametrize("mediation", ["optional", "conditional"])
    def test_log_in_without_an_address(self, page: Page, mediation: str) -> None:
        """Conditional: the browser offers the passkey in the field of the address, as the page opens."""
        register(page)
        first, second = log_in(page, mediation), log_in(page, mediation)
        assert first["userErrors"] == second["userErrors"] == []
        assert second["customer"]["email"] == EMAIL
        (passkey,) = ask(page, PASSKEYS, None, second["tokens"]["accessToken"])["me"]["passkeys"]
        assert passkey["lastUsedAt"] is not None

    def test_are_not_made_twice_on_one_device(self, page: Page) -> None:
        token = register(page)
        log_in(page, "optional")
        begun = ask(page, BEGIN_LOGIN, {}, token)["beginPasskeyLogin"]
        answer = page.evaluate("options => use(options)", begun["options"])
        prove = "mutation ($input: ReauthenticateInput!) { reauthenticate(input: $input) { authenticatedAt } }"
        ask(page, prove, {"ticket": begun["ticket"], "passkey": answer}, token)
        options = ask(page, BEGIN_REGISTRATION, {}, token)["beginPasskeyRegistration"]["options"]
        name = page.evaluate("options => make(options).catch((error) => error.name)", options)
        assert name == "InvalidStateError"
